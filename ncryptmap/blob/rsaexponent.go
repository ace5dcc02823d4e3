package blob

import (
	"math/big"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// putExponent adds the private exponent to a key that was read with its primes only: PKCS #11 has no private key without one (v3.2, section 6.1.3). It is the
// inverse of the public exponent modulo the least common multiple of p-1 and q-1 (FIPS 186-5, appendix A.1.1). All else that was left out is for who takes
// the key in.
func (k *Key) putExponent() error {
	one := big.NewInt(1)
	var numbers []*big.Int // everything secret, to be wiped
	keep := func(n *big.Int) *big.Int {
		numbers = append(numbers, n)
		return n
	}
	defer func() {
		for _, n := range numbers {
			clear(n.Bits())
		}
	}()
	p, q := keep(new(big.Int).SetBytes(k.Get(ck.CKA_PRIME_1))), keep(new(big.Int).SetBytes(k.Get(ck.CKA_PRIME_2)))
	p.Sub(p, one)
	q.Sub(q, one)
	if p.Sign() == 0 || q.Sign() == 0 {
		return errNoExponent
	}
	multiple := keep(new(big.Int).Mul(p, q))
	multiple.Div(multiple, keep(new(big.Int).GCD(nil, nil, p, q)))
	d := new(big.Int).ModInverse(new(big.Int).SetBytes(k.Get(ck.CKA_PUBLIC_EXPONENT)), multiple)
	if d == nil || d.Sign() == 0 {
		return errNoExponent
	}
	value := secret.New((keep(d).BitLen() + 7) / 8)
	d.FillBytes(value.Bytes())
	k.own(ck.CKA_PRIVATE_EXPONENT, value)
	return nil
}

var errNoExponent = nte.Errorf(nte.NTE_BAD_DATA, "the primes and the exponent are not those of an RSA key")
