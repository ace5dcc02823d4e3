package token_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/local"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/seal/pinseal"
	"github.com/ncrypt11/ncrypt11/token/secret"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// mortal seals like a TPM that is reset where dead is set: what it sealed before is over.
type mortal struct {
	*pinseal.Sealer
	dead *bool
}

func (m mortal) Seal(master, auth *secret.Bytes, context []byte, terms *seal.Terms) ([]byte, error) {
	*m.dead = false
	return m.Sealer.Seal(master, auth, context, nil)
}

func (m mortal) Unseal(sealed []byte, auth *secret.Bytes, context []byte) (*secret.Bytes, error) {
	if *m.dead {
		return nil, seal.ErrDead
	}
	return m.Sealer.Unseal(sealed, auth, context)
}

// isolated gives a provider of tokens that have an isolating guard, and what wrap makes of it.
func isolated(t *testing.T, home string, dead *bool, wrap func(guard.Keys) guard.Keys) *token.Provider {
	t.Helper()
	p := providerOver(t, home, func(*store.Header) (guard.Keys, error) {
		return wrap(local.For(local.Client{Level: guard.Service, MaxKeys: 100}, mortal{pinseal.New(cheap), dead})), nil
	})
	t.Cleanup(p.Close)
	return p
}

func asIs(g guard.Keys) guard.Keys { return g }

// killBoot has a token say that it was made in another boot.
func killBoot(t *testing.T, home string) {
	t.Helper()
	st := onlyStore(t, home)
	defer st.Close()
	if err := st.UpdateHeader(func(h *store.Header) error { h.Options["boot"] = "another"; return nil }); err != nil {
		t.Fatal(err)
	}
}

// A per-boot token after its boot: what is left can be seen, nothing can be used, and C_InitToken makes it good, here or elsewhere.
func TestATokenWhoseBootIsOver(t *testing.T) {
	for _, byTPM := range []bool{true, false} {
		for _, elsewhere := range []bool{true, false} {
			var dead bool
			home := t.TempDir()
			p := isolated(t, home, &dead, asIs)
			slot, err := p.Create(&token.Spec{Label: "test", PerBoot: true}, pin(soPIN))
			if err != nil {
				t.Fatal(err)
			}
			s := session(t, p, slot)
			setUserPIN(t, s)
			if _, err := s.CreateObject(aesKey(false, true)); err != nil {
				t.Fatal(err)
			}
			wantUsable(t, s, true)
			wantCode(t, "close", s.Close(), ck.CKR_OK)

			p = isolated(t, home, &dead, asIs)
			if dead = byTPM; !byTPM {
				killBoot(t, home)
			}
			s = session(t, p, slot)
			deadToken(t, s)
			makeGood(t, p, s, home, &dead, elsewhere)
		}
	}
}

func deadToken(t *testing.T, s *token.Session) {
	t.Helper()
	wantUsable(t, s, false)
	key := findOne(t, s)
	wantCode(t, "EncryptInit", s.EncryptInit(&ck.Mechanism{Type: ck.CKM_AES_ECB}, key), ck.CKR_DEVICE_ERROR)
	wantCode(t, "SetPIN", s.SetPIN(pin(userPIN), pin("4321")), ck.CKR_DEVICE_ERROR)
	wantCode(t, "login", s.Login(ck.CKU_SO, pin(soPIN)), ck.CKR_OK)
	wantCode(t, "InitPIN", s.InitPIN(pin("4321")), ck.CKR_DEVICE_ERROR)
	wantCode(t, "logout", s.Logout(), ck.CKR_OK)
	wantCode(t, "login", s.Login(ck.CKU_USER, pin(userPIN)), ck.CKR_OK)
	for _, private := range []bool{true, false} {
		_, err := s.CreateObject(aesKey(private, true))
		wantCode(t, "a new token key", err, ck.CKR_DEVICE_ERROR)
	}
	wantCode(t, "label", s.SetAttributes(key, attr.Template{{Type: ck.CKA_LABEL, Value: []byte("a key")}}), ck.CKR_OK)
}

// makeGood initializes the token again, in this process or in another.
func makeGood(t *testing.T, p *token.Provider, s *token.Session, home string, dead *bool, elsewhere bool) {
	t.Helper()
	slot := s.Info().SlotID
	other := p
	if elsewhere {
		other = isolated(t, home, dead, asIs)
	} else {
		wantCode(t, "close", s.Close(), ck.CKR_OK)
	}
	wantCode(t, "InitToken", other.InitToken(slot, pin(soPIN), "again"), ck.CKR_OK)
	if !elsewhere {
		s = session(t, p, slot)
	}
	if _, err := s.CreateObject(aesKey(false, true)); err != nil {
		t.Errorf("after C_InitToken: %v", err)
		return
	}
	wantUsable(t, s, true)
}

// wantUsable asks for CKA_NCRYPT_USABLE and searches by it.
func wantUsable(t *testing.T, s *token.Session, want bool) {
	t.Helper()
	reading := []token.Reading{{Type: ck.CKA_NCRYPT_USABLE}}
	var usable bool
	err := s.GetAttributes(findOne(t, s), reading, func() { usable = reading[0].Value[0] == 1 })
	if err != nil || usable != want {
		t.Errorf("CKA_NCRYPT_USABLE is %v, want %v (%v)", usable, want, err)
	}
	for _, asked := range []bool{true, false} {
		wantCode(t, "search", s.FindObjectsInit(attr.Template{{Type: ck.CKA_NCRYPT_USABLE, Value: attr.Bool(asked)}}), ck.CKR_OK)
		found, err := s.FindObjects(9)
		if err != nil || len(found) != map[bool]int{true: 1, false: 0}[asked == want] {
			t.Errorf("a search for CKA_NCRYPT_USABLE %v where it is %v found %v, %v", asked, want, found, err)
		}
		wantCode(t, "final", s.FindObjectsFinal(), ck.CKR_OK)
	}
}

// stale is a guard that took the place of one that had the token open, after the TPM was reset.
type stale struct{ guard.Keys }

func (stale) Load(guard.Vault, []byte) (guard.Ref, error) {
	return 0, ck.Errorf(ck.CKR_DEVICE_ERROR, "%w", seal.ErrDead)
}

// A token that dies while it is open is known to be dead as soon as one of its keys is asked for.
func TestATokenThatDiesWhileItIsOpen(t *testing.T) {
	var dead bool
	home := t.TempDir()
	p := isolated(t, home, &dead, asIs)
	slot, err := p.Create(&token.Spec{Label: "test", PerBoot: true}, pin(soPIN))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := session(t, p, slot).CreateObject(aesKey(false, true)); err != nil {
		t.Fatal(err)
	}
	s := session(t, isolated(t, home, &dead, func(g guard.Keys) guard.Keys { return stale{g} }), slot)
	wantUsable(t, s, true)
	wantCode(t, "EncryptInit", s.EncryptInit(&ck.Mechanism{Type: ck.CKM_AES_ECB}, findOne(t, s)), ck.CKR_DEVICE_ERROR)
	wantUsable(t, s, false)
}
