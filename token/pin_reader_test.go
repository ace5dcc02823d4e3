package token_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// Who may read a token in software but not write it logs in with the PIN, uses no tries up, and is kept out where the PIN is locked.
func TestReadersLogIn(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user, who reads what is root's")
	}
	home, err := os.MkdirTemp("", "readers")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	if err := os.Chmod(home, 0o755); err != nil {
		t.Fatal(err)
	}
	owner := provider(t, home)
	slot, err := owner.Create(&token.Spec{Label: "test", Policy: store.PolicySoftware}, pin(soPIN))
	if err != nil {
		t.Fatal(err)
	}
	s := session(t, owner, slot)
	wantCode(t, "officer", s.Login(ck.CKU_SO, pin(soPIN)), ck.CKR_OK)
	wantCode(t, "the user's PIN", s.InitPIN(pin(userPIN)), ck.CKR_OK)
	wantCode(t, "logout", s.Logout(), ck.CKR_OK)
	dirs, err := filepath.Glob(filepath.Join(home, "tokens", "*"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("%v, %v", dirs, err)
	}
	if err := store.Share(dirs[0]); err != nil {
		t.Fatal(err)
	}

	asReader(t, home, slot, func(reader *token.Session) {
		for range 12 {
			wantCode(t, "a reader's wrong PIN", reader.Login(ck.CKU_USER, pin("9999")), ck.CKR_PIN_INCORRECT)
		}
		wantCode(t, "a reader's PIN", reader.Login(ck.CKU_USER, pin(userPIN)), ck.CKR_OK)
	})
	for range 10 {
		wantCode(t, "the owner's wrong PIN", s.Login(ck.CKU_USER, pin("9999")), ck.CKR_PIN_INCORRECT)
	}
	asReader(t, home, slot, func(reader *token.Session) {
		wantCode(t, "a reader's PIN where it is locked", reader.Login(ck.CKU_USER, pin(userPIN)), ck.CKR_PIN_LOCKED)
	})
	owner.Close()
}

// asReader is another user for a while, with a provider and a read-only session of his own.
func asReader(t *testing.T, home string, slot ck.SlotID, do func(*token.Session)) {
	t.Helper()
	if err := syscall.Seteuid(65534); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Seteuid(0); err != nil {
			t.Error(err)
		}
	}()
	p := provider(t, home)
	defer p.Close()
	h, err := p.OpenSession(slot, ck.CKF_SERIAL_SESSION)
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Session(h)
	if err != nil {
		t.Fatal(err)
	}
	do(s)
}
