package cabi

/*
#include <stdlib.h>
#pragma GCC visibility push(protected)
#include "../include/ncrypt.h"
#pragma GCC visibility pop
*/
import "C"

import (
	"sync"
	"unicode/utf16"
	"unsafe"

	"github.com/ncrypt11/ncrypt11/ncryptmap"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
)

// maxText bounds the texts that callers pass, in characters: every name that NCrypt has a limit for is shorter.
const maxText = 4096

// maxParameters bounds a list of parameters.
const maxParameters = 1024

// wideText reads a caller's text up to its NUL. NULL is RPC_X_NULL_REF_POINTER.
func wideText(what string, p *C.WCHAR) (string, error) {
	if p == nil {
		return "", nte.Errorf(nte.RPC_X_NULL_REF_POINTER, "%s is NULL", what)
	}
	n := 0
	for *(*uint16)(unsafe.Add(unsafe.Pointer(p), 2*n)) != 0 {
		if n++; n > maxText {
			return "", nte.Errorf(nte.NTE_INVALID_PARAMETER, "%s has more than %d characters, or no end", what, maxText)
		}
	}
	units := append([]uint16{}, unsafe.Slice((*uint16)(unsafe.Pointer(p)), n)...)
	runes := utf16.Decode(units)
	for i, u := range utf16.Encode(runes) {
		if i >= len(units) || u != units[i] {
			return "", nte.Errorf(nte.NTE_INVALID_PARAMETER, "%s is not UTF-16", what)
		}
	}
	return string(runes), nil
}

// optionalText is wideText where NULL means none.
func optionalText(what string, p *C.WCHAR) (string, error) {
	if p == nil {
		return "", nil
	}
	return wideText(what, p)
}

// memory is the caller's bytes, to be read during the call only. nil is a NULL, which is refused here where it has a length.
func memory(what string, p C.PBYTE, n C.DWORD) ([]byte, error) {
	if p == nil {
		if n != 0 {
			return nil, nte.Errorf(nte.RPC_X_NULL_REF_POINTER, "%s is NULL, with a length of %d", what, n)
		}
		return nil, nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(p)), n), nil
}

// place refuses a NULL place for a result.
func place[T any](what string, p *T) error {
	if p == nil {
		return nte.Errorf(nte.NTE_INVALID_PARAMETER, "%s is NULL", what)
	}
	return nil
}

// deliver has a function put its bytes where the caller has room: a NULL buffer asks for their length, which is stored with success and with
// NTE_BUFFER_TOO_SMALL.
func deliver(p C.PBYTE, n C.DWORD, length *C.DWORD, f func(token.Output) (int, error)) error {
	if err := place("pcbResult", length); err != nil {
		return err
	}
	out := token.Output{Null: p == nil}
	if p != nil {
		out.Buf = unsafe.Slice((*byte)(unsafe.Pointer(p)), n)
	}
	size, err := f(out)
	if err == nil || nte.Code(err) == nte.NTE_BUFFER_TOO_SMALL {
		*length = C.DWORD(size)
	}
	return err
}

// parameters reads a list of parameters, whose bytes stay the caller's. NULL is none.
func parameters(desc *C.NCryptBufferDesc) (*ncryptmap.Buffers, error) {
	if desc == nil {
		return nil, nil
	}
	list, n := desc.pBuffers, desc.cBuffers // another thread of the caller may write there
	switch {
	case n > maxParameters:
		return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "%d parameters", n)
	case n > 0 && list == nil:
		return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "%d parameters at NULL", n)
	}
	buffers := &ncryptmap.Buffers{Version: uint32(desc.ulVersion), List: make([]ncryptmap.Buffer, 0, n)}
	for _, b := range unsafe.Slice(list, n) {
		data, err := memory("a parameter", C.PBYTE(b.pvBuffer), b.cbBuffer)
		if err != nil {
			return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "%w", err)
		}
		buffers.List = append(buffers.List, ncryptmap.Buffer{Type: uint32(b.BufferType), Data: data})
	}
	return buffers, nil
}

// blocks is the memory that was given to the caller and not yet taken back, by address. What stands behind an address is that of an enumeration's state;
// nil for all else.
type blocks struct {
	mu   sync.Mutex
	live map[unsafe.Pointer]*enumeration
}

var given = blocks{live: map[unsafe.Pointer]*enumeration{}}

// allocate gives the caller zeroed memory for NCryptFreeBuffer, behind which something may stand.
func (b *blocks) allocate(size int, behind *enumeration) (unsafe.Pointer, error) {
	p := C.calloc(1, C.size_t(size))
	if p == nil {
		return nil, nte.Errorf(nte.NTE_NO_MEMORY, "no memory for %d bytes", size)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.live[p] = behind
	return p, nil
}

// state finds the enumeration that a caller goes on with.
func (b *blocks) state(p unsafe.Pointer) (*enumeration, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.live[p]; e != nil {
		return e, nil
	}
	return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "%p is no state of an enumeration", p)
}

// free takes memory back.
func (b *blocks) free(p unsafe.Pointer) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.live[p]; !ok {
		return nte.Errorf(nte.NTE_INVALID_PARAMETER, "%p is no memory of NCrypt's, or was freed", p)
	}
	delete(b.live, p)
	C.free(p)
	return nil
}

// texts places texts behind each other in a block, as UTF-16 with their NULs.
type texts struct{ next unsafe.Pointer }

// textSize is how much room a text takes.
func textSize(s string) int { return 2 * (len(utf16.Encode([]rune(s))) + 1) }

func (t *texts) put(s string) C.LPWSTR {
	at := t.next
	units := append(utf16.Encode([]rune(s)), 0)
	copy(unsafe.Slice((*uint16)(at), len(units)), units)
	t.next = unsafe.Add(at, 2*len(units))
	return C.LPWSTR(at)
}
