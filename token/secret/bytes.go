// Package secret holds bytes that must not outlive their use: plaintext keys, PINs and what is derived from them.
package secret

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
)

// Bytes owns secret bytes. Close zeroes them. It refuses to be printed, compared with == by value, or serialized, so that no
// log line, error text or JSON document can carry them by mistake. The zero value and nil are empty.
//
// The slice from Bytes() is the owner's own memory: it must not be kept after Close, nor where nobody holds the owner any more. After
// UseArena the collector does not know the memory, and somebody else gets it.
type Bytes struct {
	// Two pointers deep, because fmt walks into unexported fields without asking their methods and follows one pointer.
	mem **block
	_   [0]func() // not comparable
}

// block is the memory of one secret, which copies of a Bytes share.
type block struct {
	bytes  []byte
	closed atomic.Bool
	home   *arena          // nil: the Go heap
	leak   runtime.Cleanup // what an arena does about a block that nobody closes
}

// New returns n zero bytes that Close will zero again.
func New(n int) *Bytes {
	if a := current.Load(); a != nil {
		if mem := a.take(n); mem != nil {
			return own(mem, a)
		}
	}
	return own(make([]byte, n), nil)
}

func own(mem []byte, home *arena) *Bytes {
	b := &block{bytes: mem, home: home}
	if home != nil {
		b.leak = runtime.AddCleanup(b, home.give, mem)
	}
	return &Bytes{mem: &b}
}

// Copy returns a new owner of a copy of src; src stays its owner's business.
func Copy(src []byte) *Bytes {
	s := New(len(src))
	copy(s.Bytes(), src)
	return s
}

// From takes over src: its bytes are moved into the new owner and src is zeroed.
func From(src []byte) *Bytes {
	s := Copy(src)
	Wipe(src)
	return s
}

// Bytes returns the secret itself; nil after Close.
func (s *Bytes) Bytes() []byte {
	if s == nil || s.mem == nil || (*s.mem).closed.Load() {
		return nil
	}
	return (*s.mem).bytes
}

// Len is the number of secret bytes.
func (s *Bytes) Len() int { return len(s.Bytes()) }

// Clone returns an independent owner of the same bytes.
func (s *Bytes) Clone() *Bytes {
	defer runtime.KeepAlive(s)
	return Copy(s.Bytes())
}

// Equal compares in constant time for equal lengths.
func (s *Bytes) Equal(other []byte) bool {
	defer runtime.KeepAlive(s)
	return subtle.ConstantTimeCompare(s.Bytes(), other) == 1
}

// Close zeroes the bytes. It may be called more than once, and on nil.
func (s *Bytes) Close() {
	if s == nil || s.mem == nil {
		return
	}
	b := *s.mem
	if b.closed.Swap(true) {
		return
	}
	if b.home == nil {
		Wipe(b.bytes)
		return
	}
	b.leak.Stop()
	b.home.give(b.bytes)
}

// Wipe zeroes b in place.
func Wipe(b []byte) {
	clear(b)
	runtime.KeepAlive(&b) // the stores are not dead
}

const redacted = "[secret]"

var errSerialize = errors.New("secret.Bytes cannot be serialized")

// String never shows the bytes.
func (Bytes) String() string { return redacted }

// GoString never shows the bytes.
func (Bytes) GoString() string { return redacted }

// Format never shows the bytes, whatever the verb.
func (Bytes) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalJSON always fails.
func (Bytes) MarshalJSON() ([]byte, error) { return nil, errSerialize }

// MarshalText always fails.
func (Bytes) MarshalText() ([]byte, error) { return nil, errSerialize }

// MarshalBinary always fails.
func (Bytes) MarshalBinary() ([]byte, error) { return nil, errSerialize }
