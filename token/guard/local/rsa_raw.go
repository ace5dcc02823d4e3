package local

import (
	"filippo.io/bigmod"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// rawRSA is the private operation without padding (RSADP and RSASP1 of RFC 8017), in constant time: bigmod is the arithmetic of
// crypto/rsa itself, which has no door to it.
type rawRSA struct {
	n, p, q *bigmod.Modulus
	dP, dQ  []byte
	qInv    *bigmod.Nat // modulo p
	e       uint
}

func newRawRSA(r *rsaNumbers) (*rawRSA, error) {
	raw := &rawRSA{e: uint(r.e.Uint64()), dP: r.dP.Bytes(), dQ: r.dQ.Bytes()}
	for _, m := range []struct {
		dst   **bigmod.Modulus
		bytes []byte
	}{{&raw.n, r.n.Bytes()}, {&raw.p, r.p.Bytes()}, {&raw.q, r.q.Bytes()}} {
		modulus, err := bigmod.NewModulus(m.bytes)
		secret.Wipe(m.bytes)
		if err != nil {
			return nil, err
		}
		*m.dst = modulus
	}
	inverse := r.qInv.Bytes()
	defer secret.Wipe(inverse)
	var err error
	raw.qInv, err = bigmod.NewNat().SetBytes(inverse, raw.p)
	return raw, err
}

// size is the length of the modulus in bytes.
func (r *rawRSA) size() int { return r.n.Size() }

// private computes in to the d modulo n, size bytes long. An input that is not below the modulus gives false. Each result is checked
// with the public exponent: one that a fault has spoiled would give away the primes (Boneh, DeMillo and Lipton).
func (r *rawRSA) private(in []byte) (out []byte, inRange bool, err error) {
	c, err := bigmod.NewNat().SetBytes(in, r.n)
	if err != nil {
		return nil, false, nil
	}
	t := bigmod.NewNat()
	m := bigmod.NewNat().Exp(t.Mod(c, r.p), r.dP, r.p)  // m1 = c ^ dP mod p
	m2 := bigmod.NewNat().Exp(t.Mod(c, r.q), r.dQ, r.q) // m2 = c ^ dQ mod q
	m.Sub(t.Mod(m2, r.p), r.p)
	m.Mul(r.qInv, r.p)                // h = qInv (m1 - m2) mod p
	m.ExpandFor(r.n)                  //
	m.Mul(t.Mod(r.q.Nat(), r.n), r.n) //
	m.Add(m2.ExpandFor(r.n), r.n)     // m = m2 + h q
	check := bigmod.NewNat().ExpShortVarTime(m, r.e, r.n)
	if check.Equal(c) != 1 {
		return nil, true, ck.Errorf(ck.CKR_DEVICE_ERROR, "a fault in RSA arithmetic was caught")
	}
	return m.Bytes(r.n), true, nil
}

func (r *rawRSA) wipe() {
	secret.Wipe(r.dP)
	secret.Wipe(r.dQ)
	clear(r.qInv.Bits())
}
