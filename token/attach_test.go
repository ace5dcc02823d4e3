package token_test

import (
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// An interface beside C_* keeps its sessions, its objects and the login when the program calls C_CloseAllSessions and C_Finalize.
func TestAttachedSessionsOutliveOthers(t *testing.T) {
	p, s := open(t)
	slot := s.Info().SlotID
	own, err := p.Attach(slot)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Login(ck.CKU_USER, pin(userPIN)); err != nil {
		t.Fatal(err)
	}
	key, err := own.CreateObject(aesKey(true, false))
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range []struct {
		name string
		do   func() error
	}{
		{"C_CloseAllSessions", func() error { return p.CloseAllSessions(slot) }},
		{"C_Finalize", func() error { p.Leave(); return nil }},
	} {
		other := session(t, p, slot)
		if err := end.do(); err != nil {
			t.Fatal(err)
		}
		wantCode(t, end.name+": a session of C_*", other.Close(), ck.CKR_SESSION_HANDLE_INVALID)
		mechanism := ck.Mechanism{Type: ck.CKM_AES_ECB}
		if err := own.EncryptInit(&mechanism, key); err != nil {
			t.Errorf("%s: the other interface's key: %v", end.name, err)
		}
		if err := own.SessionCancel(ck.CKF_ENCRYPT); err != nil {
			t.Errorf("%s: the other interface's session: %v", end.name, err)
		}
	}
}

// Who waits for a token to come is let go by C_Finalize.
func TestLeaveEndsWaiting(t *testing.T) {
	p, _ := open(t)
	ended := make(chan error)
	go func() { ended <- p.WaitForSlotEvent(0) }()
	for end := time.After(10 * time.Second); ; {
		p.Leave() // until the other one waits
		select {
		case err := <-ended:
			wantCode(t, "WaitForSlotEvent", err, ck.CKR_CRYPTOKI_NOT_INITIALIZED)
			return
		case <-end:
			t.Fatal("WaitForSlotEvent hangs")
		case <-time.After(time.Millisecond):
		}
	}
}
