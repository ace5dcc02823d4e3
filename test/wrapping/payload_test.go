package wrapping_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/miekg/pkcs11"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// payload is a key that is wrapped.
type payload struct {
	name    string
	keyType ck.KeyType
	secret  []byte // of a secret key
	private any    // of a key pair, as crypto/x509 has it
	curve   []byte // CKA_EC_PARAMS
	set     uint   // CKA_PARAMETER_SET
	pkcs8   []byte
}

// seeded is a key pair that is its seed: of ML-KEM and ML-DSA. The PKCS #8 is that of RFC 9935 and RFC 9881 with the seed alone.
type seeded []byte

// payloads are the columns of the table.
func payloads(t testing.TB) []*payload {
	t.Helper()
	all := []*payload{
		{name: "AES-128", keyType: ck.CKK_AES, secret: random(16)}, {name: "AES-192", keyType: ck.CKK_AES, secret: random(24)},
		{name: "AES-256", keyType: ck.CKK_AES, secret: random(32)}, {name: "secret, 32", keyType: ck.CKK_GENERIC_SECRET, secret: random(32)},
		{name: "secret, 21", keyType: ck.CKK_GENERIC_SECRET, secret: random(21)},
		{name: "RSA-2048", keyType: ck.CKK_RSA, private: newRSA(t, 2048)}, {name: "RSA-3072", keyType: ck.CKK_RSA, private: newRSA(t, 3072)},
		{name: "P-256", keyType: ck.CKK_EC, private: newEC(t, elliptic.P256()), curve: oid(1, 2, 840, 10045, 3, 1, 7)},
		{name: "P-384", keyType: ck.CKK_EC, private: newEC(t, elliptic.P384()), curve: oid(1, 3, 132, 0, 34)},
		{name: "P-521", keyType: ck.CKK_EC, private: newEC(t, elliptic.P521()), curve: oid(1, 3, 132, 0, 35)},
		{name: "Ed25519", keyType: ck.CKK_EC_EDWARDS, private: ed25519.NewKeyFromSeed(random(ed25519.SeedSize)), curve: oid(1, 3, 101, 112)},
		{name: "X25519", keyType: ck.CKK_EC_MONTGOMERY, private: newX25519(t), curve: oid(1, 3, 101, 110)},
		{name: "ML-KEM-768", keyType: ck.CKK_ML_KEM, private: seeded(random(64)), set: uint(ck.CKP_ML_KEM_768)},
		{name: "ML-DSA-65", keyType: ck.CKK_ML_DSA, private: seeded(random(32)), set: uint(ck.CKP_ML_DSA_65)},
	}
	for _, p := range all {
		if p.private == nil {
			continue
		}
		if seed, ok := p.private.(seeded); ok {
			p.pkcs8 = info(sequence(seedAlgorithms[p.keyType]), tlv(seedTag, seed))
			continue
		}
		var err error
		p.pkcs8, err = x509.MarshalPKCS8PrivateKey(p.private)
		must(t, err)
	}
	return all
}

// seedTag is [0] IMPLICIT OCTET STRING, the seed alone.
const seedTag = 0x80

var seedAlgorithms = map[ck.KeyType][]byte{ck.CKK_ML_KEM: oid(2, 16, 840, 1, 101, 3, 4, 4, 2), ck.CKK_ML_DSA: oid(2, 16, 840, 1, 101, 3, 4, 3, 18)}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails
	return b
}

func newRSA(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	must(t, err)
	return key
}

func newEC(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	must(t, err)
	return key
}

func newX25519(t testing.TB) *ecdh.PrivateKey {
	t.Helper()
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	must(t, err)
	return key
}

func oid(arcs ...int) []byte {
	der, err := asn1.Marshal(asn1.ObjectIdentifier(arcs))
	if err != nil {
		panic(err)
	}
	return der
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// plain is what a mechanism encrypts.
func (p *payload) plain() []byte {
	if p.private == nil {
		return p.secret
	}
	return p.pkcs8
}

// parts are the secret numbers of the key, by which two forms of it are compared.
func (p *payload) parts() [][]byte {
	switch key := p.private.(type) {
	case *rsa.PrivateKey:
		return sorted(key.Primes[0].Bytes(), key.Primes[1].Bytes())
	case *ecdsa.PrivateKey:
		d, _ := key.Bytes() // its curve is one that has them
		return [][]byte{d}
	case ed25519.PrivateKey:
		return [][]byte{key.Seed()}
	case *ecdh.PrivateKey:
		return [][]byte{key.Bytes()}
	case seeded:
		return [][]byte{key}
	}
	return [][]byte{p.secret}
}

func sorted(a, b []byte) [][]byte {
	parts := [][]byte{a, b}
	slices.SortFunc(parts, bytes.Compare)
	return parts
}

var errAnother = errors.New("it is another key")

// same fails where what was unwrapped is another key.
func (p *payload) same(parts [][]byte) error {
	want := p.parts()
	if len(parts) != len(want) {
		return fmt.Errorf("%d parts of the key, want %d", len(parts), len(want))
	}
	for i := range want {
		if !bytes.Equal(parts[i], want[i]) {
			return fmt.Errorf("%w: %x, want %x", errAnother, parts[i], want[i])
		}
	}
	return nil
}

// described is what a template says of the key that is unwrapped.
func (p *payload) described() []*pkcs11.Attribute {
	class := uint(pkcs11.CKO_SECRET_KEY)
	if p.private != nil {
		class = pkcs11.CKO_PRIVATE_KEY
	}
	return []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, class), pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, uint(p.keyType)), pkcs11.NewAttribute(pkcs11.CKA_TOKEN, false),
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, false), pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, true),
	}
}

// template is for C_CreateObject.
func (p *payload) template() []*pkcs11.Attribute {
	t := p.described()
	add := func(typ uint, value []byte) { t = append(t, pkcs11.NewAttribute(typ, value)) }
	if p.curve != nil {
		add(pkcs11.CKA_EC_PARAMS, p.curve)
	}
	if key, ok := p.private.(*rsa.PrivateKey); ok {
		return append(t, rsaNumbers(key)...)
	}
	if _, ok := p.private.(seeded); ok {
		add(uint(ck.CKA_SEED), p.parts()[0])
		return append(t, pkcs11.NewAttribute(uint(ck.CKA_PARAMETER_SET), p.set))
	}
	add(pkcs11.CKA_VALUE, p.parts()[0])
	return t
}

func rsaNumbers(key *rsa.PrivateKey) (t []*pkcs11.Attribute) {
	for _, n := range []struct {
		typ   uint
		value *big.Int
	}{
		{pkcs11.CKA_MODULUS, key.N}, {pkcs11.CKA_PUBLIC_EXPONENT, big.NewInt(int64(key.E))}, {pkcs11.CKA_PRIVATE_EXPONENT, key.D},
		{pkcs11.CKA_PRIME_1, key.Primes[0]}, {pkcs11.CKA_PRIME_2, key.Primes[1]}, {pkcs11.CKA_EXPONENT_1, key.Precomputed.Dp},
		{pkcs11.CKA_EXPONENT_2, key.Precomputed.Dq}, {pkcs11.CKA_COEFFICIENT, key.Precomputed.Qinv},
	} {
		t = append(t, pkcs11.NewAttribute(n.typ, n.value.Bytes()))
	}
	return t
}
