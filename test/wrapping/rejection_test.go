package wrapping_test

import (
	"bytes"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// paddings are what stands under RSA PKCS #1 v1.5, well padded and badly.
var paddings = []struct {
	name  string
	spoil func(em, key []byte)
}{
	{"good", func(em, key []byte) {}},
	{"another first byte", func(em, key []byte) { em[0] = 1 }},
	{"another type", func(em, key []byte) { em[1] = 1 }},
	{"a zero in the first eight", func(em, key []byte) { em[9] = 0 }},
	{"no end of the padding", func(em, key []byte) { em[len(em)-len(key)-1] = 7; key[0] |= 1; noZeros(em[2:]) }},
	{"a key of another length", func(em, key []byte) {
		em[len(em)-len(key)-1] = 7
		em[len(em)-len(key)] = 0
		noZeros(em[len(em)-len(key)+1:])
	}},
	{"an empty key", func(em, key []byte) { noZeros(em[2:]); em[len(em)-1] = 0 }},
	{"no padding at all", func(em, key []byte) { copy(em[1:], random(len(em)-1)) }},
}

func noZeros(b []byte) {
	for i := range b {
		if b[i] == 0 {
			b[i] = 9
		}
	}
}

// pad encrypts a key of 32 bytes with a padding, which nothing but raw RSA would.
func pad(f *fixtures, spoil func(em, key []byte)) []byte {
	size := f.rsa.Size()
	em := random(size)
	noZeros(em)
	em[0], em[1] = 0, 2
	key := em[size-32:]
	em[size-33] = 0
	spoil(em, key)
	n := new(big.Int).SetBytes(em)
	return n.Exp(n, big.NewInt(int64(f.rsa.E)), f.rsa.N).FillBytes(make([]byte, size))
}

// pkcs1 is our module with a key that RSA PKCS #1 v1.5 is tried on.
func pkcs1(t *testing.T) (us *token, unwrap func(wrapped []byte) ([]byte, error)) {
	t.Helper()
	us = ours(t, newFixtures(t))
	m := &mechanism{name: "RSA PKCS #1 v1.5", typ: ck.CKM_RSA_PKCS}
	unwrapping, err := us.unwrapping(m)
	must(t, err)
	p := &payload{keyType: ck.CKK_AES, secret: make([]byte, 32)}
	template := append(p.described(), pkcs11.NewAttribute(pkcs11.CKA_VALUE_LEN, 32))
	return us, func(wrapped []byte) ([]byte, error) {
		key, err := us.unwrapUnder(m, unwrapping, template, wrapped)
		if err != nil {
			return nil, err
		}
		parts, err := us.parts(p, key)
		if err != nil {
			return nil, err
		}
		return parts[0], us.DestroyObject(us.h, key)
	}
}

// Whether the padding is good cannot be learnt: a key comes out of everything, and of the same ciphertext the same key.
func TestBadPaddingIsNotToldApart(t *testing.T) {
	us, unwrap := pkcs1(t)
	seen := map[string]bool{}
	for _, padding := range paddings {
		for range 20 {
			wrapped := pad(us.fixtures, padding.spoil)
			first, err := unwrap(wrapped)
			if err != nil || len(first) != 32 {
				t.Fatalf("%s: %d bytes, %v", padding.name, len(first), err)
			}
			again, err := unwrap(wrapped)
			if err != nil || !bytes.Equal(again, first) {
				t.Errorf("%s: another key the second time, %v", padding.name, err)
			}
			if seen[string(first)] {
				t.Errorf("%s: the key of another ciphertext", padding.name)
			}
			seen[string(first)] = true
		}
	}
}

// Nor by the time it takes. Good and bad ones take turns, in an order that is drawn; a slow machine is slow for both.
func TestBadPaddingTakesAsLong(t *testing.T) {
	rounds, most := 2000, bound{share: 0.03, t: 12}
	if os.Getenv("NCRYPT11_LONG") != "" {
		rounds, most = 50_000, bound{share: 0.005, t: 4.5}
	}
	us, unwrap := pkcs1(t)
	const kinds = 32 // ciphertexts of each padding
	ciphertexts := make([][][]byte, len(paddings))
	for i, padding := range paddings {
		for range kinds {
			ciphertexts[i] = append(ciphertexts[i], pad(us.fixtures, padding.spoil))
		}
	}
	times := make([][]float64, len(paddings))
	for round := range rounds * len(paddings) {
		which := rand.IntN(len(paddings))
		wrapped := ciphertexts[which][rand.IntN(kinds)]
		start := time.Now()
		_, err := unwrap(wrapped)
		took := time.Since(start)
		must(t, err)
		if round >= 100 { // when everything is warm
			times[which] = append(times[which], float64(took))
		}
	}
	for i, padding := range paddings[1:] {
		share, score := differ(times[0], times[i+1])
		t.Logf("%s: %+.2f%%, t %.1f", padding.name, 100*share, score)
		if math.Abs(share) > most.share && math.Abs(score) > most.t {
			t.Errorf("%s takes %+.2f%% of the time more, t %.1f", padding.name, 100*share, score)
		}
	}
}

// bound is the difference that is too much: of the medians, and by Welch's test.
type bound struct{ share, t float64 }

// differ compares two samples without their slow quarters, which other programs made.
func differ(a, b []float64) (share, score float64) {
	a, b = fastest(a), fastest(b)
	meanA, varianceA := moments(a)
	meanB, varianceB := moments(b)
	return b[len(b)/2]/a[len(a)/2] - 1, (meanB - meanA) / math.Sqrt(varianceA/float64(len(a))+varianceB/float64(len(b)))
}

func fastest(sample []float64) []float64 {
	sorted := slices.Sorted(slices.Values(sample))
	return sorted[:3*len(sorted)/4]
}

func moments(sample []float64) (mean, variance float64) {
	for _, x := range sample {
		mean += x / float64(len(sample))
	}
	for _, x := range sample {
		variance += (x - mean) * (x - mean) / float64(len(sample)-1)
	}
	return mean, variance
}
