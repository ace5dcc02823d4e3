package blob

import (
	"math/big"
	"slices"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Recompute has a private key depend on its secret alone: what follows from it is forgotten, so that whoever takes the key in computes it. That is what
// NCRYPT_NO_KEY_VALIDATION means: a public half that is not the key's is no error, and is not kept either. Of an RSA key the secret is its primes.
func (k *Key) Recompute() {
	if k.Class != ck.CKO_PRIVATE_KEY {
		return
	}
	keep := []ck.AttributeType{ck.CKA_EC_PARAMS, ck.CKA_VALUE}
	if k.KeyType == ck.CKK_RSA {
		p, q := k.Get(ck.CKA_PRIME_1), k.Get(ck.CKA_PRIME_2)
		if len(p) == 0 || len(q) == 0 {
			return
		}
		keep = []ck.AttributeType{ck.CKA_MODULUS, ck.CKA_PUBLIC_EXPONENT, ck.CKA_PRIME_1, ck.CKA_PRIME_2}
		modulus := product(p, q)
		for i := range k.parts {
			if k.parts[i].Type == ck.CKA_MODULUS {
				k.parts[i].Value = modulus
			}
		}
	} else if k.KeyType != ck.CKK_EC && k.KeyType != ck.CKK_EC_MONTGOMERY {
		return
	}
	k.parts = slices.DeleteFunc(k.parts, func(a attr.Attribute) bool { return !slices.Contains(keep, a.Type) })
}

// product multiplies, and wipes the factors as far as Go lets it.
func product(p, q []byte) []byte {
	a, b := new(big.Int).SetBytes(p), new(big.Int).SetBytes(q)
	defer clear(a.Bits())
	defer clear(b.Bits())
	return new(big.Int).Mul(a, b).Bytes()
}
