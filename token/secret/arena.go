package secret

import (
	"errors"
	"math/bits"
	"sync"
	"sync/atomic"
)

// Sizes of blocks are powers of two. What is larger than the largest stays on the heap, and so does everything once the arena is full.
const (
	minShift = 5  // 32 bytes
	maxShift = 16 // 64 KiB
)

// current is the arena that secrets come from; nil: the Go heap.
var current atomic.Pointer[arena]

var errArena = errors.New("there is an arena already")

// arena is a region outside the Go heap that is cut into blocks. A block is zero whenever nobody owns it.
type arena struct {
	mu   sync.Mutex
	rest []byte                            // was never cut
	free [maxShift - minShift + 1][][]byte // blocks of each size
}

// UseArena gives secrets that are made from now on memory of their own, which no core dump and no swap space gets a copy of: where the kernel
// has memfd_secret(2), a region that not even the kernel maps ("memfd_secret"), else one that is locked ("locked"). It is for a process
// that has little else to do than to keep keys: the library leaves the memory of the program that loads it alone. On an error secrets
// stay on the heap.
func UseArena(size int) (kind string, err error) {
	region, kind, err := newRegion(max(size, 1<<maxShift))
	if err != nil {
		return "", err
	}
	if !current.CompareAndSwap(nil, &arena{rest: region}) {
		freeRegion(region)
		return "", errArena
	}
	return kind, nil
}

// take gives a block of n zero bytes, whose capacity is the block's size; nil: there is none, or n needs none.
func (a *arena) take(n int) []byte {
	if n <= 0 || n > 1<<maxShift {
		return nil
	}
	size := max(bits.Len(uint(n-1)), minShift) - minShift
	a.mu.Lock()
	defer a.mu.Unlock()
	if mem := a.cut(size); mem != nil {
		return mem[:n]
	}
	return nil
}

// cut finds a free block of a size: one that was given back, one from the rest, or half of a larger one.
func (a *arena) cut(size int) []byte {
	if size >= len(a.free) {
		return nil
	}
	if last := len(a.free[size]) - 1; last >= 0 {
		mem := a.free[size][last]
		a.free[size] = a.free[size][:last]
		return mem
	}
	n := 1 << (size + minShift)
	if len(a.rest) >= n {
		mem := a.rest[:n:n]
		a.rest = a.rest[n:]
		return mem
	}
	mem := a.cut(size + 1)
	if mem == nil {
		return nil
	}
	a.free[size] = append(a.free[size], mem[n:])
	return mem[:n:n]
}

// give takes a block back, and wipes all of it: its owner may have appended.
func (a *arena) give(mem []byte) {
	mem = mem[:cap(mem)]
	Wipe(mem)
	size := bits.Len(uint(len(mem)-1)) - minShift
	a.mu.Lock()
	defer a.mu.Unlock()
	a.free[size] = append(a.free[size], mem)
}
