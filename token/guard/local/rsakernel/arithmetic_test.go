//go:build cgo && amd64

package rsakernel_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/guard/local/rsakernel"
)

// The tests here go below the check with the public exponent, which makes of any wrong number a refusal. Moduli need not be primes then, nor the other numbers
// those of a key: the formulas of the Chinese remainder theorem have an answer for any two odd moduli.

// remainder is what the kernel computes, by math/big.
func remainder(half int, secrets, in []byte) []byte {
	part := func(i int) *big.Int { return new(big.Int).SetBytes(secrets[i*half : (i+1)*half]) }
	p, q, dP, dQ, qInv, c := part(0), part(1), part(2), part(3), part(4), new(big.Int).SetBytes(in)
	m1, m2 := new(big.Int).Exp(c, dP, p), new(big.Int).Exp(c, dQ, q)
	h := m1.Sub(m1, m2)
	h.Mul(h, qInv).Mod(h, p)
	return h.Mul(h, q).Add(h, m2).FillBytes(make([]byte, 2*half))
}

// TestKnownAnswers computes with math/big what the start-up test expects.
func TestKnownAnswers(t *testing.T) {
	for _, half := range rsakernel.Halves {
		secrets, in := rsakernel.ExerciseNumbers(half)
		sum := sha256.Sum256(remainder(half, secrets, in))
		want := hex.EncodeToString(sum[:])
		if rsakernel.KnownAnswers[half] != want {
			t.Errorf("%d bits: the known answer is %s, want %s", 16*half, rsakernel.KnownAnswers[half], want)
		}
		if got := rsakernel.Exercise(half); rsakernel.Supported() && got != want {
			t.Errorf("%d bits: the kernel gives %s, want %s", 16*half, got, want)
		}
	}
}

// extremes are bytes whose limbs make carries run far, or nowhere.
func extremes(size int) [][]byte {
	zeros, ones := make([]byte, size), bytes.Repeat([]byte{0xff}, size)
	return [][]byte{
		zeros, ones,
		append(bytes.Clone(ones[:size/2]), zeros[size/2:]...),
		append(bytes.Clone(zeros[:size/2]), ones[size/2:]...),
		append(bytes.Clone(zeros[:size-1]), 2),
	}
}

// TestLongCarries takes all pairs of extreme moduli and inputs, with extreme exponents.
func TestLongCarries(t *testing.T) {
	needKernel(t)
	for _, half := range rsakernel.Halves {
		parts := extremes(half)
		for i, p := range parts {
			for j, q := range parts {
				for k, in := range extremes(2 * half) {
					same(t, half, secretsOf(half, p, q, parts[k], parts[(k+i)%len(parts)], parts[(k+j)%len(parts)]), in)
				}
			}
		}
	}
}

// secretsOf puts parts together, of any lengths, and makes moduli of the first two.
func secretsOf(half int, parts ...[]byte) []byte {
	secrets := make([]byte, 5*half)
	for i, part := range parts {
		copy(secrets[i*half:(i+1)*half], part)
	}
	for _, modulus := range [][]byte{secrets[:half], secrets[half : 2*half]} {
		modulus[0] |= 0x80
		modulus[half-1] |= 1
	}
	return secrets
}

func same(t *testing.T, half int, secrets, in []byte) {
	t.Helper()
	got, want := rsakernel.Unchecked(half, secrets, in), remainder(half, secrets, in)
	if !bytes.Equal(got, want) {
		t.Fatalf("%d bits, secrets %x, input %x: got %x, want %x", 16*half, secrets, in, got, want)
	}
}

func FuzzPrivate(f *testing.F) {
	needKernel(f)
	for i := range rsakernel.Halves {
		f.Add(uint8(i), bytes.Repeat([]byte{0xff}, 256), []byte{1}, []byte("dP"), []byte("dQ"), []byte("qInv"), bytes.Repeat([]byte{0xff}, 512))
	}
	f.Fuzz(func(t *testing.T, which uint8, p, q, dP, dQ, qInv, input []byte) {
		half := rsakernel.Halves[int(which)%len(rsakernel.Halves)]
		in := make([]byte, 2*half)
		copy(in, input)
		same(t, half, secretsOf(half, p, q, dP, dQ, qInv), in)
	})
}
