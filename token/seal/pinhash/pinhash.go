// Package pinhash makes guessing a PIN cost something: Argon2id (RFC 9106), within bounds that a hostile file cannot exceed.
package pinhash

import (
	"encoding/binary"
	"sync"

	"golang.org/x/crypto/argon2"

	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Cost is what one guess of a PIN costs: the Argon2id parameters of RFC 9106.
type Cost struct {
	Passes  uint32
	KiB     uint32
	Threads uint8
}

// Default is 19 MiB and two passes in one thread, about 20 ms: enough to be felt by who guesses, and little enough to be asked of
// every program that logs in.
var Default = Cost{Passes: 2, KiB: 19 * 1024, Threads: 1}

// CostLen is the length of an encoded cost, Len that of what Hash gives.
const (
	CostLen = 4 + 4 + 1
	Len     = 32
)

// The cost that a sealed master key asks for comes from a file, and in a guard from any user: what one takes, all the others wait for, and its memory
// is locked. So a hostile one gets half a second and 128 MiB. RFC 9106 recommends 64 MiB and three passes where memory is scarce.
const (
	maxPasses  = 64
	maxKiB     = 128 << 10
	maxThreads = 16
	maxWork    = 512 << 10 // passes times KiB
)

// OK says whether the cost is within bounds.
func (c Cost) OK() bool {
	return c.Passes >= 1 && c.Passes <= maxPasses &&
		c.Threads >= 1 && c.Threads <= maxThreads &&
		c.KiB >= 8*uint32(c.Threads) && c.KiB <= maxKiB &&
		uint64(c.Passes)*uint64(c.KiB) <= maxWork
}

// Append encodes the cost.
func (c Cost) Append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, c.Passes)
	dst = binary.BigEndian.AppendUint32(dst, c.KiB)
	return append(dst, c.Threads)
}

// Parse decodes what Append wrote, from the start of src. It checks nothing.
func Parse(src [CostLen]byte) Cost {
	return Cost{Passes: binary.BigEndian.Uint32(src[:]), KiB: binary.BigEndian.Uint32(src[4:]), Threads: src[8]}
}

// one derivation at a time: parallel logins queue up and do not add up their memory.
var one sync.Mutex

// Hash is Argon2id of the PIN, Len bytes long, which the caller closes. The cost is within bounds.
func (c Cost) Hash(pin *secret.Bytes, salt []byte) *secret.Bytes {
	one.Lock()
	defer one.Unlock()
	return secret.From(argon2.IDKey(pin.Bytes(), salt, c.Passes, c.KiB, c.Threads, Len))
}
