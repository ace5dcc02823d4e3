package token_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/local"
	"github.com/ncrypt11/ncrypt11/token/seal/pinseal"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// C_Finalize while another thread is inside C_InitToken: both return.
func TestCloseWhileATokenIsMade(t *testing.T) {
	home := t.TempDir()
	inside, goOn := make(chan struct{}), make(chan struct{})
	p := providerOver(t, home, func(*store.Header) (guard.Keys, error) {
		close(inside)
		<-goOn
		return local.New(pinseal.New(cheap)), nil
	})
	slots, err := p.SlotList(true)
	if err != nil {
		t.Fatal(err)
	}
	made, closed := make(chan error, 1), make(chan struct{})
	go func() { made <- p.InitToken(slots[0], pin(soPIN), "late") }()
	<-inside
	go func() { p.Close(); close(closed) }()
	wantCode(t, "WaitForSlotEvent", p.WaitForSlotEvent(0), ck.CKR_CRYPTOKI_NOT_INITIALIZED) // Close has begun
	time.Sleep(20 * time.Millisecond)                                                       // and waits for the call
	close(goOn)
	timeout := time.After(10 * time.Second)
	select {
	case <-closed:
	case <-timeout:
		t.Fatal("Close hangs")
	}
	select {
	case err := <-made:
		wantCode(t, "InitToken", err, ck.CKR_OK)
	case <-timeout:
		t.Fatal("InitToken hangs")
	}
}

// A call that found the provider just before it was closed opens nothing behind its back.
func TestNothingOpensAfterClose(t *testing.T) {
	p := provider(t, t.TempDir())
	slot, err := p.Create(&token.Spec{Label: "test", NoLogin: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	slots, err := p.SlotList(true)
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	_, err = p.OpenSession(slot, ck.CKF_SERIAL_SESSION)
	wantCode(t, "OpenSession", err, ck.CKR_CRYPTOKI_NOT_INITIALIZED)
	_, err = p.TokenInfo(slot)
	wantCode(t, "TokenInfo", err, ck.CKR_CRYPTOKI_NOT_INITIALIZED)
	wantCode(t, "InitToken", p.InitToken(slots[len(slots)-1], pin(soPIN), "late"), ck.CKR_CRYPTOKI_NOT_INITIALIZED)
}

// boardOf is a Board that looks on.
type boardOf struct{ closed func(ck.SessionHandle) }

func (boardOf) Idle(ck.SessionHandle)       {}
func (boardOf) Claim(ck.SessionHandle) bool { return true }
func (b boardOf) Closed(h ck.SessionHandle) { b.closed(h) }

// The board has one place for each session, by the low bits of its handle. A session that is opened while another closes must not get
// the other's place before the other has written to it for the last time.
func TestAPlaceOnTheBoardIsTheClosersToTheEnd(t *testing.T) {
	p := provider(t, t.TempDir())
	defer p.Close()
	const place = 1<<15 - 1
	var slot ck.SlotID
	opened := 0
	p.SetBoard(boardOf{closed: func(h ck.SessionHandle) {
		if opened++; opened > 1 {
			return
		}
		next, err := p.OpenSession(slot, ck.CKF_SERIAL_SESSION)
		if err != nil {
			t.Error(err)
		}
		if next&place == h&place {
			t.Errorf("%#x has the place of %#x, which is still closing", next, h)
		}
	}})
	var err error
	if slot, err = p.Create(&token.Spec{Label: "test", NoLogin: true}, nil); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "close", session(t, p, slot).Close(), ck.CKR_OK)
}

// closeCounter is a guard that counts its end.
type closeCounter struct {
	guard.Keys
	open *atomic.Int32
}

func (k closeCounter) Close() error {
	k.open.Add(-1)
	return k.Keys.Close()
}

func TestEveryGuardIsClosed(t *testing.T) {
	home := t.TempDir()
	var given, open atomic.Int32
	p := providerOver(t, home, func(*store.Header) (guard.Keys, error) {
		given.Add(1)
		open.Add(1)
		return closeCounter{local.New(pinseal.New(cheap)), &open}, nil
	})
	slot, err := p.Create(&token.Spec{Label: "test", Policy: store.PolicySoftware}, pin(soPIN))
	if err != nil {
		t.Fatal(err)
	}
	s := session(t, p, slot)
	setUserPIN(t, s)
	if _, err := s.CreateObject(aesKey(false, false)); err != nil {
		t.Fatal(err)
	}
	p.Close()
	if given.Load() == 0 || open.Load() != 0 {
		t.Errorf("of %d guards %d are still open", given.Load(), open.Load())
	}
}

// C_GetTokenInfo and C_GetSlotList do not wait for a guard that keeps a login waiting.
func TestALoginHoldsUpNobodyElse(t *testing.T) {
	inside, goOn := make(chan struct{}), make(chan struct{})
	var dead bool
	var waits atomic.Bool
	p := isolated(t, t.TempDir(), &dead, func(g guard.Keys) guard.Keys {
		if waits.Load() {
			close(inside)
			<-goOn
		}
		return g
	})
	slot, err := p.Create(&token.Spec{Label: "test"}, pin(soPIN))
	if err != nil {
		t.Fatal(err)
	}
	s := session(t, p, slot)
	waits.Store(true)
	loggedIn := make(chan error, 1)
	go func() { loggedIn <- s.Login(ck.CKU_SO, pin(soPIN)) }()
	<-inside
	asked := make(chan error, 1)
	go func() {
		info, err := p.TokenInfo(slot)
		if err == nil && info.Sessions != 1 {
			t.Errorf("%d sessions", info.Sessions)
		}
		if _, listErr := p.SlotList(true); err == nil {
			err = listErr
		}
		asked <- err
	}()
	select {
	case err := <-asked:
		wantCode(t, "TokenInfo and SlotList", err, ck.CKR_OK)
	case <-time.After(10 * time.Second):
		t.Error("they wait for the login")
	}
	close(goOn)
	wantCode(t, "login", <-loggedIn, ck.CKR_OK)
}
