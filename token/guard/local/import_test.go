package local_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"math/big"
	"os"
	"slices"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// rsaParts are all the components of one RSA key, public and private.
func rsaParts(f *fixture, k *guard.Key) []guard.Part {
	f.Helper()
	r, err := f.Reveal(k.Ref)
	if err != nil {
		f.Fatal(err)
	}
	return append(slices.Clone(k.Public[:2]), r.Parts...)
}

// without drops components.
func without(parts []guard.Part, types ...ck.AttributeType) []guard.Part {
	return slices.DeleteFunc(slices.Clone(parts), func(p guard.Part) bool { return slices.Contains(types, p.Type) })
}

// with replaces a component.
func with(parts []guard.Part, t ck.AttributeType, value []byte) []guard.Part {
	return append(without(parts, t), part(t, value))
}

func plus(b []byte, n int64) []byte {
	return new(big.Int).Add(new(big.Int).SetBytes(b), big.NewInt(n)).Bytes()
}

func TestImportRSA(t *testing.T) {
	f := setup(t)
	made := f.generateRSA(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA))
	whole := rsaParts(f, made)
	part := get(whole)
	p, q := ck.AttributeType(ck.CKA_PRIME_1), ck.AttributeType(ck.CKA_PRIME_2)
	crt := []ck.AttributeType{ck.CKA_EXPONENT_1, ck.CKA_EXPONENT_2, ck.CKA_COEFFICIENT}
	small := without(whole, append(crt, p, q)...)
	swapped := with(with(without(whole, crt...), p, part(q)), q, part(p))
	second := f.generateRSA(0, all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA))
	for _, test := range []struct {
		name  string
		parts []guard.Part
		want  ck.RV
	}{
		{"all", whole, ck.CKR_OK},
		{"n, e, d", small, ck.CKR_OK},
		{"n, d", without(small, ck.CKA_PUBLIC_EXPONENT), ck.CKR_OK},
		{"n, e, d, p, q", without(whole, crt...), ck.CKR_OK},
		{"n, e, d, p", without(whole, append(crt, q)...), ck.CKR_OK},
		{"n, e, d, q", without(whole, append(crt, p)...), ck.CKR_OK},
		{"primes the other way round", swapped, ck.CKR_OK},
		{"leading zeros", with(whole, ck.CKA_MODULUS, append([]byte{0, 0}, part(ck.CKA_MODULUS)...)), ck.CKR_OK},
		{"empty is missing", with(small, p, nil), ck.CKR_OK},
		{"no d", without(whole, ck.CKA_PRIVATE_EXPONENT), ck.CKR_OK},
		{"n, e, p, q", without(whole, append(crt, ck.CKA_PRIVATE_EXPONENT)...), ck.CKR_OK},
		{"n, p, q", without(whole, append(crt, ck.CKA_PRIVATE_EXPONENT, ck.CKA_PUBLIC_EXPONENT)...), ck.CKR_OK},
		{"no d, no q", without(whole, ck.CKA_PRIVATE_EXPONENT, q), ck.CKR_TEMPLATE_INCOMPLETE},
		{"no d, other p", with(without(whole, append(crt, ck.CKA_PRIVATE_EXPONENT)...), p, plus(part(p), 2)), ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"no d, p = 1", with(without(whole, append(crt, ck.CKA_PRIVATE_EXPONENT)...), p, []byte{1}), ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"no n", without(whole, ck.CKA_MODULUS), ck.CKR_TEMPLATE_INCOMPLETE},
		{"nothing", nil, ck.CKR_TEMPLATE_INCOMPLETE},
		{"primes the wrong way round", with(with(whole, p, part(q)), q, part(p)), ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"other n", with(whole, ck.CKA_MODULUS, get(second.Public)(ck.CKA_MODULUS)), ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"other n, alone", with(small, ck.CKA_MODULUS, get(second.Public)(ck.CKA_MODULUS)), ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"even n", with(whole, ck.CKA_MODULUS, plus(part(ck.CKA_MODULUS), 1)), ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"other e", with(whole, ck.CKA_PUBLIC_EXPONENT, []byte{3}), ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"other e, alone", with(small, ck.CKA_PUBLIC_EXPONENT, []byte{3}), ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"huge e", with(small, ck.CKA_PUBLIC_EXPONENT, []byte{1, 0, 0, 0, 1}), ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"other d", with(whole, ck.CKA_PRIVATE_EXPONENT, plus(part(ck.CKA_PRIVATE_EXPONENT), 2)), ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"other d, alone", with(small, ck.CKA_PRIVATE_EXPONENT, plus(part(ck.CKA_PRIVATE_EXPONENT), 2)), ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"d = 1", with(small, ck.CKA_PRIVATE_EXPONENT, []byte{1}), ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"d = 0", with(small, ck.CKA_PRIVATE_EXPONENT, []byte{0}), ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"other p", with(whole, p, plus(part(p), 2)), ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"p = 1, q = n", with(with(without(whole, crt...), p, []byte{1}), q, part(ck.CKA_MODULUS)), ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"p = 0", with(whole, p, []byte{0}), ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"other exponent 1", with(whole, ck.CKA_EXPONENT_1, plus(part(ck.CKA_EXPONENT_1), 2)), ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"other exponent 2", with(whole, ck.CKA_EXPONENT_2, plus(part(ck.CKA_EXPONENT_2), 2)), ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"other coefficient", with(whole, ck.CKA_COEFFICIENT, plus(part(ck.CKA_COEFFICIENT), 1)), ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"a factor that is no prime", notPrime(), ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"toy key", []guard.Part{{Type: ck.CKA_MODULUS, Value: []byte{187}}, {Type: ck.CKA_PRIVATE_EXPONENT, Value: []byte{23}}}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
	} {
		pol := all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA)
		k, err := f.Import(f.vault, &guard.Material{Class: pol.Class, KeyType: pol.KeyType, Parts: test.parts}, pol)
		want(t, test.name, err, test.want)
		if err != nil {
			continue
		}
		s := f.scheme(ck.CKM_SHA256_RSA_PKCS, nil, mech.OpSign)
		if signature, err := f.Sign(nil, k.Ref, s, digest[:]); err != nil || !verify(f.public(made, ck.CKK_RSA), signature) {
			t.Errorf("%s: does not sign (%v)", test.name, err)
		}
	}
}

// OpenSSL writes e d = 1 modulo phi or lambda; all the exponents that undo each other are fine, and factor the modulus.
func TestImportRSALambda(t *testing.T) {
	f := setup(t)
	text, err := os.ReadFile("testdata/rsa_openssl.json")
	want(t, "reading", err, ck.CKR_OK)
	var o opensslVectors
	want(t, "parsing", json.Unmarshal(text, &o), ck.CKR_OK)
	k, err := f.unwrapped(o.PrivateKeyPKCS8, all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA))
	want(t, "unwrapping", err, ck.CKR_OK)
	whole := rsaParts(f, k)
	one, p, q := big.NewInt(1), new(big.Int).SetBytes(get(whole)(ck.CKA_PRIME_1)), new(big.Int).SetBytes(get(whole)(ck.CKA_PRIME_2))
	phi := new(big.Int).Mul(p.Sub(p, one), q.Sub(q, one))
	for name, modulus := range map[string]*big.Int{"phi": phi, "lambda": new(big.Int).Div(phi, new(big.Int).GCD(nil, nil, p, q))} {
		d := new(big.Int).ModInverse(big.NewInt(65537), modulus).Bytes()
		pol := all(ck.CKO_PRIVATE_KEY, ck.CKK_RSA)
		_, err := f.Import(0, &guard.Material{Class: pol.Class, KeyType: pol.KeyType, Parts: []guard.Part{whole[0], part(ck.CKA_PRIVATE_EXPONENT, d)}}, pol)
		want(t, name, err, ck.CKR_OK)
	}
}

func TestImportOthers(t *testing.T) {
	f := setup(t)
	order := pubkey.P256.Elliptic().Params().N.Bytes()
	one := make([]byte, 32)
	one[31] = 1
	params, value, point := ck.AttributeType(ck.CKA_EC_PARAMS), ck.AttributeType(ck.CKA_VALUE), ck.AttributeType(ck.CKA_EC_POINT)
	p256, ed, x := pubkey.P256.Params, pubkey.Ed25519.Params, pubkey.X25519.Params
	for _, test := range []struct {
		name    string
		class   ck.ObjectClass
		keyType ck.KeyType
		parts   []guard.Part
		want    ck.RV
	}{
		{"EC", ck.CKO_PRIVATE_KEY, ck.CKK_EC, []guard.Part{part(params, p256), part(value, one)}, ck.CKR_OK},
		{"EC, short", ck.CKO_PRIVATE_KEY, ck.CKK_EC, []guard.Part{part(params, p256), part(value, []byte{1})}, ck.CKR_OK},
		{"EC, leading zero", ck.CKO_PRIVATE_KEY, ck.CKK_EC, []guard.Part{part(params, p256), part(value, append([]byte{0}, one...))}, ck.CKR_OK},
		{"EC, its point", ck.CKO_PRIVATE_KEY, ck.CKK_EC, []guard.Part{part(params, p256), part(value, one), part(point, base256)}, ck.CKR_OK},
		{"EC, another's point", ck.CKO_PRIVATE_KEY, ck.CKK_EC, []guard.Part{part(params, p256), part(value, []byte{2}), part(point, base256)}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"EC, no point", ck.CKO_PRIVATE_KEY, ck.CKK_EC, []guard.Part{part(params, p256), part(value, []byte{1}), part(point, one)}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"EC, zero", ck.CKO_PRIVATE_KEY, ck.CKK_EC, []guard.Part{part(params, p256), part(value, []byte{0})}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"EC, the order", ck.CKO_PRIVATE_KEY, ck.CKK_EC, []guard.Part{part(params, p256), part(value, order)}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"EC, too long", ck.CKO_PRIVATE_KEY, ck.CKK_EC, []guard.Part{part(params, p256), part(value, bytes.Repeat([]byte{1}, 33))}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"EC, no value", ck.CKO_PRIVATE_KEY, ck.CKK_EC, []guard.Part{part(params, p256)}, ck.CKR_TEMPLATE_INCOMPLETE},
		{"EC, no curve", ck.CKO_PRIVATE_KEY, ck.CKK_EC, []guard.Part{part(value, one)}, ck.CKR_TEMPLATE_INCOMPLETE},
		{"EC, other curve", ck.CKO_PRIVATE_KEY, ck.CKK_EC, []guard.Part{part(params, ed), part(value, one)}, ck.CKR_CURVE_NOT_SUPPORTED},
		{"Ed25519", ck.CKO_PRIVATE_KEY, ck.CKK_EC_EDWARDS, []guard.Part{part(params, ed), part(value, one)}, ck.CKR_OK},
		{"Ed25519, short", ck.CKO_PRIVATE_KEY, ck.CKK_EC_EDWARDS, []guard.Part{part(params, ed), part(value, one[1:])}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"Ed25519, another's point", ck.CKO_PRIVATE_KEY, ck.CKK_EC_EDWARDS, []guard.Part{part(params, ed), part(value, one), part(point, one)}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"X25519", ck.CKO_PRIVATE_KEY, ck.CKK_EC_MONTGOMERY, []guard.Part{part(params, x), part(value, one)}, ck.CKR_OK},
		{"X25519, long", ck.CKO_PRIVATE_KEY, ck.CKK_EC_MONTGOMERY, []guard.Part{part(params, x), part(value, append(one, 0))}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"X25519, another's point", ck.CKO_PRIVATE_KEY, ck.CKK_EC_MONTGOMERY, []guard.Part{part(params, x), part(value, one), part(point, one)}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"AES", ck.CKO_SECRET_KEY, ck.CKK_AES, []guard.Part{part(value, one)}, ck.CKR_OK},
		{"AES of 20", ck.CKO_SECRET_KEY, ck.CKK_AES, []guard.Part{part(value, one[:20])}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"generic", ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET, []guard.Part{part(value, one[:1])}, ck.CKR_OK},
		{"generic, empty", ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET, nil, ck.CKR_TEMPLATE_INCOMPLETE},
		{"generic, huge", ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET, []guard.Part{part(value, make([]byte, 65537))}, ck.CKR_ATTRIBUTE_VALUE_INVALID},
		{"DSA", ck.CKO_PRIVATE_KEY, ck.CKK_DSA, []guard.Part{part(value, one)}, ck.CKR_TEMPLATE_INCONSISTENT},
		{"public key", ck.CKO_PUBLIC_KEY, ck.CKK_EC, []guard.Part{part(params, p256), part(point, base256)}, ck.CKR_TEMPLATE_INCONSISTENT},
		{"empty data", ck.CKO_DATA, 0, nil, ck.CKR_OK},
	} {
		p := all(test.class, test.keyType)
		_, err := f.Import(f.vault, &guard.Material{Class: p.Class, KeyType: p.KeyType, Parts: test.parts}, p)
		want(t, test.name, err, test.want)
		p.KeyType++
		_, err = f.Import(f.vault, &guard.Material{Class: test.class, KeyType: test.keyType, Parts: test.parts}, p)
		want(t, test.name+" under another policy", err, ck.CKR_TEMPLATE_INCONSISTENT)
	}
}

// FIPS 197's and SHA-1's first bytes; lengths as CK_ULONG.
func TestSecretPublicParts(t *testing.T) {
	f := setup(t)
	for _, test := range []struct {
		keyType ck.KeyType
		check   string
	}{{ck.CKK_AES, "66e94b"}, {ck.CKK_GENERIC_SECRET, "e129f2"}} {
		k := f.importKey(0, all(ck.CKO_SECRET_KEY, test.keyType), part(ck.CKA_VALUE, make([]byte, 16)))
		public := get(k.Public)
		if !bytes.Equal(public(ck.CKA_CHECK_VALUE), unhex(t, test.check)) || len(public(ck.CKA_VALUE_LEN)) != 8 || len(k.Public) != 2 {
			t.Errorf("%v: %x", test.keyType, k.Public)
		}
	}
}

// notPrime is a key whose exponents fit its two factors as if both were primes, which one is not.
func notPrime() []guard.Part {
	one, e := big.NewInt(1), big.NewInt(65537)
	for {
		var primes [3]*big.Int
		for i, bits := range []int{512, 256, 256} {
			primes[i], _ = rand.Prime(rand.Reader, bits)
		}
		p, q := primes[0], new(big.Int).Mul(primes[1], primes[2])
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		if d := new(big.Int).ModInverse(e, phi); d != nil {
			return []guard.Part{
				part(ck.CKA_MODULUS, new(big.Int).Mul(p, q).Bytes()), part(ck.CKA_PUBLIC_EXPONENT, e.Bytes()),
				part(ck.CKA_PRIVATE_EXPONENT, d.Bytes()), part(ck.CKA_PRIME_1, p.Bytes()), part(ck.CKA_PRIME_2, q.Bytes()),
			}
		}
	}
}
