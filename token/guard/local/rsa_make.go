package local

import (
	"crypto/rand"
	"crypto/rsa"
	"math/big"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
)

var one = big.NewInt(1)

// usualExponents are tried where an imported key does not say its public exponent: 65537 first, then those that old keys have.
var usualExponents = []int64{65537, 3, 17, 5, 257}

// maxExponent is what crypto/rsa computes with.
const maxExponent = 1<<31 - 1

// generateRSA makes a key whose primes both have half the modulus's length.
func generateRSA(spec *guard.KeySpec) (material, error) {
	if spec.Bits < minRSABits || spec.Bits > maxRSABits {
		return nil, ck.Errorf(ck.CKR_KEY_SIZE_RANGE, "RSA keys have %d to %d bits", minRSABits, maxRSABits)
	}
	e := big.NewInt(usualExponents[0])
	if len(spec.PublicExponent) > 0 {
		e.SetBytes(spec.PublicExponent)
	}
	if e.Cmp(big.NewInt(3)) < 0 || e.Bit(0) == 0 || e.Cmp(big.NewInt(maxExponent)) > 0 {
		return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "CKA_PUBLIC_EXPONENT must be odd, and 3 to %d", maxExponent)
	}
	if e.Int64() == 65537 {
		std, err := rsa.GenerateKey(rand.Reader, spec.Bits)
		if err != nil {
			return nil, ck.Errorf(ck.CKR_FUNCTION_FAILED, "RSA: %w", err)
		}
		return newRSAKey(&rsaNumbers{
			n: std.N, e: e, d: std.D, p: std.Primes[0], q: std.Primes[1],
			dP: std.Precomputed.Dp, dQ: std.Precomputed.Dq, qInv: std.Precomputed.Qinv,
		})
	}
	return generateRSAWithExponent(spec.Bits, e)
}

// generateRSAWithExponent does what crypto/rsa does for 65537 only.
func generateRSAWithExponent(bits int, e *big.Int) (material, error) {
	for {
		p, err := primeFor(e, (bits+1)/2)
		if err != nil {
			return nil, err
		}
		q, err := primeFor(e, bits/2)
		if err != nil {
			return nil, err
		}
		r := &rsaNumbers{n: new(big.Int).Mul(p, q), e: e, p: p, q: q}
		pMinus1, qMinus1 := new(big.Int).Sub(p, one), new(big.Int).Sub(q, one)
		lambda := new(big.Int).Mul(pMinus1, qMinus1)
		lambda.Div(lambda, new(big.Int).GCD(nil, nil, pMinus1, qMinus1))
		r.d = new(big.Int).ModInverse(e, lambda)
		if r.n.BitLen() != bits || r.d == nil || !r.fillCRT() {
			continue
		}
		// The checks of newRSAKey refuse primes that are close to each other and small private exponents: once in an age.
		if m, err := newRSAKey(r); err == nil {
			return m, nil
		}
	}
}

// primeFor gives a random prime with its two top bits set, for which e has an inverse.
func primeFor(e *big.Int, bits int) (*big.Int, error) {
	for {
		p, err := rand.Prime(rand.Reader, bits)
		if err != nil {
			return nil, ck.Errorf(ck.CKR_FUNCTION_FAILED, "RSA: %w", err)
		}
		if new(big.Int).GCD(nil, nil, e, new(big.Int).Sub(p, one)).Cmp(one) == 0 {
			return p, nil
		}
	}
}

// importRSA rebuilds a key from its modulus and private exponent or primes. All else may be missing, and must be right where it is given.
func importRSA(p parts) (material, error) {
	var given rsaNumbers
	for i, n := range given.all() {
		if value := p.get(rsaAttributes[i]); value != nil {
			*n = new(big.Int).SetBytes(value)
		}
	}
	defer given.wipe()
	if given.n == nil || given.d == nil && (given.p == nil || given.q == nil) {
		return nil, ck.Errorf(ck.CKR_TEMPLATE_INCOMPLETE, "an RSA private key needs CKA_MODULUS, and CKA_PRIVATE_EXPONENT or both primes")
	}
	invalid := ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "the components are not those of one RSA key")
	if !given.bounded() || given.n.Bit(0) == 0 {
		return nil, invalid
	}
	if given.d == nil && !given.invert() {
		return nil, invalid
	}
	whole, ok := given.complete()
	if !ok || !given.agreesWith(whole) || !whole.hasPrimes() {
		return nil, invalid
	}
	return newRSAKey(whole)
}

// invert computes the private exponent of primes, as the blobs of CNG have them; the public one is 65537 where it is not given.
func (r *rsaNumbers) invert() bool {
	if r.e == nil {
		r.e = big.NewInt(usualExponents[0])
	}
	p1, q1 := new(big.Int).Sub(r.p, one), new(big.Int).Sub(r.q, one)
	defer clear(p1.Bits())
	defer clear(q1.Bits())
	if p1.Sign() <= 0 || q1.Sign() <= 0 || r.e.Sign() <= 0 {
		return false
	}
	lambda := new(big.Int).Mul(p1, q1)
	defer clear(lambda.Bits())
	lambda.Quo(lambda, new(big.Int).GCD(nil, nil, p1, q1))
	r.d = new(big.Int).ModInverse(r.e, lambda)
	return r.d != nil
}

// complete computes what is missing from the modulus, the private exponent and whatever else there is. It copies.
func (r *rsaNumbers) complete() (*rsaNumbers, bool) {
	w := &rsaNumbers{n: new(big.Int).Set(r.n), d: new(big.Int).Set(r.d)}
	if w.e = r.exponent(); w.e == nil {
		return nil, false
	}
	if r.p != nil && r.q != nil {
		w.p, w.q = new(big.Int).Set(r.p), new(big.Int).Set(r.q)
	} else if w.p, w.q = factor(w.n, w.e, w.d); w.p == nil {
		return nil, false
	}
	if r.p != nil && w.p.Cmp(r.p) != 0 || r.q != nil && w.q.Cmp(r.q) != 0 {
		w.p, w.q = w.q, w.p
	}
	return w, w.p.Cmp(one) > 0 && w.q.Cmp(one) > 0 && w.fillCRT()
}

// agreesWith tells whether all that was given is what w has.
func (r *rsaNumbers) agreesWith(w *rsaNumbers) bool {
	have := w.all()
	for i, given := range r.all() {
		if *given != nil && (*given).Cmp(*have[i]) != 0 {
			return false
		}
	}
	return true
}

// exponent is the public exponent that was given, or the usual one that undoes the private one.
func (r *rsaNumbers) exponent() *big.Int {
	if r.e != nil {
		if r.e.Sign() <= 0 || r.e.Cmp(big.NewInt(maxExponent)) > 0 {
			return nil
		}
		return new(big.Int).Set(r.e)
	}
	two := big.NewInt(2)
	probe := new(big.Int).Exp(two, r.d, r.n)
	for _, usual := range usualExponents {
		if e := big.NewInt(usual); new(big.Int).Exp(probe, e, r.n).Cmp(two) == 0 {
			return e
		}
	}
	return nil
}

// fillCRT computes the CRT values from d, p and q. It gives false where there are none.
func (r *rsaNumbers) fillCRT() bool {
	r.dP = new(big.Int).Mod(r.d, new(big.Int).Sub(r.p, one))
	r.dQ = new(big.Int).Mod(r.d, new(big.Int).Sub(r.q, one))
	r.qInv = new(big.Int).ModInverse(r.q, r.p)
	return r.qInv != nil
}

// factorTries bounds the search for factors: that it misses those of a sound key has a chance of 2^-40, and of a prime it takes seconds at most.
const factorTries = 40

// factor finds the primes of n, larger first, from an inverse pair of exponents (NIST SP 800-56B, appendix C.1). It gives nil where e and d are no such
// pair. Each try, with another random base, succeeds with a chance of at least one half.
func factor(n, e, d *big.Int) (p, q *big.Int) {
	k := new(big.Int).Mul(e, d)
	k.Sub(k, one)
	if k.Sign() <= 0 || k.Bit(0) == 1 {
		return nil, nil
	}
	t := k.TrailingZeroBits()
	odd := new(big.Int).Rsh(k, t)
	defer clear(odd.Bits())
	defer clear(k.Bits())
	nMinus1 := new(big.Int).Sub(n, one)
	for range factorTries {
		base, err := rand.Int(rand.Reader, n)
		if err != nil || base.Sign() == 0 {
			return nil, nil
		}
		x := new(big.Int).Exp(base, odd, n)
		for range t {
			y := new(big.Int).Mul(x, x)
			y.Mod(y, n)
			if y.Cmp(one) == 0 && x.Cmp(one) != 0 && x.Cmp(nMinus1) != 0 {
				p = new(big.Int).GCD(nil, nil, x.Sub(x, one), n)
				q = new(big.Int).Div(n, p)
				if p.Cmp(q) < 0 {
					p, q = q, p
				}
				return p, q
			}
			x = y
		}
		if x.Cmp(one) != 0 { // no multiple of the order: the exponents are not this modulus's
			return nil, nil
		}
	}
	return nil, nil
}
