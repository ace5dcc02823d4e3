//go:build cgo && amd64

package rsakernel

import (
	"crypto/sha256"
	"crypto/sha3"
	"encoding/hex"
	"fmt"
	"sync"

	"github.com/ncrypt11/ncrypt11/token/secret"
)

// knownAnswers are the SHA-256 sums of what exercise must give for each length of a prime. math/big gives the same (TestKnownAnswers).
var knownAnswers = map[int]string{
	1024 / 8: "89b9684c7347b038e7d4f2d8fae4a39ecc0d0429bccdecfa38d9bb3752653ec8",
	1536 / 8: "d342ea439b22c7ac5ea9330cc71531caefcfcdfd9591cda59afbc635a625f871",
	2048 / 8: "76428f112559902cc43dd8aec14e8c13a2794858497417e1e38dc9ace48c28cd",
}

// tested holds a function for each length, which asks the processor and runs the known-answer test once.
var tested = func() map[int]func() bool {
	m := map[int]func() bool{}
	for half, want := range knownAnswers {
		m[half] = sync.OnceValue(func() bool { return supported() && exercise(half) == want })
	}
	return m
}()

// answers tells whether there is a working kernel for primes of half bytes.
func answers(half int) bool {
	test, ok := tested[half]
	return ok && test()
}

// exercise does one operation on numbers that come from a label. They are as good as a key: the Chinese remainder theorem's formulas
// have an answer for any two odd moduli.
func exercise(half int) string {
	secrets, in := exerciseNumbers(half)
	key, ok := prepare(half, secrets)
	if !ok {
		return ""
	}
	defer key.Wipe()
	out := make([]byte, 2*half)
	key.private(out, in)
	defer secret.Wipe(out)
	sum := sha256.Sum256(out)
	return hex.EncodeToString(sum[:])
}

// exerciseNumbers are p, q, dP, dQ and qInv, and an input below p * q.
func exerciseNumbers(half int) (secrets, in []byte) {
	all := sha3.SumSHAKE256(fmt.Appendf(nil, "RSA known answer %d", 8*half), 7*half)
	secrets, in = all[:5*half], all[5*half:]
	for _, prime := range [][]byte{secrets[:half], secrets[half : 2*half]} {
		prime[0] |= 0xc0
		prime[half-1] |= 1
	}
	secrets[4*half] &= 0x7f
	in[0] &= 0x7f
	return secrets, in
}
