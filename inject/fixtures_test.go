package inject_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/inject/attest/softtpm"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// now is when all of it happens.
var now = time.Date(2026, 11, 21, 14, 0, 0, 0, time.UTC)

// machine is a target whose keys are in the test's own hands. It is an inject.Opener by the standard library alone.
type machine struct {
	testing.TB
	tpm  *softtpm.TPM
	kem  *mlkem.DecapsulationKey768
	x    *ecdh.PrivateKey
	rsa  func() *rsa.PrivateKey // takes its time to be made
	keys [][]byte               // by handle, from 1
}

func newMachine(t testing.TB) *machine {
	return &machine{
		TB: t, tpm: must(softtpm.New())(t), kem: must(mlkem.GenerateKey768())(t), x: must(ecdh.X25519().GenerateKey(rand.Reader))(t),
		rsa: sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 3072))(t) }),
	}
}

// policies are those that a target's keys have.
func policies(suite inject.Suite) []*guard.Policy {
	var all []*guard.Policy
	for _, role := range suite.Roles() {
		all = append(all, &guard.Policy{
			Class: ck.CKO_PRIVATE_KEY, KeyType: role.KeyType, Usage: role.Usage, Private: true, Sensitive: true, Confined: true, Confining: true, Token: true,
			Allowed: []ck.MechanismType{role.Mechanism},
		})
	}
	return all
}

// spkis are the public keys of a suite.
func (m *machine) spkis(suite inject.Suite) [][]byte {
	m.Helper()
	if suite == inject.RSA {
		return [][]byte{must(pubkey.SPKI(&m.rsa().PublicKey))(m)}
	}
	kem := must(pubkey.MLKEM768.PublicKey(m.kem.EncapsulationKey().Bytes()))(m)
	return [][]byte{must(pubkey.SPKI(kem))(m), must(pubkey.SPKI(m.x.PublicKey()))(m)}
}

// statement is what the machine's guard says of a target.
func (m *machine) statement(about *inject.About) *guard.Statement {
	m.Helper()
	s := &guard.Statement{Level: guard.Service, Made: now, Asked: *about.Asked([]byte("nonce"), now.Add(24*time.Hour))}
	for i, p := range policies(about.Suite) {
		s.Keys = append(s.Keys, guard.StatedKey{Public: m.spkis(about.Suite)[i], Policy: p})
	}
	return s
}

// target is one that has not been checked. change, if any, has the guard say something else.
func (m *machine) target(about inject.About, change func(*guard.Statement)) *inject.Target {
	m.Helper()
	if about.ID == [16]byte{} {
		rand.Read(about.ID[:])
	}
	s := m.statement(&about)
	if change != nil {
		change(s)
	}
	b := s.Encode()
	return must(inject.NewTarget(about, b, must(m.tpm.Attest(b))(m)))(m)
}

// checked is a target that packages can be sealed to.
func (m *machine) checked(about inject.About) *inject.Target {
	m.Helper()
	t := m.target(about, nil)
	if _, err := t.Check(m.tpm.Trust(), now, nil); err != nil {
		m.Fatal(err)
	}
	return t
}

func (m *machine) add(key []byte, err error) (ck.ObjectHandle, error) {
	m.keys = append(m.keys, key)
	return ck.ObjectHandle(len(m.keys)), err
}

func (m *machine) key(h ck.ObjectHandle) []byte { return m.keys[h-1] }

func (m *machine) Decapsulate(ciphertext []byte) (ck.ObjectHandle, error) {
	key, err := m.kem.Decapsulate(ciphertext)
	return m.add(key, as(ck.CKR_WRAPPED_KEY_LEN_RANGE, err))
}

func (m *machine) Agree(public []byte) (ck.ObjectHandle, error) {
	peer, err := ecdh.X25519().NewPublicKey(public)
	if err != nil {
		return m.add(nil, as(ck.CKR_PUBLIC_KEY_INVALID, err))
	}
	key, err := m.x.ECDH(peer)
	return m.add(key, as(ck.CKR_PUBLIC_KEY_INVALID, err))
}

func (m *machine) UnwrapOAEP(wrapped, label []byte) (ck.ObjectHandle, error) {
	key, err := rsa.DecryptOAEP(sha256.New(), nil, m.rsa(), wrapped, label)
	return m.add(key, as(ck.CKR_WRAPPED_KEY_INVALID, err))
}

func (m *machine) Activate(blob, encrypted []byte) (ck.ObjectHandle, error) {
	key, err := m.tpm.Activate(blob, encrypted)
	return m.add(bytes.Clone(key.Bytes()), as(ck.CKR_DEVICE_ERROR, err))
}

func (m *machine) Combine(c inject.Combination) (ck.ObjectHandle, error) {
	return m.add(hkdf.Key(sha256.New, m.key(c.Base), m.key(c.Salt), string(c.Info), 32))
}

// decrypt is what the last step does for each key.
func (m *machine) decrypt(key ck.ObjectHandle, s inject.Sealed) ([]byte, error) {
	block := must(aes.NewCipher(m.key(key)))(m)
	return must(cipher.NewGCM(block))(m).Open(nil, s.Nonce, s.Wrapped, s.Associated)
}

func as(rv ck.RV, err error) error {
	if err == nil {
		return nil
	}
	return ck.Errorf(rv, "%w", err)
}

// open opens a whole package, as an import does: all of its keys, or an error.
func (m *machine) open(b []byte, t *inject.Target, at time.Time) ([][]byte, error) {
	p, err := inject.ReadPackage(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	opened, err := p.Open(t, at, m)
	if err != nil {
		return nil, err
	}
	var keys [][]byte
	for i := range p.Keys {
		key, err := m.decrypt(opened.Key, opened.Sealed(i))
		if err != nil {
			return nil, fmt.Errorf("%w: key %d", inject.ErrTampered, i+1)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// someKeys are keys for a package, and their plaintexts.
func someKeys(t testing.TB, n int) (keys []*inject.Key, plain [][]byte) {
	t.Helper()
	for i := range n {
		private := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
		meta := must(inject.Describe(private.Public()))(t)
		meta.Label, meta.ID = fmt.Sprint("key ", i), []byte{byte(i)}
		der := must(x509.MarshalPKCS8PrivateKey(private))(t)
		keys, plain = append(keys, &inject.Key{Meta: meta, Plain: secret.Copy(der)}), append(plain, der)
	}
	return keys, plain
}

func each(keys []*inject.Key) iter.Seq2[*inject.Key, error] {
	return func(yield func(*inject.Key, error) bool) {
		for _, k := range keys {
			if !yield(k, nil) {
				return
			}
		}
	}
}

// sealed is a package of keys, made now.
func sealed(t testing.TB, o inject.SealOptions, keys []*inject.Key, targets ...*inject.Target) []byte {
	t.Helper()
	o.Made = now
	var out bytes.Buffer
	if _, err := inject.Seal(&out, targets, len(keys), each(keys), &o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
