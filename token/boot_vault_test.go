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

// reset seals like a TPM: of what it sealed before it was reset, that is dead which was for one boot.
type reset struct {
	*pinseal.Sealer
	perBoot map[string]bool // sealed for a boot that is over, or is not
}

func (r *reset) Seal(master, auth *secret.Bytes, context []byte, terms *seal.Terms) ([]byte, error) {
	sealed, err := r.Sealer.Seal(master, auth, context, nil)
	if terms != nil && terms.PerBoot {
		r.perBoot[string(sealed)] = false
	}
	return sealed, err
}

func (r *reset) Unseal(sealed []byte, auth *secret.Bytes, context []byte) (*secret.Bytes, error) {
	if r.perBoot[string(sealed)] {
		return nil, seal.ErrDead
	}
	return r.Sealer.Unseal(sealed, auth, context)
}

func (r *reset) boot() {
	for sealed := range r.perBoot {
		r.perBoot[sealed] = true
	}
}

// overReset gives a provider whose guards isolate, over that TPM.
func overReset(t *testing.T, home string, r *reset) *token.Provider {
	t.Helper()
	p := providerOver(t, home, func(*store.Header) (guard.Keys, error) {
		return local.For(local.Client{Level: guard.Service, MaxKeys: 100}, r), nil
	})
	t.Cleanup(p.Close)
	return p
}

var perBoot = attr.Attribute{Type: ck.CKA_NCRYPT_PER_BOOT, Value: attr.Bool(true)}

// Keys that die with their boot stand beside keys that do not, in one token.
func TestKeysOfOneBoot(t *testing.T) {
	home, tpm := t.TempDir(), &reset{pinseal.New(cheap), map[string]bool{}}
	p := overReset(t, home, tpm)
	slot, err := p.Create(&token.Spec{Label: "test", NoLogin: true, UniqueNames: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := session(t, p, slot)
	for _, key := range []attr.Template{with(aesKey(true, true), labelled("stays")), with(aesKey(true, true), labelled("goes"), perBoot)} {
		if _, err := s.CreateObject(key); err != nil {
			t.Fatal(err)
		}
	}
	keysOfOneBoot(t, s, map[string]bool{"stays": true, "goes": true})
	again := session(t, overReset(t, home, tpm), slot) // another program, in the same boot
	keysOfOneBoot(t, again, map[string]bool{"stays": true, "goes": true})

	tpm.boot()
	s = session(t, overReset(t, home, tpm), slot)
	keysOfOneBoot(t, s, map[string]bool{"stays": true, "goes": false})
	_, err = s.CreateObject(with(aesKey(true, true), labelled("goes"), perBoot))
	wantTaken(t, "its name", err)
	_, err = s.CreateObject(with(aesKey(true, true), labelled("goes"), perBoot, overwrite))
	wantCode(t, "another one in its place", err, ck.CKR_OK)
	keysOfOneBoot(t, s, map[string]bool{"stays": true, "goes": true})
	keysOfOneBoot(t, session(t, overReset(t, home, tpm), slot), map[string]bool{"stays": true, "goes": true})
}

// keysOfOneBoot checks of keys, by their label, whether they can be used.
func keysOfOneBoot(t *testing.T, s *token.Session, usable map[string]bool) {
	t.Helper()
	for label, want := range usable {
		keys := found(t, s, labelled(label))
		if len(keys) != 1 {
			t.Fatalf("%d keys %q", len(keys), label)
		}
		readings := []token.Reading{{Type: ck.CKA_NCRYPT_USABLE}, {Type: ck.CKA_NCRYPT_PER_BOOT}}
		wantCode(t, "attributes", s.GetAttributes(keys[0], readings, func() {}), ck.CKR_OK)
		if got := readings[0].Value[0] == 1; got != want {
			t.Errorf("%s: CKA_NCRYPT_USABLE is %v", label, got)
		}
		if got := readings[1].Value[0] == 1; got != (label == "goes") {
			t.Errorf("%s: CKA_NCRYPT_PER_BOOT is %v", label, got)
		}
		if n := len(found(t, s, labelled(label), attr.Attribute{Type: ck.CKA_NCRYPT_USABLE, Value: attr.Bool(want)})); n != 1 {
			t.Errorf("%s: %d are found as usable: %v", label, n, want)
		}
		code := ck.RV(ck.CKR_OK)
		if !want {
			code = ck.CKR_DEVICE_ERROR
		}
		wantCode(t, label, s.EncryptInit(&ck.Mechanism{Type: ck.CKM_AES_ECB}, keys[0]), code)
		wantCode(t, "cancel", s.SessionCancel(ck.CKF_ENCRYPT), ck.CKR_OK)
	}
}

// What nobody can promise is refused, and nothing is left of it.
func TestKeysOfOneBootRefused(t *testing.T) {
	_, s := open(t)
	wantCode(t, "login", s.Login(ck.CKU_USER, pin(userPIN)), ck.CKR_OK)
	for _, prefer := range []bool{false, true} {
		key := with(aesKey(true, true), perBoot)
		if prefer {
			key = with(key, attr.Attribute{Type: ck.CKA_NCRYPT_PROTECTION, Value: attr.ULong(1)})
		}
		_, err := s.CreateObject(key)
		wantCode(t, "in software", err, ck.CKR_FUNCTION_REJECTED)
	}
	p := overReset(t, t.TempDir(), &reset{pinseal.New(cheap), map[string]bool{}})
	slot, err := p.Create(&token.Spec{Label: "test"}, pin(soPIN))
	if err != nil {
		t.Fatal(err)
	}
	s = session(t, p, slot)
	setUserPIN(t, s)
	wantCode(t, "login", s.Login(ck.CKU_USER, pin(userPIN)), ck.CKR_OK)
	_, err = s.CreateObject(with(aesKey(true, true), perBoot))
	wantCode(t, "private, behind a PIN", err, ck.CKR_TEMPLATE_INCONSISTENT)
	_, err = s.CreateObject(with(aesKey(false, true), perBoot))
	wantCode(t, "that anybody may use", err, ck.CKR_OK)
	if n := len(found(t, s, labelled("a key"))); n != 1 {
		t.Errorf("%d keys", n)
	}
}
