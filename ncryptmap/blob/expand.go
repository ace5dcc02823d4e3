package blob

import (
	"crypto/mlkem"
	"crypto/sha3"
	"math/bits"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// A private key of ML-KEM is written out as its secret vector, the public key, the hash of that, and z (FIPS 203, algorithms 13 and 16). crypto/mlkem keeps the
// vector to itself, so it is computed here for blobs that want it.

const (
	kemQ     = 3329
	kemN     = 256
	kemEta   = 2 // of ML-KEM-768 and ML-KEM-1024
	kemBlock = 12 * kemN / 8
)

// expanded is a private key of the set written out, of its seed; nil where it cannot be had.
func (s *pqSet) expanded(seed []byte) *secret.Bytes {
	switch {
	case len(seed) != s.lengths[pqSeed]:
		return nil
	case s.algorithm == mlDSA:
		return s.expandedDSA(seed)
	case s.algorithm != mlKEM:
		return nil
	}
	var public []byte
	switch s.number {
	case ck.CKP_ML_KEM_768:
		if key, err := mlkem.NewDecapsulationKey768(seed); err == nil {
			public = key.EncapsulationKey().Bytes()
		}
	case ck.CKP_ML_KEM_1024:
		if key, err := mlkem.NewDecapsulationKey1024(seed); err == nil {
			public = key.EncapsulationKey().Bytes()
		}
	}
	if public == nil { // Go has no ML-KEM-512
		return nil
	}
	out := secret.New(s.lengths[pqPrivate])
	vector := out.Bytes()[:len(public)-32] // as long as the public one, which has rho behind it
	expandKEMVector(vector, seed[:32])
	rest := out.Bytes()[copy(out.Bytes()[len(vector):], public)+len(vector):]
	hash := sha3.Sum256(public)
	copy(rest[copy(rest, hash[:]):], seed[32:])
	return out
}

// expandKEMVector computes the secret vector of d, as it is encoded (FIPS 203, algorithm 13, steps 1 and 8 to 20).
func expandKEMVector(out, d []byte) {
	k := len(out) / kemBlock
	var seed [33]byte
	defer secret.Wipe(seed[:])
	seed[copy(seed[:], d)] = byte(k)
	g := sha3.Sum512(seed[:])
	defer secret.Wipe(g[:])
	sigma := g[32:]
	var noise [64 * kemEta]byte
	defer secret.Wipe(noise[:])
	var f [kemN]uint32
	defer clear(f[:])
	for i := range k {
		prf := sha3.NewSHAKE256()
		_, _ = prf.Write(sigma)
		_, _ = prf.Write([]byte{byte(i)})
		_, _ = prf.Read(noise[:])
		sampleKEM(&f, &noise)
		transformKEM(&f)
		encodeKEM(out[i*kemBlock:(i+1)*kemBlock], &f)
	}
}

// sampleKEM is SamplePolyCBD with eta 2 (FIPS 203, algorithm 8): four bits make a coefficient.
func sampleKEM(f *[kemN]uint32, noise *[64 * kemEta]byte) {
	for i := range f {
		b := uint32(noise[i/2]>>(4*(i%2))) & 0xf
		f[i] = (kemQ + b&1 + b>>1&1 - b>>2&1 - b>>3&1) % kemQ
	}
}

// transformKEM is NTT (FIPS 203, algorithm 9). What is secret decides no branch and no address, and the compiler divides by a constant without a division.
func transformKEM(f *[kemN]uint32) {
	i := 1
	for length := kemN / 2; length >= 2; length /= 2 {
		for start := 0; start < kemN; start += 2 * length {
			zeta := kemZeta(i)
			i++
			for j := start; j < start+length; j++ {
				t := zeta * f[j+length] % kemQ
				f[j+length] = (f[j] + kemQ - t) % kemQ
				f[j] = (f[j] + t) % kemQ
			}
		}
	}
}

// kemZeta is 17 to the power of i with its seven bits reversed (FIPS 203, section 4.3).
func kemZeta(i int) uint32 {
	const root, sevenBits = 17, 7
	zeta := uint32(1)
	for range bits.Reverse8(uint8(i)) >> (8 - sevenBits) {
		zeta = zeta * root % kemQ
	}
	return zeta
}

// encodeKEM is ByteEncode with 12 bits (FIPS 203, algorithm 5).
func encodeKEM(out []byte, f *[kemN]uint32) {
	for i := 0; i < kemN; i += 2 {
		pair := f[i] | f[i+1]<<12
		out[3*i/2], out[3*i/2+1], out[3*i/2+2] = byte(pair), byte(pair>>8), byte(pair>>16)
	}
}
