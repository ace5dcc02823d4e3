package guard_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"math/big"
	"sync"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// The keys of the tests, which know their private parts. They are made once: what is found in a program's memory is compared with all of them.
type keys struct {
	rsa     *rsa.PrivateKey
	ec      *ecdsa.PrivateKey
	edwards ed25519.PrivateKey
	aes     []byte
}

var testKeys = sync.OnceValue(func() *keys {
	k := &keys{aes: make([]byte, 32)}
	var err [3]error
	k.rsa, err[0] = rsa.GenerateKey(rand.Reader, 2048)
	k.ec, err[1] = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, k.edwards, err[2] = ed25519.GenerateKey(rand.Reader)
	if err := errors.Join(err[:]...); err != nil {
		panic(err)
	}
	rand.Read(k.aes)
	return k
})

var (
	p256          = []byte{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}
	ed25519Params = []byte{0x06, 0x03, 0x2b, 0x65, 0x70}
)

// message is what is signed, and digest its SHA-256.
var (
	message = []byte("the quick brown fox jumps over the lazy dog")
	digest  = sha256.Sum256(message)
)

// kept are the attributes of a key that stays: a token object of a name, unless it is for the session.
func kept(name string, token bool) template {
	return template{attr(ck.CKA_TOKEN, token), attr(ck.CKA_LABEL, name), attr(ck.CKA_ID, name)}
}

func rsaTemplate(k *rsa.PrivateKey) template {
	number := func(n *big.Int) []byte { return n.Bytes() }
	return template{
		attr(ck.CKA_CLASS, ck.CKO_PRIVATE_KEY), attr(ck.CKA_KEY_TYPE, ck.CKK_RSA), attr(ck.CKA_SIGN, true), attr(ck.CKA_DECRYPT, true), attr(ck.CKA_UNWRAP, true),
		attr(ck.CKA_MODULUS, number(k.N)), attr(ck.CKA_PUBLIC_EXPONENT, number(big.NewInt(int64(k.E)))), attr(ck.CKA_PRIVATE_EXPONENT, number(k.D)),
		attr(ck.CKA_PRIME_1, number(k.Primes[0])), attr(ck.CKA_PRIME_2, number(k.Primes[1])), attr(ck.CKA_EXPONENT_1, number(k.Precomputed.Dp)),
		attr(ck.CKA_EXPONENT_2, number(k.Precomputed.Dq)), attr(ck.CKA_COEFFICIENT, number(k.Precomputed.Qinv)),
	}
}

func ecTemplate(t *testing.T, k *ecdsa.PrivateKey) template {
	t.Helper()
	return template{
		attr(ck.CKA_CLASS, ck.CKO_PRIVATE_KEY), attr(ck.CKA_KEY_TYPE, ck.CKK_EC), attr(ck.CKA_SIGN, true), attr(ck.CKA_DERIVE, true),
		attr(ck.CKA_EC_PARAMS, p256), attr(ck.CKA_VALUE, scalar(t, k)),
	}
}

func scalar(t *testing.T, k *ecdsa.PrivateKey) []byte {
	t.Helper()
	value, err := k.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// newEC is a key that no other test has.
func newEC(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func edwardsTemplate(k ed25519.PrivateKey) template {
	return template{
		attr(ck.CKA_CLASS, ck.CKO_PRIVATE_KEY), attr(ck.CKA_KEY_TYPE, ck.CKK_EC_EDWARDS), attr(ck.CKA_SIGN, true),
		attr(ck.CKA_EC_PARAMS, ed25519Params), attr(ck.CKA_VALUE, k.Seed()),
	}
}

func secretTemplate(kind ck.KeyType, value []byte) template {
	t := template{attr(ck.CKA_CLASS, ck.CKO_SECRET_KEY), attr(ck.CKA_KEY_TYPE, kind), attr(ck.CKA_VALUE, value), attr(ck.CKA_SENSITIVE, true), attr(ck.CKA_EXTRACTABLE, false)}
	for _, use := range []ck.AttributeType{ck.CKA_ENCRYPT, ck.CKA_DECRYPT, ck.CKA_SIGN, ck.CKA_VERIFY, ck.CKA_WRAP, ck.CKA_UNWRAP} {
		t = append(t, attr(use, true))
	}
	return t
}

// way is a key, how it is imported and how it signs.
type way struct {
	name      string
	template  func(*testing.T) template
	mechanism ck.MechanismType
	data      []byte
	good      func(signature []byte) bool
}

func ways() []way {
	k := testKeys()
	return []way{
		{"rsa", func(*testing.T) template { return rsaTemplate(k.rsa) }, ck.CKM_SHA256_RSA_PKCS, message, func(s []byte) bool {
			return rsa.VerifyPKCS1v15(&k.rsa.PublicKey, crypto.SHA256, digest[:], s) == nil
		}},
		{"ec", func(t *testing.T) template { return ecTemplate(t, k.ec) }, ck.CKM_ECDSA, digest[:], func(s []byte) bool {
			return len(s) == 64 && ecdsa.Verify(&k.ec.PublicKey, digest[:], new(big.Int).SetBytes(s[:32]), new(big.Int).SetBytes(s[32:]))
		}},
		{"edwards", func(*testing.T) template { return edwardsTemplate(k.edwards) }, ck.CKM_EDDSA, message, func(s []byte) bool {
			return ed25519.Verify(k.edwards.Public().(ed25519.PublicKey), message, s)
		}},
	}
}

// importAll makes the tests' keys token objects, and gives their handles by name. "aes" is among them.
func (h *host) importAll(session uint64) map[string]uint64 {
	h.t.Helper()
	handles := map[string]uint64{}
	for _, w := range ways() {
		handles[w.name] = h.must("create", session, append(kept(w.name, true), w.template(h.t)...)).number(0)
	}
	handles["aes"] = h.must("create", session, append(kept("aes", true), secretTemplate(ck.CKK_AES, testKeys().aes)...)).number(0)
	return handles
}

// signs checks that a key signs.
func (h *host) signs(session, key uint64, w way) {
	h.t.Helper()
	if signature := h.must("sign", session, w.mechanism, key, w.data).bytes(0); !w.good(signature) {
		h.t.Errorf("%s: the signature is not good", w.name)
	}
}
