package local

import (
	"filippo.io/bigmod"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard/local/rsakernel"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// rawRSA is the private operation without padding (RSADP and RSASP1 of RFC 8017), in constant time: bigmod is the arithmetic of
// crypto/rsa itself, which has no door to it. Neither blinds its input; rsakernel says why nobody here does.
type rawRSA struct {
	n, p, q *bigmod.Modulus
	dP, dQ  []byte
	qInv    *bigmod.Nat // modulo p
	e       uint
	kernel  *rsakernel.Key // several times as fast; nil where the processor or the key is not for it
}

func newRawRSA(r *rsaNumbers) (*rawRSA, error) {
	raw := &rawRSA{e: uint(r.e.Uint64()), dP: r.dP.Bytes(), dQ: r.dQ.Bytes()}
	p, q, inverse := r.p.Bytes(), r.q.Bytes(), r.qInv.Bytes()
	defer func() {
		for _, b := range [][]byte{p, q, inverse} {
			secret.Wipe(b)
		}
	}()
	for _, m := range []struct {
		dst   **bigmod.Modulus
		bytes []byte
	}{{&raw.n, r.n.Bytes()}, {&raw.p, p}, {&raw.q, q}} {
		modulus, err := bigmod.NewModulus(m.bytes)
		if err != nil {
			return nil, err
		}
		*m.dst = modulus
	}
	var err error
	if raw.qInv, err = bigmod.NewNat().SetBytes(inverse, raw.p); err != nil {
		return nil, err
	}
	raw.kernel, _ = rsakernel.New(&rsakernel.Numbers{N: raw.n, E: raw.e, P: p, Q: q, DP: raw.dP, DQ: raw.dQ, QInv: inverse})
	return raw, nil
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
	if r.kernel != nil {
		if out = make([]byte, r.size()); r.kernel.Private(out, c.Bytes(r.n)) {
			return out, true, nil
		} // else it has caught a fault, and this is once more, by other means
	}
	t := bigmod.NewNat()
	m := bigmod.NewNat().Exp(t.Mod(c, r.p), r.dP, r.p)  // m1 = c ^ dP mod p
	m2 := bigmod.NewNat().Exp(t.Mod(c, r.q), r.dQ, r.q) // m2 = c ^ dQ mod q
	m.Sub(t.Mod(m2, r.p), r.p)
	m.Mul(r.qInv, r.p)                // h = qInv (m1 - m2) mod p
	m.ExpandFor(r.n)                  //
	m.Mul(t.Mod(r.q.Nat(), r.n), r.n) //
	m.Add(m2.ExpandFor(r.n), r.n)     // m = m2 + h q
	for _, n := range []*bigmod.Nat{t, m, m2} {
		defer clear(n.Bits())
	}
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
	if r.kernel != nil {
		r.kernel.Wipe()
	}
}
