package blob

import (
	"crypto/sha3"
	"math/bits"

	"filippo.io/mldsa"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// A private key of ML-DSA is written out as rho, K, the hash of the public key, and three vectors (FIPS 204, algorithms 6 and 24), which are computed here: the
// library keeps them to itself. No signature is made with them.

const (
	dsaQ    = 8380417
	dsaN    = 256
	dsaD    = 13 // bits that t0 has of t
	dsaRho  = 32
	dsaHash = 64
)

type dsaPoly [dsaN]uint64

// dsaShape are a parameter set's dimensions, and the bound of its secret coefficients (FIPS 204, table 1).
type dsaShape struct {
	k, l       int
	eta        uint64
	parameters mldsa.Parameters
}

var dsaShapes = map[uint]dsaShape{
	ck.CKP_ML_DSA_44: {4, 4, 2, mldsa.MLDSA44()},
	ck.CKP_ML_DSA_65: {6, 5, 4, mldsa.MLDSA65()},
	ck.CKP_ML_DSA_87: {8, 7, 2, mldsa.MLDSA87()},
}

// expandedDSA is a private key of the set written out.
func (s *pqSet) expandedDSA(seed []byte) *secret.Bytes {
	shape := dsaShapes[s.number]
	key, err := mldsa.NewPrivateKey(shape.parameters, seed)
	if err != nil {
		return nil
	}
	public := key.PublicKey().Bytes()
	*key = mldsa.PrivateKey{}
	material := secret.New(dsaRho + 64 + 32) // rho, rho', K: algorithm 6, step 1
	defer material.Close()
	h := sha3.NewSHAKE256()
	_, _ = h.Write(seed)
	_, _ = h.Write([]byte{byte(shape.k), byte(shape.l)})
	_, _ = h.Read(material.Bytes())
	rho, prime, last := material.Bytes()[:dsaRho], material.Bytes()[dsaRho:dsaRho+64], material.Bytes()[dsaRho+64:]

	s1, s2 := make([]dsaPoly, shape.l), make([]dsaPoly, shape.k)
	defer clear(s1)
	defer clear(s2)
	for i := range s1 {
		s1[i].sampleBounded(prime, i, shape.eta)
	}
	for i := range s2 {
		s2[i].sampleBounded(prime, shape.l+i, shape.eta)
	}
	out := secret.New(s.lengths[pqPrivate])
	w := packer{out: out.Bytes()}
	w.bytes(rho)
	w.bytes(last)
	w.bytes(sha3.SumSHAKE256(public, dsaHash))
	small := bits.Len64(2 * shape.eta)
	for _, vector := range [][]dsaPoly{s1, s2} {
		for i := range vector {
			w.poly(&vector[i], shape.eta, small)
		}
	}
	for i := range s2 {
		t0 := lowBits(rho, i, s1, &s2[i])
		w.poly(t0, 1<<(dsaD-1), dsaD)
		clear(t0[:])
	}
	return out
}

// lowBits is t0 of a row: what Power2Round leaves of A s1 + s2 (FIPS 204, algorithms 6 and 35).
func lowBits(rho []byte, row int, s1 []dsaPoly, s2 *dsaPoly) *dsaPoly {
	var t, a, s dsaPoly
	defer clear(s[:])
	for i := range s1 {
		a.sampleUniform(rho, i, row)
		s = s1[i]
		s.transform()
		for j := range t {
			t[j] = (t[j] + a[j]*s[j]) % dsaQ
		}
	}
	t.transformBack()
	for j := range t {
		const half = 1 << (dsaD - 1)
		low := (t[j] + s2[j]) % dsaQ & (1<<dsaD - 1)
		t[j] = (low + dsaQ - (low+half-1)>>dsaD<<dsaD) % dsaQ // from -half+1 to half
	}
	return &t
}

// sampleUniform is RejNTTPoly (FIPS 204, algorithm 30): nothing in it is secret.
func (p *dsaPoly) sampleUniform(rho []byte, column, row int) {
	h := sha3.NewSHAKE128()
	_, _ = h.Write(rho)
	_, _ = h.Write([]byte{byte(column), byte(row)})
	var b [3]byte
	for i := 0; i < dsaN; {
		_, _ = h.Read(b[:])
		if z := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2]&0x7f)<<16; z < dsaQ {
			p[i] = z
			i++
		}
	}
}

// sampleBounded is RejBoundedPoly (FIPS 204, algorithm 31). What it rejects tells nothing of what it takes.
func (p *dsaPoly) sampleBounded(prime []byte, nonce int, eta uint64) {
	h := sha3.NewSHAKE256()
	_, _ = h.Write(prime)
	_, _ = h.Write([]byte{byte(nonce), byte(nonce >> 8)})
	var b [1]byte
	for i := 0; i < dsaN; {
		_, _ = h.Read(b[:])
		for _, z := range [2]uint64{uint64(b[0] & 0xf), uint64(b[0] >> 4)} {
			switch {
			case i == dsaN || eta == 2 && z == 15 || eta == 4 && z > 8:
				continue
			case eta == 2:
				z %= 5
			}
			p[i] = (dsaQ + eta - z) % dsaQ
			i++
		}
	}
	b[0] = 0
}

// transform is NTT, and transformBack its inverse (FIPS 204, algorithms 41 and 42).
func (p *dsaPoly) transform() {
	m := 0
	for length := dsaN / 2; length >= 1; length /= 2 {
		for start := 0; start < dsaN; start += 2 * length {
			m++
			zeta := dsaZetas[m]
			for j := start; j < start+length; j++ {
				t := zeta * p[j+length] % dsaQ
				p[j+length] = (p[j] + dsaQ - t) % dsaQ
				p[j] = (p[j] + t) % dsaQ
			}
		}
	}
}

func (p *dsaPoly) transformBack() {
	m := dsaN
	for length := 1; length < dsaN; length *= 2 {
		for start := 0; start < dsaN; start += 2 * length {
			m--
			zeta := dsaQ - dsaZetas[m]
			for j := start; j < start+length; j++ {
				t := p[j]
				p[j] = (t + p[j+length]) % dsaQ
				p[j+length] = zeta * (t + dsaQ - p[j+length]) % dsaQ
			}
		}
	}
	const inverse = 8347681 // of 256
	for j := range p {
		p[j] = p[j] * inverse % dsaQ
	}
}

// dsaZetas are the powers of 1753 by the reversed bits of their numbers (FIPS 204, appendix B).
var dsaZetas = func() (zetas [dsaN]uint64) {
	power := uint64(1)
	for i := range dsaN {
		zetas[bits.Reverse8(uint8(i))] = power
		power = power * 1753 % dsaQ
	}
	return zetas
}()

// packer writes the parts of a key one behind the other.
type packer struct {
	out []byte
	at  int
}

func (w *packer) bytes(b []byte) { w.at += copy(w.out[w.at:], b) }

// poly is BitPack (FIPS 204, algorithm 17): of each coefficient how far it is below the highest, in so many bits.
func (w *packer) poly(p *dsaPoly, highest uint64, width int) {
	var held uint64
	count := 0
	for _, c := range p {
		held |= (highest + dsaQ - c) % dsaQ << count
		for count += width; count >= 8; count -= 8 {
			w.out[w.at] = byte(held)
			w.at++
			held >>= 8
		}
	}
}
