package local_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/rsa"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/inject/attest/softtpm"
	"github.com/ncrypt11/ncrypt11/minidriver/message"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/local"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/seal/pinseal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// chip keeps the terms of what it seals, and vouches, as a TPM does. What it sealed opens in every guard of the machine.
type chip struct {
	*pinseal.Sealer
	*softtpm.TPM
	kept map[string]*seal.Terms
}

func (c *chip) Seal(master, auth *secret.Bytes, context []byte, terms *seal.Terms) ([]byte, error) {
	sealed, err := c.Sealer.Seal(master, auth, context, nil)
	c.kept[string(sealed)] = terms
	return sealed, err
}

func (c *chip) Terms(sealed []byte) (*seal.Terms, error) { return c.kept[string(sealed)], nil }

// machine is a guard at each level, over one chip.
func machine(t *testing.T) (process, service *fixture) {
	t.Helper()
	tpm, err := softtpm.New()
	if err != nil {
		t.Fatal(err)
	}
	c := &chip{pinseal.New(pinseal.WithCost(pinseal.Cost{Passes: 1, KiB: 8, Threads: 1})), tpm, map[string]*seal.Terms{}}
	at := func(level guard.Level) *fixture {
		f := &fixture{T: t, Keys: local.For(local.Client{Level: level, MaxKeys: 100}, c)}
		if f.vault, f.sealed, err = f.NewMaster(pin(), context, &seal.Terms{Apart: true}); err != nil { // who asks for it gets nothing by that
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	return at(guard.Process), at(guard.Service)
}

func (f *fixture) unlock(sealed []byte) guard.Vault {
	f.Helper()
	v, err := f.Unlock(sealed, pin(), context)
	if err != nil {
		f.Fatal(err)
	}
	return v
}

// stated is the level that the guard states of a key.
func (f *fixture) stated(ref guard.Ref) guard.Level {
	f.Helper()
	statement, _, err := f.Attest([]guard.Ref{ref}, &guard.Asked{Expires: time.Now().Add(time.Hour), Context: make([]byte, 32)})
	if err != nil {
		f.Fatal(err)
	}
	s, err := guard.DecodeStatement(statement)
	if err != nil {
		f.Fatal(err)
	}
	return s.Level
}

// Who started a guard has the master keys that it made. When another guard opens them later, what it keeps under them is not out of his reach, and it does not say so.
func TestMasterKeysOfALowerLevel(t *testing.T) {
	process, service := machine(t)
	policy := confining(ck.CKO_PRIVATE_KEY, ck.CKK_EC_MONTGOMERY, guard.UseDerive)
	spec := &guard.KeySpec{KeyType: ck.CKK_EC_MONTGOMERY, ECParams: pubkey.X25519.Params}
	k1 := process.generate(process.vault, ck.CKM_EC_MONTGOMERY_KEY_PAIR_GEN, spec, policy)
	if level := process.stated(k1.Ref); level != guard.Process {
		t.Errorf("a guard of level process states %v", level)
	}
	lower := service.unlock(process.sealed)
	ref, err := service.Load(lower, k1.Record)
	want(t, "load", err, ck.CKR_OK)
	if level := service.stated(ref); level != guard.Process {
		t.Errorf("of a key that was made at level process, a guard of level service states %v", level)
	}
	generate := service.scheme(ck.CKM_EC_MONTGOMERY_KEY_PAIR_GEN, nil, mech.OpGenerateKeyPair)
	_, err = service.Generate(lower, generate, spec, policy)
	want(t, "a confining key under that master key", err, ck.CKR_FUNCTION_REJECTED)

	again := service.unlock(service.sealed)
	own, err := service.Generate(again, generate, spec, policy)
	want(t, "one under its own", err, ck.CKR_OK)
	if level := service.stated(own.Ref); level != guard.Service {
		t.Errorf("of its own key it states %v", level)
	}
	passing, err := service.Generate(0, generate, spec, policy)
	want(t, "one in memory", err, ck.CKR_OK)
	_, err = service.Reissue(lower, passing.Ref, policy)
	want(t, "one in memory, kept", err, ck.CKR_FUNCTION_REJECTED)
}

// What comes out of a confining key does not get under such a master key either, nor does a copy of it.
func TestWhatIsUnwrappedStays(t *testing.T) {
	process, f := machine(t)
	lower := f.unlock(process.sealed)
	own := f.importKey(0, confining(ck.CKO_SECRET_KEY, ck.CKK_AES, guard.UseUnwrap), part(ck.CKA_VALUE, bytes.Clone(someKey))).Ref
	wrapped, err := f.Wrap(nil, f.secretKey(ck.CKK_AES, someKey), f.scheme(ck.CKM_AES_GCM, gcmParams, mech.OpWrap), f.secretKey(ck.CKK_AES, someKey))
	want(t, "wrap", err, ck.CKR_OK)
	k2 := all(ck.CKO_SECRET_KEY, ck.CKK_AES)
	k2.Sensitive, k2.Extractable = true, false
	unwrap := func(v guard.Vault) (*guard.Key, error) {
		return f.Unwrap(v, own, f.scheme(ck.CKM_AES_GCM, gcmParams, mech.OpUnwrap), wrapped, &guard.KeySpec{KeyType: ck.CKK_AES}, k2)
	}
	_, err = unwrap(lower)
	want(t, "unwrapped", err, ck.CKR_FUNCTION_REJECTED)
	_, err = unwrap(f.vault)
	want(t, "unwrapped under a master key of its own", err, ck.CKR_OK)
	passing, err := unwrap(0)
	want(t, "unwrapped into memory", err, ck.CKR_OK)
	for range 2 { // a copy, and a copy's
		_, err = f.Reissue(lower, passing.Ref, k2)
		want(t, "copied", err, ck.CKR_FUNCTION_REJECTED)
		passing, err = f.Reissue(0, passing.Ref, k2)
		want(t, "copied into memory", err, ck.CKR_OK)
	}
	peer, err := ecdh.X25519().GenerateKey(rand.Reader)
	want(t, "a peer", err, ck.CKR_OK)
	x := f.generateOn(pubkey.X25519, confining(ck.CKO_PRIVATE_KEY, ck.CKK_EC_MONTGOMERY, guard.UseDerive)).Ref
	agree := f.scheme(ck.CKM_ECDH1_DERIVE, ck.ECDH1Params{KDF: ck.CKD_NULL, PublicData: peer.PublicKey().Bytes()}, mech.OpDerive)
	_, err = f.Derive(lower, x, agree, &guard.KeySpec{KeyType: ck.CKK_GENERIC_SECRET}, confining(ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET, guard.UseDerive))
	want(t, "agreed on", err, ck.CKR_FUNCTION_REJECTED)
}

// So it is with what smart cards know as secure key injection.
func TestInjectionUnderMasterKeysOfALowerLevel(t *testing.T) {
	process, f := machine(t)
	lower := f.unlock(process.sealed)
	bits := &guard.KeySpec{KeyType: ck.CKK_RSA, Bits: 1024}
	generate := f.scheme(ck.CKM_RSA_PKCS_KEY_PAIR_GEN, nil, mech.OpGenerateKeyPair)
	_, err := f.Generate(lower, generate, bits, k1Policy())
	want(t, "K1", err, ck.CKR_FUNCTION_REJECTED)
	passing := f.generateRSA(0, k1Policy())
	_, err = f.Reissue(lower, passing.Ref, k1Policy())
	want(t, "a copy of K1", err, ck.CKR_FUNCTION_REJECTED)

	old := process.generateRSA(process.vault, k1Policy())
	ref, err := f.Load(lower, old.Record)
	want(t, "load", err, ck.CKR_OK)
	_, err = f.session(ref, skiPKCS, v15(t, f.public(old, ck.CKK_RSA).(*rsa.PublicKey), keyData(s1)), s1Policy())
	want(t, "S1 under such a K1", err, ck.CKR_FUNCTION_REJECTED)

	session, err := f.session(passing.Ref, skiPKCS, v15(t, f.public(passing, ck.CKK_RSA).(*rsa.PublicKey), keyData(s1)), s1Policy())
	want(t, "S1", err, ck.CKR_OK)
	_, ec := k2EC(t)
	k2 := func(v guard.Vault) (*guard.Key, error) {
		return f.Unwrap(v, session.Ref, f.scheme(ck.CKM_NCRYPT_SKI_IMPORT_KEYPAIR, iv, mech.OpUnwrap), cbcSealed(t, keyPairMessage(message.AT_ECDSA_P256, 256, ec), nil),
			&guard.KeySpec{KeyType: ck.CKK_EC}, k2Policy(ck.CKK_EC))
	}
	_, err = k2(lower)
	want(t, "K2", err, ck.CKR_FUNCTION_REJECTED)
	inMemory, err := k2(0)
	want(t, "K2 in memory", err, ck.CKR_OK)
	_, err = f.Reissue(lower, inMemory.Ref, k2Policy(ck.CKK_EC))
	want(t, "a copy of K2", err, ck.CKR_FUNCTION_REJECTED)
	_, err = k2(f.vault)
	want(t, "K2 where it may be", err, ck.CKR_OK)
}
