//go:build cgo && amd64

package rsakernel_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"math/big"
	"sync"
	"testing"

	"filippo.io/bigmod"

	"github.com/ncrypt11/ncrypt11/token/guard/local/rsakernel"
)

// needKernel skips where the processor lacks AVX-512 IFMA: there is nothing to test then.
func needKernel(t testing.TB) {
	t.Helper()
	if !rsakernel.Supported() {
		t.Skip("the processor or the operating system lacks AVX-512 IFMA")
	}
	if !rsakernel.Available() {
		t.Fatal("the known-answer test fails")
	}
}

// sample is a key of each length, made once.
var sample = func() map[int]func() *rsa.PrivateKey {
	m := map[int]func() *rsa.PrivateKey{}
	for _, half := range rsakernel.Halves {
		m[16*half] = sync.OnceValue(func() *rsa.PrivateKey { return generate(16 * half) })
	}
	return m
}()

func generate(bits int) *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return k
}

func numbers(k *rsa.PrivateKey) *rsakernel.Numbers {
	n, err := bigmod.NewModulus(k.N.Bytes())
	if err != nil {
		panic(err)
	}
	p := k.Precomputed
	return &rsakernel.Numbers{
		N: n, E: uint(k.E), P: k.Primes[0].Bytes(), Q: k.Primes[1].Bytes(), DP: p.Dp.Bytes(), DQ: p.Dq.Bytes(), QInv: p.Qinv.Bytes(),
	}
}

func newKey(t testing.TB, k *rsa.PrivateKey) *rsakernel.Key {
	t.Helper()
	key, ok := rsakernel.New(numbers(k))
	if !ok {
		t.Fatalf("no kernel for %d bits", k.N.BitLen())
	}
	return key
}

// agree checks one operation against math/big: the result is below the modulus, and right modulo both primes.
func agree(t testing.TB, key *rsakernel.Key, k *rsa.PrivateKey, in *big.Int) {
	t.Helper()
	out := make([]byte, k.Size())
	if !key.Private(out, in.FillBytes(make([]byte, k.Size()))) {
		t.Fatalf("%d bits: %x: refused", k.N.BitLen(), in)
	}
	got := new(big.Int).SetBytes(out)
	if got.Cmp(k.N) >= 0 {
		t.Fatalf("%d bits: %x: got %x, which is not below the modulus", k.N.BitLen(), in, got)
	}
	for i, d := range []*big.Int{k.Precomputed.Dp, k.Precomputed.Dq} {
		prime := k.Primes[i]
		if want := new(big.Int).Exp(in, d, prime); want.Cmp(new(big.Int).Mod(got, prime)) != 0 {
			t.Fatalf("%d bits: %x: got %x, want %x modulo %x", k.N.BitLen(), in, got, want, prime)
		}
	}
}

// TestAgainstMathBig has many keys, for each is another pair of moduli, and many inputs.
func TestAgainstMathBig(t *testing.T) {
	needKernel(t)
	for _, c := range []struct{ bits, keys, inputs int }{{2048, 20, 100}, {3072, 2, 50}, {4096, 2, 25}} {
		t.Run(fmt.Sprint(c.bits), func(t *testing.T) {
			t.Parallel()
			for range c.keys {
				k := generate(c.bits)
				key := newKey(t, k)
				for range c.inputs {
					in, err := rand.Int(rand.Reader, k.N)
					if err != nil {
						t.Fatal(err)
					}
					agree(t, key, k, in)
				}
			}
		})
	}
}

func edges(k *rsa.PrivateKey) (e []*big.Int) {
	p, q, one := k.Primes[0], k.Primes[1], big.NewInt(1)
	half := uint(k.N.BitLen() / 2)
	limbs := 52 * (half/52 + 1)
	for _, n := range []*big.Int{
		new(big.Int), one, big.NewInt(2), p, q, new(big.Int).Lsh(p, half-1), new(big.Int).Mul(q, big.NewInt(65537)),
		new(big.Int).Sub(k.N, p), new(big.Int).Sub(k.N, q), new(big.Int).Rsh(k.N, 1), new(big.Int).Sub(k.N, one),
		new(big.Int).Lsh(one, half), new(big.Int).Lsh(one, limbs), new(big.Int).Lsh(one, 52), new(big.Int).Lsh(one, uint(k.N.BitLen()-1)),
	} {
		for d := int64(-2); d <= 2; d++ {
			if near := new(big.Int).Add(n, big.NewInt(d)); near.Sign() >= 0 && near.Cmp(k.N) < 0 {
				e = append(e, near)
			}
		}
	}
	return e
}

func TestEdges(t *testing.T) {
	needKernel(t)
	for bits, k := range sample {
		key := newKey(t, k())
		for _, in := range edges(k()) {
			agree(t, key, k(), in)
		}
		size := bits / 8
		out, in := make([]byte, size), make([]byte, size)
		for _, n := range []*big.Int{k().N, new(big.Int).Add(k().N, big.NewInt(1))} {
			if key.Private(out, n.FillBytes(in)) {
				t.Errorf("%d bits: an input that is not below the modulus passes", bits)
			}
		}
		if key.Private(out, bytes.Repeat([]byte{0xff}, size)) {
			t.Errorf("%d bits: an input of ones passes", bits)
		}
		if key.Private(out[1:], in) || key.Private(out, in[1:]) || key.Private(nil, nil) {
			t.Errorf("%d bits: other lengths pass", bits)
		}
	}
}

// TestOrderOfPrimes: the coefficient is of q modulo p, whichever is larger.
func TestOrderOfPrimes(t *testing.T) {
	needKernel(t)
	k := sample[2048]()
	swapped := *k
	swapped.Primes = []*big.Int{k.Primes[1], k.Primes[0]}
	swapped.Precomputed = rsa.PrecomputedValues{}
	swapped.Precompute()
	agree(t, newKey(t, &swapped), k, big.NewInt(1234567))
}

// TestRefusedKeys: what the arithmetic does not hold for is left to others.
func TestRefusedKeys(t *testing.T) {
	needKernel(t)
	good := sample[2048]()
	for what, change := range map[string]func(*rsakernel.Numbers){
		"an even prime":  func(k *rsakernel.Numbers) { k.P = append(bytes.Clone(k.P[:127]), k.P[127]&^1) },
		"a short prime":  func(k *rsakernel.Numbers) { k.Q = k.Q[1:] },
		"a long prime":   func(k *rsakernel.Numbers) { k.P = append([]byte{1}, k.P...) },
		"a long inverse": func(k *rsakernel.Numbers) { k.QInv = bytes.Repeat([]byte{1}, 129) },
		"no prime":       func(k *rsakernel.Numbers) { k.P = nil },
		"a small top":    func(k *rsakernel.Numbers) { k.P = append([]byte{0x7f}, k.P[1:]...) },
	} {
		k := numbers(good)
		change(k)
		if _, ok := rsakernel.New(k); ok {
			t.Errorf("%s is taken", what)
		}
	}
	if _, ok := rsakernel.New(numbers(generate(1024))); ok {
		t.Error("1024 bits are taken")
	}
	if _, ok := rsakernel.New(numbers(generate(2560))); ok {
		t.Error("2560 bits are taken")
	}
}

// TestWrongKey: a key that is none gives no result.
func TestWrongKey(t *testing.T) {
	needKernel(t)
	k, other := numbers(sample[2048]()), numbers(generate(2048))
	in := make([]byte, 256)
	in[255] = 3
	for what, change := range map[string]func(*rsakernel.Numbers){
		"another prime":    func(k *rsakernel.Numbers) { k.P = other.P },
		"another exponent": func(k *rsakernel.Numbers) { k.DQ = other.DQ },
		"another inverse":  func(k *rsakernel.Numbers) { k.QInv = other.QInv },
		"another modulus":  func(k *rsakernel.Numbers) { k.N = other.N },
		"another e":        func(k *rsakernel.Numbers) { k.E = 3 },
	} {
		wrong := *k
		change(&wrong)
		key, ok := rsakernel.New(&wrong)
		if !ok {
			t.Fatalf("%s is refused at once", what)
		}
		noResult(t, what, key, in)
	}
}

// TestFaults: a bit that flips after the key was made spoils the result, which then must not leave.
func TestFaults(t *testing.T) {
	needKernel(t)
	for bits, k := range sample {
		in := make([]byte, bits/8)
		rand.Read(in[1:])
		for _, what := range []string{"exponent", "modulus", "inverse", "constant"} {
			key := newKey(t, k())
			key.Spoil(what)
			noResult(t, fmt.Sprint(bits, " bits, ", what), key, in)
		}
	}
}

func noResult(t *testing.T, what string, key *rsakernel.Key, in []byte) {
	t.Helper()
	out := bytes.Repeat([]byte{0xaa}, len(in))
	if key.Private(out, in) {
		t.Errorf("%s: a wrong result leaves", what)
	}
	if !bytes.Equal(out, make([]byte, len(in))) {
		t.Errorf("%s: something of a wrong result leaves", what)
	}
}

func TestWipe(t *testing.T) {
	needKernel(t)
	key := newKey(t, sample[2048]())
	if key.Zero() {
		t.Fatal("a key of zeros")
	}
	key.Wipe()
	if !key.Zero() {
		t.Fatal("something is left")
	}
}

// TestConcurrent has goroutines share keys of all lengths, and scratch memory with them.
func TestConcurrent(t *testing.T) {
	needKernel(t)
	var wg sync.WaitGroup
	for _, k := range sample {
		key := newKey(t, k())
		for i := range int64(4) {
			wg.Go(func() {
				in := big.NewInt(i + 2)
				want := new(big.Int).Exp(in, k().D, k().N).FillBytes(make([]byte, k().Size()))
				got := make([]byte, k().Size())
				for range 20 {
					if !key.Private(got, in.FillBytes(make([]byte, k().Size()))) || !bytes.Equal(got, want) {
						t.Error("wrong beside others")
						return
					}
				}
			})
		}
	}
	wg.Wait()
}
