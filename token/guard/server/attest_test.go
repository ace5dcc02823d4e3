package server_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/events"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/remote"
	"github.com/ncrypt11/ncrypt11/token/guard/server"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// witness is a chip that vouches for statements.
type witness struct{ *chip }

func (w witness) Attest(statement []byte) (*seal.Attestation, error) {
	digest := sha256.Sum256(statement)
	return &seal.Attestation{
		EKCertificates: [][]byte{[]byte("EK certificate"), []byte("its issuer")}, EKPublic: []byte("EK"), AKPublic: []byte("AK"), KeyPublic: []byte("key"),
		Certified: []byte("certified"), Certificate: []byte("certificate"), Signature: digest[:],
	}, nil
}

func (w witness) Activate(blob, encrypted []byte) (*secret.Bytes, error) {
	if !bytes.Equal(encrypted, []byte("for this TPM")) {
		return nil, seal.ErrForeign
	}
	return secret.Copy(blob), nil
}

// openWitness opens the keys of a guard that has a witness.
func openWitness(t *testing.T, o server.Options) (*place, *remote.Keys) {
	t.Helper()
	o.Sealer = witness{newChip()}
	p := start(t, packets, o)
	keys, err := remote.Open(&remote.Endpoint{Address: "unix:" + p.path(packets)}, guard.Process)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keys.Close() })
	return p, keys
}

func asked() *guard.Asked {
	return &guard.Asked{Nonce: []byte("nonce"), Expires: time.Now().Add(time.Hour).Truncate(time.Second), Context: bytes.Repeat([]byte{1}, 32)}
}

func TestAttest(t *testing.T) {
	p, keys := openWitness(t, server.Options{UID: 4711})
	policy := all(ck.CKO_PRIVATE_KEY, ck.CKK_EC)
	policy.Sensitive, policy.Extractable = true, false
	pair, err := keys.Generate(0, scheme(t, ck.CKM_EC_KEY_PAIR_GEN, nil, mech.OpGenerateKeyPair), p256, policy)
	want(t, "generate", err, ck.CKR_OK)
	statement, by, err := keys.Attest([]guard.Ref{pair.Ref, pair.Ref}, asked())
	want(t, "attest", err, ck.CKR_OK)
	digest := sha256.Sum256(statement)
	if !bytes.Equal(by.Signature, digest[:]) || len(by.EKCertificates) != 2 || string(by.EKCertificates[1]) != "its issuer" || string(by.Certificate) != "certificate" {
		t.Errorf("the attestation came as %+v", by)
	}
	s, err := guard.DecodeStatement(statement)
	want(t, "decode", err, ck.CKR_OK)
	if age := time.Since(s.Made); s.Level != guard.Service || age < 0 || age > time.Minute || !s.Asked.Expires.Equal(asked().Expires) && len(s.Keys) == 2 {
		t.Errorf("%+v", s)
	}
	for _, part := range pair.Public {
		if part.Type == ck.CKA_PUBLIC_KEY_INFO && !bytes.Equal(part.Value, s.Keys[1].Public) {
			t.Errorf("a statement about %x, want %x", s.Keys[1].Public, part.Value)
		}
	}
	if stated := s.Keys[0].Policy; !stated.Confined || stated.Extractable || stated.Usage != policy.Usage {
		t.Errorf("%+v", stated)
	}
	if len(p.diary.of(events.Attest)) != 1 {
		t.Error("nothing was written down")
	}
	_, _, err = keys.Attest(nil, asked())
	want(t, "about nothing", err, ck.CKR_ARGUMENTS_BAD)
	aes, err := keys.Generate(0, scheme(t, ck.CKM_AES_KEY_GEN, nil, mech.OpGenerate), &guard.KeySpec{KeyType: ck.CKK_AES, ValueLen: 32}, all(ck.CKO_SECRET_KEY, ck.CKK_AES))
	want(t, "generate AES", err, ck.CKR_OK)
	_, _, err = keys.Attest([]guard.Ref{aes.Ref}, asked())
	want(t, "about a secret key", err, ck.CKR_KEY_TYPE_INCONSISTENT)
}

func TestAttestNeedsIsolation(t *testing.T) {
	var exposed atomic.Bool
	_, keys := openWitness(t, server.Options{UID: 4711, Available: func() string {
		if exposed.Load() {
			return "the guard can be looked into"
		}
		return ""
	}})
	exposed.Store(true)
	time.Sleep(1100 * time.Millisecond) // the answer of before is believed for a second
	_, _, err := keys.Attest(nil, asked())
	want(t, "a guard that is not hardened", err, ck.CKR_FUNCTION_REJECTED)
	_, err = keys.Activate(0, nil, nil, all(ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET))
	want(t, "a guard that is not hardened", err, ck.CKR_FUNCTION_REJECTED)

	p := start(t, packets, server.Options{UID: 4711}) // no witness
	plain, err := remote.Open(&remote.Endpoint{Address: "unix:" + p.path(packets)}, guard.Process)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	_, _, err = plain.Attest(nil, asked())
	want(t, "no TPM", err, ck.CKR_FUNCTION_REJECTED)
}

func TestActivate(t *testing.T) {
	_, keys := openWitness(t, server.Options{UID: 4711})
	policy := func() *guard.Policy {
		return &guard.Policy{Class: ck.CKO_SECRET_KEY, KeyType: ck.CKK_GENERIC_SECRET, Usage: guard.UseDerive, Sensitive: true, Confining: true}
	}
	secretValue := bytes.Repeat([]byte{9}, 32)
	k, err := keys.Activate(0, secretValue, []byte("for this TPM"), policy())
	want(t, "activate", err, ck.CKR_OK)
	imported := func(keyType ck.KeyType, value []byte) guard.Ref {
		t.Helper()
		p := all(ck.CKO_SECRET_KEY, keyType)
		k, err := keys.Import(0, &guard.Material{Class: ck.CKO_SECRET_KEY, KeyType: keyType, Parts: []guard.Part{part(ck.CKA_VALUE, value)}}, p)
		want(t, "import", err, ck.CKR_OK)
		return k.Ref
	}
	derive := func(p *guard.Policy) (*guard.Key, error) {
		params := ck.HKDFParams{Extract: true, Expand: true, Hash: ck.CKM_SHA256, SaltType: uint(ck.CKF_HKDF_SALT_KEY), SaltKey: ck.ObjectHandle(k.Ref), Info: []byte("info")}
		return keys.Derive(0, imported(ck.CKK_GENERIC_SECRET, someKey), scheme(t, ck.CKM_HKDF_DERIVE, params, mech.OpDerive),
			&guard.KeySpec{KeyType: ck.CKK_AES, ValueLen: 32}, p)
	}
	// What the derived key unwraps shows what it is, and so what was in the credential.
	unwrapper := &guard.Policy{Class: ck.CKO_SECRET_KEY, KeyType: ck.CKK_AES, Usage: guard.UseUnwrap, Sensitive: true, Confining: true}
	derived, err := derive(unwrapper)
	want(t, "derive", err, ck.CKR_OK)
	value, err := hkdf.Key(sha256.New, someKey, secretValue, "info", 32)
	if err != nil {
		t.Fatal(err)
	}
	kwp := func(op mech.Op) *mech.Scheme { return scheme(t, ck.CKM_AES_KEY_WRAP_KWP, nil, op) }
	wrapped, err := keys.Wrap(nil, imported(ck.CKK_AES, value), kwp(mech.OpWrap), imported(ck.CKK_GENERIC_SECRET, someKey))
	want(t, "wrap", err, ck.CKR_OK)
	_, err = keys.Unwrap(0, derived.Ref, kwp(mech.OpUnwrap), wrapped, &guard.KeySpec{KeyType: ck.CKK_GENERIC_SECRET}, policy())
	want(t, "the key is not the credential's secret: unwrap", err, ck.CKR_OK)
	_, err = derive(all(ck.CKO_SECRET_KEY, ck.CKK_AES))
	want(t, "a key to be seen, from the credential's secret", err, ck.CKR_TEMPLATE_INCONSISTENT)

	_, err = keys.Activate(0, secretValue, []byte("for another TPM"), policy())
	if want(t, "another TPM's", err, ck.CKR_DEVICE_ERROR); !errors.Is(err, seal.ErrForeign) {
		t.Errorf("another TPM's: %v", err)
	}
	_, err = keys.Activate(0, secretValue[:31], []byte("for this TPM"), policy())
	want(t, "a short secret", err, ck.CKR_DATA_LEN_RANGE)
	for what, spoil := range map[string]func(p *guard.Policy){
		"not confining": func(p *guard.Policy) { p.Confining = false },
		"to unwrap":     func(p *guard.Policy) { p.Usage |= guard.UseUnwrap },
		"an AES key":    func(p *guard.Policy) { p.KeyType = ck.CKK_AES },
	} {
		p := policy()
		spoil(p)
		_, err := keys.Activate(0, secretValue, []byte("for this TPM"), p)
		want(t, what, err, ck.CKR_TEMPLATE_INCONSISTENT)
	}
}
