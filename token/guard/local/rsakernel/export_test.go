//go:build cgo && amd64

package rsakernel

// Halves are the lengths of primes in bytes.
var Halves = []int{1024 / 8, 1536 / 8, 2048 / 8}

// KnownAnswers are what exercise must give.
var KnownAnswers = knownAnswers

// Exercise is the known-answer test's operation, and its numbers.
var (
	Exercise        = exercise
	ExerciseNumbers = exerciseNumbers
)

// Supported asks the processor.
var Supported = supported

// Spoil flips one bit of the key as it lies in memory, of what a fault could hit.
func (k *Key) Spoil(what string) {
	switch what {
	case "exponent":
		k.c.p.digits[7] ^= 1
	case "modulus":
		k.c.q.modulus.limb[3] ^= 4
	case "inverse":
		k.c.qinv.limb[0] ^= 2
	case "constant":
		k.c.q.r3.limb[9] ^= 1 << 50
	default:
		panic(what)
	}
}

// Zero tells whether nothing is left of the key.
func (k *Key) Zero() bool {
	var zero Key
	return k.c == zero.c
}

// Unchecked is the operation alone, on p, q, dP, dQ and qInv of half bytes each.
func Unchecked(half int, secrets, in []byte) []byte {
	k, ok := prepare(half, secrets)
	if !ok {
		return nil
	}
	out := make([]byte, 2*half)
	k.private(out, in)
	return out
}
