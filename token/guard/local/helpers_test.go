package local_test

import (
	"crypto"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/local"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/seal/pinseal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

var context = []byte("token context")

// fixture is a guard with one unlocked vault.
type fixture struct {
	*testing.T
	*local.Keys
	vault  guard.Vault
	sealed []byte
}

func pin() *secret.Bytes { return secret.Copy([]byte("1234")) }

func setup(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{T: t, Keys: local.New(pinseal.New(pinseal.WithCost(pinseal.Cost{Passes: 1, KiB: 8, Threads: 1})))}
	var err error
	if f.vault, f.sealed, err = f.NewMaster(pin(), context, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// all is a policy that permits everything.
func all(class ck.ObjectClass, keyType ck.KeyType) *guard.Policy {
	return &guard.Policy{Class: class, KeyType: keyType, Usage: 1<<9 - 1, Extractable: true}
}

func (f *fixture) scheme(m ck.MechanismType, params any, op mech.Op) *mech.Scheme {
	f.Helper()
	s, err := mech.Parse(ck.Mechanism{Type: m, Params: params}, op)
	if err != nil {
		f.Fatalf("%v: %v", m, err)
	}
	return s
}

func part(t ck.AttributeType, value []byte) guard.Part { return guard.Part{Type: t, Value: value} }

func (f *fixture) importKey(v guard.Vault, p *guard.Policy, parts ...guard.Part) *guard.Key {
	f.Helper()
	k, err := f.Import(v, &guard.Material{Class: p.Class, KeyType: p.KeyType, Parts: parts}, p)
	if err != nil {
		f.Fatal(err)
	}
	return k
}

// secretKey imports a secret key that may do everything.
func (f *fixture) secretKey(keyType ck.KeyType, value []byte) guard.Ref {
	f.Helper()
	return f.importKey(0, all(ck.CKO_SECRET_KEY, keyType), part(ck.CKA_VALUE, value)).Ref
}

func (f *fixture) generate(v guard.Vault, m ck.MechanismType, spec *guard.KeySpec, p *guard.Policy) *guard.Key {
	f.Helper()
	op := mech.OpGenerateKeyPair
	if p.Class == ck.CKO_SECRET_KEY {
		op = mech.OpGenerate
	}
	k, err := f.Generate(v, f.scheme(m, nil, op), spec, p)
	if err != nil {
		f.Fatal(err)
	}
	return k
}

func (f *fixture) generateRSA(v guard.Vault, p *guard.Policy) *guard.Key {
	f.Helper()
	return f.generate(v, ck.CKM_RSA_PKCS_KEY_PAIR_GEN, &guard.KeySpec{KeyType: ck.CKK_RSA, Bits: 1024}, p)
}

func (f *fixture) generateEC(v guard.Vault, p *guard.Policy) *guard.Key {
	f.Helper()
	return f.generate(v, ck.CKM_EC_KEY_PAIR_GEN, &guard.KeySpec{KeyType: ck.CKK_EC, ECParams: pubkey.P256.Params}, p)
}

func get(parts []guard.Part) func(ck.AttributeType) []byte {
	return func(t ck.AttributeType) []byte {
		for _, p := range parts {
			if p.Type == t {
				return p.Value
			}
		}
		return nil
	}
}

// public is the public half as Go's crypto has it.
func (f *fixture) public(k *guard.Key, keyType ck.KeyType) crypto.PublicKey {
	f.Helper()
	p, err := pubkey.Parse(keyType, get(k.Public))
	if err != nil {
		f.Fatal(err)
	}
	return p
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// want checks an error's CK_RV.
func want(t testing.TB, what string, err error, rv ck.RV) {
	t.Helper()
	if rv == ck.CKR_OK && err != nil || rv != ck.CKR_OK && !errors.Is(err, rv) {
		t.Errorf("%s: %v, want %v", what, err, rv)
	}
}
