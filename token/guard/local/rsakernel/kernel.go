//go:build cgo && amd64

package rsakernel

// #cgo CFLAGS: -std=gnu11 -O2 -Wall -Wextra -fvisibility=hidden
// #cgo noescape rsakernel_prepare
// #cgo nocallback rsakernel_prepare
// #include "kernel.h"
import "C"

import (
	"bytes"
	"sync"
	"unsafe"

	"filippo.io/bigmod"

	"github.com/ncrypt11/ncrypt11/token/guard/local/rsakernel/leaf"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Key is an RSA private key with what can be computed beforehand. It may be used by several goroutines at once.
type Key struct {
	half int // bytes of a prime
	c    C.rsakernel_key
	n    *bigmod.Modulus
	e    uint
}

// supported asks processor and operating system.
var supported = sync.OnceValue(func() bool { return C.rsakernel_supported() != 0 })

// Available tells whether RSA-2048 keys can be used here.
func Available() bool { return answers(2048 / 16) }

// New prepares a key. It gives false for one that is not for this package, and where the processor is not.
func New(k *Numbers) (*Key, bool) {
	half := k.N.Size() / 2
	if !answers(half) || k.N.Size()%2 != 0 {
		return nil, false
	}
	secrets := secret.New(5 * half)
	defer secrets.Close()
	for i, number := range [][]byte{k.P, k.Q, k.DP, k.DQ, k.QInv} {
		number = bytes.TrimLeft(number, "\x00")
		if len(number) > half {
			return nil, false
		}
		copy(secrets.Bytes()[(i+1)*half-len(number):], number)
	}
	key, ok := prepare(half, secrets.Bytes())
	if !ok {
		return nil, false
	}
	key.n, key.e = k.N, k.E
	return key, true
}

// prepare takes p, q, dP, dQ and qInv, half bytes each. It gives false where the arithmetic would not hold.
func prepare(half int, secrets []byte) (*Key, bool) {
	for _, prime := range [][]byte{secrets[:half], secrets[half : 2*half]} {
		if prime[0] < 0x80 || prime[half-1]&1 == 0 {
			return nil, false
		}
	}
	key := &Key{half: half}
	s := scratch.Get().(*C.rsakernel_scratch)
	defer scratch.Put(s)
	C.rsakernel_prepare(C.int(half), &key.c, s, pointer(secrets))
	return key, true
}

// Private sets dst to in^d mod n. Both have the modulus's length. It gives false, and nothing in dst, for an in that is not below the modulus and for
// a result that the public exponent does not lead back to in.
func (k *Key) Private(dst, in []byte) bool {
	if len(dst) != 2*k.half || len(in) != 2*k.half {
		return false
	}
	c, err := bigmod.NewNat().SetBytes(in, k.n)
	if err != nil {
		return false
	}
	k.private(dst, in)
	m, err := bigmod.NewNat().SetBytes(dst, k.n)
	if err == nil {
		defer clear(m.Bits())
		if bigmod.NewNat().ExpShortVarTime(m, k.e, k.n).Equal(c) == 1 {
			return true
		}
	}
	secret.Wipe(dst)
	return false
}

// operations are the C functions, by the length of a prime in bytes.
var operations = map[int]unsafe.Pointer{
	1024 / 8: C.rsakernel_private_1024,
	1536 / 8: C.rsakernel_private_1536,
	2048 / 8: C.rsakernel_private_2048,
}

// private does not check.
func (k *Key) private(dst, in []byte) {
	s := scratch.Get().(*C.rsakernel_scratch)
	defer scratch.Put(s)
	leaf.Call(operations[k.half], unsafe.Pointer(&k.c), unsafe.Pointer(s), unsafe.Pointer(unsafe.SliceData(dst)), unsafe.Pointer(unsafe.SliceData(in)))
}

// Wipe zeroes the key. It must not be in use, nor be used again.
func (k *Key) Wipe() { k.c = C.rsakernel_key{} }

// scratch is kept between operations. C wipes it.
var scratch = sync.Pool{New: func() any { return new(C.rsakernel_scratch) }}

func pointer(b []byte) *C.uint8_t { return (*C.uint8_t)(unsafe.SliceData(b)) }
