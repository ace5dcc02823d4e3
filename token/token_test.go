package token_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/local"
	"github.com/ncrypt11/ncrypt11/token/seal/pinseal"
	"github.com/ncrypt11/ncrypt11/token/secret"
	"github.com/ncrypt11/ncrypt11/token/store"
)

const (
	userPIN = "1234"
	soPIN   = "12345678"
)

// cheap makes PINs cost nothing: what a PIN costs is tested in pinseal.
var cheap = pinseal.WithCost(pinseal.Cost{Passes: 1, KiB: 8, Threads: 1})

func provider(t *testing.T, home string) *token.Provider {
	t.Helper()
	return providerOver(t, home, func(*store.Header) (guard.Keys, error) { return local.New(pinseal.New(cheap)), nil })
}

// providerOver makes a provider over the guards of a test. The caller closes it.
func providerOver(t *testing.T, home string, guardFor token.GuardFor) *token.Provider {
	t.Helper()
	cfg, err := config.Load(func(name string) string { return map[string]string{"NCRYPT11_HOME": home}[name] })
	if err != nil {
		t.Fatal(err)
	}
	p, err := token.New(cfg, guardFor)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func pin(text string) *secret.Bytes { return secret.Copy([]byte(text)) }

// open makes a provider with one token that has both PINs, and opens a session.
func open(t *testing.T) (*token.Provider, *token.Session) {
	t.Helper()
	p := provider(t, t.TempDir())
	t.Cleanup(p.Close)
	slot, err := p.Create(&token.Spec{Label: "test", Policy: store.PolicySoftware}, pin(soPIN))
	if err != nil {
		t.Fatal(err)
	}
	s := session(t, p, slot)
	for _, err := range []error{s.Login(ck.CKU_SO, pin(soPIN)), s.InitPIN(pin(userPIN)), s.Logout()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return p, s
}

func session(t *testing.T, p *token.Provider, slot ck.SlotID) *token.Session {
	t.Helper()
	h, err := p.OpenSession(slot, ck.CKF_SERIAL_SESSION|ck.CKF_RW_SESSION)
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Session(h)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func wantCode(t *testing.T, what string, err error, want ck.RV) {
	t.Helper()
	if ck.Code(err) != want {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func aesKey(private, isToken bool) attr.Template {
	return attr.Template{
		{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_SECRET_KEY))},
		{Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(ck.CKK_AES))},
		{Type: ck.CKA_VALUE, Value: make([]byte, 16)},
		{Type: ck.CKA_ENCRYPT, Value: attr.Bool(true)},
		{Type: ck.CKA_TOKEN, Value: attr.Bool(isToken)},
		{Type: ck.CKA_PRIVATE, Value: attr.Bool(private)},
		{Type: ck.CKA_LABEL, Value: []byte("a key")},
	}
}

func TestWrongPINsLockAndTheOfficerUnlocks(t *testing.T) {
	p, s := open(t)
	for i := range 10 {
		wantCode(t, fmt.Sprintf("wrong PIN %d", i+1), s.Login(ck.CKU_USER, pin("9999")), ck.CKR_PIN_INCORRECT)
		info, err := p.TokenInfo(s.Info().SlotID)
		if err != nil {
			t.Fatal(err)
		}
		want := ck.Flags(ck.CKF_USER_PIN_COUNT_LOW)
		switch i + 1 {
		case 9:
			want |= ck.CKF_USER_PIN_FINAL_TRY
		case 10:
			want = ck.CKF_USER_PIN_LOCKED
		}
		if got := info.Flags & (ck.CKF_USER_PIN_COUNT_LOW | ck.CKF_USER_PIN_FINAL_TRY | ck.CKF_USER_PIN_LOCKED); got != want {
			t.Errorf("after %d wrong PINs: flags %#x, want %#x", i+1, got, want)
		}
	}
	wantCode(t, "right PIN of a locked user", s.Login(ck.CKU_USER, pin(userPIN)), ck.CKR_PIN_LOCKED)
	wantCode(t, "officer", s.Login(ck.CKU_SO, pin(soPIN)), ck.CKR_OK)
	wantCode(t, "new user PIN", s.InitPIN(pin("4321")), ck.CKR_OK)
	wantCode(t, "logout", s.Logout(), ck.CKR_OK)
	wantCode(t, "new PIN", s.Login(ck.CKU_USER, pin("4321")), ck.CKR_OK)
}

func TestKeysOutliveAPINThatTheOfficerReplaced(t *testing.T) {
	_, s := open(t)
	wantCode(t, "login", s.Login(ck.CKU_USER, pin(userPIN)), ck.CKR_OK)
	if _, err := s.CreateObject(aesKey(true, true)); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "logout", s.Logout(), ck.CKR_OK)
	wantCode(t, "officer", s.Login(ck.CKU_SO, pin(soPIN)), ck.CKR_OK)
	wantCode(t, "new user PIN", s.InitPIN(pin("4321")), ck.CKR_OK)
	wantCode(t, "logout", s.Logout(), ck.CKR_OK)
	wantCode(t, "login", s.Login(ck.CKU_USER, pin("4321")), ck.CKR_OK)
	key := findOne(t, s)
	wantCode(t, "use", s.EncryptInit(&ck.Mechanism{Type: ck.CKM_AES_ECB}, key), ck.CKR_OK)
	if _, err := s.Encrypt(make([]byte, 16), token.Output{Buf: make([]byte, 16)}); err != nil {
		t.Fatal(err)
	}
}

func findOne(t *testing.T, s *token.Session) ck.ObjectHandle {
	t.Helper()
	if err := s.FindObjectsInit(attr.Template{{Type: ck.CKA_LABEL, Value: []byte("a key")}}); err != nil {
		t.Fatal(err)
	}
	found, err := s.FindObjects(2)
	if err != nil || len(found) != 1 {
		t.Fatalf("found %v, %v", found, err)
	}
	if err := s.FindObjectsFinal(); err != nil {
		t.Fatal(err)
	}
	return found[0]
}

func TestLogoutEndsPrivateThings(t *testing.T) {
	_, s := open(t)
	wantCode(t, "login", s.Login(ck.CKU_USER, pin(userPIN)), ck.CKR_OK)
	stored, err := s.CreateObject(aesKey(true, true))
	if err != nil {
		t.Fatal(err)
	}
	sessionKey, err := s.CreateObject(aesKey(true, false))
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, "init", s.EncryptInit(&ck.Mechanism{Type: ck.CKM_AES_ECB}, stored), ck.CKR_OK)
	wantCode(t, "logout", s.Logout(), ck.CKR_OK)
	_, err = s.Encrypt(make([]byte, 16), token.Output{Buf: make([]byte, 16)})
	wantCode(t, "an operation of before", err, ck.CKR_OPERATION_NOT_INITIALIZED)
	wantCode(t, "login again", s.Login(ck.CKU_USER, pin(userPIN)), ck.CKR_OK)
	for _, dead := range []ck.ObjectHandle{stored, sessionKey} {
		wantCode(t, "a handle of before", s.EncryptInit(&ck.Mechanism{Type: ck.CKM_AES_ECB}, dead), ck.CKR_KEY_HANDLE_INVALID)
	}
	if h := findOne(t, s); h == stored {
		t.Error("a handle of before the logout is alive again")
	}
}

func TestInitTokenLeavesNothing(t *testing.T) {
	p, s := open(t)
	slot := s.Info().SlotID
	wantCode(t, "login", s.Login(ck.CKU_USER, pin(userPIN)), ck.CKR_OK)
	if _, err := s.CreateObject(aesKey(false, true)); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "with a session open", p.InitToken(slot, pin(soPIN), "again"), ck.CKR_SESSION_EXISTS)
	wantCode(t, "close", s.Close(), ck.CKR_OK)
	wantCode(t, "with a wrong PIN", p.InitToken(slot, pin("87654321"), "again"), ck.CKR_PIN_INCORRECT)
	wantCode(t, "InitToken", p.InitToken(slot, pin(soPIN), "again"), ck.CKR_OK)
	s = session(t, p, slot)
	wantCode(t, "the user's PIN", s.Login(ck.CKU_USER, pin(userPIN)), ck.CKR_USER_PIN_NOT_INITIALIZED)
	wantCode(t, "find", s.FindObjectsInit(attr.Template{{Type: ck.CKA_LABEL, Value: []byte("a key")}}), ck.CKR_OK)
	if found, _ := s.FindObjects(1); len(found) != 0 {
		t.Error("an object of before is found")
	}
}

func TestTwoProvidersShareAToken(t *testing.T) {
	home := t.TempDir()
	first := provider(t, home)
	defer first.Close()
	slot, err := first.Create(&token.Spec{Label: "shared", NoLogin: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	second := provider(t, home)
	defer second.Close()
	a, b := session(t, first, slot), session(t, second, slot)
	wantCode(t, "an empty token", b.FindObjectsInit(nil), ck.CKR_OK)
	wantCode(t, "final", b.FindObjectsFinal(), ck.CKR_OK)
	key, err := a.CreateObject(aesKey(true, true))
	if err != nil {
		t.Fatal(err)
	}
	seen := findOne(t, b)
	wantCode(t, "destroy", a.DestroyObject(key), ck.CKR_OK)
	wantCode(t, "use of what is gone", b.EncryptInit(&ck.Mechanism{Type: ck.CKM_AES_ECB}, seen), ck.CKR_KEY_HANDLE_INVALID)
}

// TestEverythingAtOnce has threads do what they please with one token: no call may hang, race or give another answer than these.
func TestEverythingAtOnce(t *testing.T) {
	p, s := open(t)
	slot := s.Info().SlotID
	expected := []ck.RV{
		ck.CKR_USER_NOT_LOGGED_IN, ck.CKR_USER_ALREADY_LOGGED_IN, ck.CKR_KEY_HANDLE_INVALID, ck.CKR_OBJECT_HANDLE_INVALID,
		ck.CKR_OPERATION_NOT_INITIALIZED, ck.CKR_SESSION_HANDLE_INVALID,
	}
	check := func(what string, err error) {
		for _, rv := range expected {
			if err == nil || errors.Is(err, rv) {
				return
			}
		}
		t.Errorf("%s: %v", what, err)
	}
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for range 40 {
				h, err := p.OpenSession(slot, ck.CKF_SERIAL_SESSION|ck.CKF_RW_SESSION)
				if err != nil {
					t.Errorf("open: %v", err)
					return
				}
				s, err := p.Session(h)
				if err != nil {
					t.Errorf("session: %v", err)
					return
				}
				check("login", s.Login(ck.CKU_USER, pin(userPIN)))
				key, err := s.CreateObject(aesKey(true, false))
				check("create", err)
				check("init", s.EncryptInit(&ck.Mechanism{Type: ck.CKM_AES_ECB}, key))
				_, err = s.Encrypt(make([]byte, 16), token.Output{Buf: make([]byte, 16)})
				check("encrypt", err)
				check("destroy", s.DestroyObject(key))
				check("logout", s.Logout())
				check("close", s.Close())
			}
		})
	}
	wg.Wait()
}

func TestATokenThatIsNotOursIsPassedOver(t *testing.T) {
	home := t.TempDir()
	p := provider(t, home)
	slot, err := p.Create(&token.Spec{Label: "good", NoLogin: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	junk := filepath.Join(home, "tokens", "0123456789abcdef")
	if err := os.Mkdir(junk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(junk, "token.db"), []byte("not a database"), 0o600); err != nil {
		t.Fatal(err)
	}
	p = provider(t, home)
	defer p.Close()
	slots, err := p.SlotList(true)
	if err != nil || len(slots) != 3 {
		t.Fatalf("slots %v, %v: want the good token, the junk and the fresh slot", slots, err)
	}
	if _, err := p.TokenInfo(slot); err != nil {
		t.Errorf("the good token: %v", err)
	}
	_, err = p.OpenSession(slots[1], ck.CKF_SERIAL_SESSION)
	if slots[1] == slot {
		_, err = p.OpenSession(slots[0], ck.CKF_SERIAL_SESSION)
	}
	wantCode(t, "the junk", err, ck.CKR_DEVICE_ERROR)
}
