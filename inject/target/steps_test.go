package target_test

import (
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/inject/target"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

// at fails where the test has it fail.
func (f *failing) at(step string) error {
	if f.m.step == step {
		return ck.CKR_DEVICE_ERROR
	}
	return nil
}

func (f *failing) Generate(v guard.Vault, s *mech.Scheme, spec *guard.KeySpec, p *guard.Policy) (*guard.Key, error) {
	if err := f.at("generate " + p.KeyType.String()); err != nil {
		return nil, err
	}
	return f.Keys.Generate(v, s, spec, p)
}

func (f *failing) Attest(keys []guard.Ref, asked *guard.Asked) ([]byte, *seal.Attestation, error) {
	if err := f.at("attest"); err != nil {
		return nil, nil, err
	}
	return f.Keys.Attest(keys, asked)
}

func (f *failing) Import(v guard.Vault, given *guard.Material, p *guard.Policy) (*guard.Key, error) {
	if err := f.at("keep the note"); err != nil {
		return nil, err
	}
	return f.Keys.Import(v, given, p)
}

func (f *failing) Decapsulate(v guard.Vault, by guard.Ref, s *mech.Scheme, ciphertext []byte, spec *guard.KeySpec, p *guard.Policy) (*guard.Key, error) {
	if err := f.at("decapsulate"); err != nil {
		return nil, err
	}
	return f.Keys.Decapsulate(v, by, s, ciphertext, spec, p)
}

func (f *failing) Derive(v guard.Vault, base guard.Ref, s *mech.Scheme, spec *guard.KeySpec, p *guard.Policy) (*guard.Key, error) {
	if err := f.at("derive a key of type " + spec.KeyType.String() + " by " + s.Row.Type.String()); err != nil {
		return nil, err
	}
	return f.Keys.Derive(v, base, s, spec, p)
}

func (f *failing) Activate(v guard.Vault, blob, encrypted []byte, p *guard.Policy) (*guard.Key, error) {
	if err := f.at("activate"); err != nil {
		return nil, err
	}
	return f.Keys.Activate(v, blob, encrypted, p)
}

// Whichever step of making a target fails, nothing is left of it.
func TestMakeThatFails(t *testing.T) {
	m := newMachine(t)
	for _, m.step = range []string{"generate CKK_ML_KEM", "generate CKK_EC_MONTGOMERY", "attest", "keep the note"} {
		_, err := target.Make(m.Session, &target.Options{Expires: time.Now().Add(time.Hour)})
		if ck.Code(err) != ck.CKR_DEVICE_ERROR || m.state() != "0 0 0 0" {
			t.Errorf("%s: %v, the token has %s", m.step, err, m.state())
		}
	}
}

// Whichever step of an import fails, nothing of it is left, the secrets in between included, and the package is good still.
func TestImportThatFails(t *testing.T) {
	m := newMachine(t)
	p := read(t, sealed(t, inject.SealOptions{}, []*inject.Key{keyOf(t, "key", some(t)["p256"])}, m.target(target.Options{})))
	for _, m.step = range []string{
		"decapsulate", "derive a key of type CKK_GENERIC_SECRET by CKM_ECDH1_DERIVE", "activate", "derive a key of type CKK_GENERIC_SECRET by CKM_HKDF_DERIVE",
		"derive a key of type CKK_AES by CKM_HKDF_DERIVE", "keep the note",
	} {
		m.refused(m.step, p, &target.ImportOptions{}, ck.CKR_DEVICE_ERROR)
	}
	m.step = ""
	if _, err := target.Import(m.Session, p, &target.ImportOptions{}); err != nil || m.state() != "1 0 1 1" {
		t.Errorf("%v, the token has %s", err, m.state())
	}
}
