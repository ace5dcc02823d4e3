package cabi

/*
#include <stdlib.h>
#include "card_enter.h"

static LPVOID card_alloc(PCARD_DATA card, SIZE_T n)
{
	return card->pfnCspAlloc(n);
}

static void card_free(PCARD_DATA card, LPVOID memory)
{
	card->pfnCspFree(memory);
}
*/
import "C"

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"unsafe"

	"github.com/ncrypt11/ncrypt11/cabi/wide"
	"github.com/ncrypt11/ncrypt11/minidriver"
	"github.com/ncrypt11/ncrypt11/minidriver/message"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

// contexts are the minidriver's contexts by the numbers that stand in pvVendorSpecific. Numbers are not used twice, and are counted from a random one, so that
// a child's are not its parent's.
type contexts struct {
	mu   sync.Mutex
	live map[uintptr]*minidriver.Context
	next uintptr
}

// cardsUsed says that a context with a card was acquired: the engine stays from then on, as with NCrypt. starting is held.
var cardsUsed bool

var cards = contexts{live: map[uintptr]*minidriver.Context{}}

func (c *contexts) add(m *minidriver.Context) uintptr {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == 0 {
		var b [4]byte
		rand.Read(b[:])
		c.next = uintptr(binary.NativeEndian.Uint32(b[:])) << 16
	}
	c.next++
	c.live[c.next] = m
	return c.next
}

// take finds a context, and forgets it where it ends.
func (c *contexts) take(number uintptr, ends bool) (*minidriver.Context, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.live[number]
	if m == nil {
		return nil, nte.Errorf(nte.SCARD_E_INVALID_HANDLE, "no context was acquired with this CARD_DATA, or it was deleted")
	}
	if ends {
		delete(c.live, number)
	}
	return m, nil
}

// contextNumber is where a CARD_DATA has its context: a number, and no pointer for Go to follow.
func contextNumber(card C.PCARD_DATA) *uintptr {
	return (*uintptr)(unsafe.Pointer(&card.pvVendorSpecific))
}

// cardCall is call for a minidriver's statuses.
func cardCall(name string, f func() error) (status C.DWORD) {
	wide.Run(func() { status = C.DWORD(cardStatus(name, f)) })
	return status
}

func cardStatus(name string, f func() error) (status nte.Status) {
	defer func() {
		if r := recover(); r != nil {
			tracePanic(name, r)
			status = nte.SCARD_F_INTERNAL_ERROR
			failures.Load().KeepCode(name, uint64(status), errDefect.Error())
		}
	}()
	err := f()
	status = minidriver.Status(err)
	if tracing() {
		writeTrace(fmt.Sprintf("%s %v %v", name, status, err))
	}
	if err != nil && !slices.Contains(cardAnswers, status) {
		failures.Load().KeepCode(name, uint64(status), err.Error())
	}
	return status
}

// cardAnswers are statuses that tell a program what it wanted to know.
var cardAnswers = []nte.Status{nte.ERROR_INSUFFICIENT_BUFFER, nte.SCARD_E_NO_KEY_CONTAINER}

// inCard is the way in for functions that take a context.
func inCard(name string, card C.PCARD_DATA, f func(*minidriver.Context) error) C.DWORD {
	return cardCall(name, func() error {
		if err := cardPlace("pCardData", card); err != nil {
			return err
		}
		m, err := cards.take(*contextNumber(card), false)
		if err != nil {
			return err
		}
		if err := m.Serves(name); err != nil {
			return err
		}
		return f(m)
	})
}

// cardPlace refuses NULL where something must be.
func cardPlace[T any](what string, p *T) error {
	if p == nil {
		return nte.Errorf(nte.SCARD_E_INVALID_PARAMETER, "%s is NULL", what)
	}
	return nil
}

// cardText is wideText with a card's status. NULL is refused.
func cardText(what string, p *C.WCHAR) (string, error) {
	s, err := wideText(what, p)
	if err != nil {
		return "", nte.Errorf(nte.SCARD_E_INVALID_PARAMETER, "%w", err)
	}
	return s, nil
}

// maxCardData bounds what a caller gives: twice what the longest structure with its data has, encrypted or not.
const maxCardData = 4 * message.MaxData

// cardMemory is memory with a card's status, and a bound: nothing further in reads or copies what a false length says.
func cardMemory(what string, p C.PBYTE, n C.DWORD) ([]byte, error) {
	b, err := memory(what, p, n)
	if err == nil && n > maxCardData {
		err = fmt.Errorf("%s has %d bytes, more than %d", what, uint32(n), maxCardData)
	}
	if err != nil {
		return nil, nte.Errorf(nte.SCARD_E_INVALID_PARAMETER, "%w", err)
	}
	return b, nil
}

// cardProperty has a function put a property where the caller has room; its length is stored also where there is too little. NULL has no room.
func cardProperty(p C.PBYTE, n C.DWORD, length *C.DWORD, f func(out []byte) (int, error)) error {
	if err := cardPlace("pdwDataLen", length); err != nil {
		return err
	}
	var out []byte
	if p != nil {
		out = unsafe.Slice((*byte)(unsafe.Pointer(p)), n)
	}
	size, err := f(out)
	if status := minidriver.Status(err); status == nte.ERROR_SUCCESS || status == nte.ERROR_INSUFFICIENT_BUFFER {
		*length = C.DWORD(size)
	}
	return err
}

// allocated copies bytes to memory that is the caller's, who frees it with his own function. NULL for none.
func allocated(card C.PCARD_DATA, b []byte) (C.PBYTE, error) {
	if len(b) == 0 {
		return nil, nil
	}
	if card.pfnCspAlloc == nil { // acquired with another CARD_DATA
		return nil, nte.Errorf(nte.SCARD_E_INVALID_PARAMETER, "pfnCspAlloc is NULL")
	}
	p := C.card_alloc(card, C.SIZE_T(len(b)))
	if p == nil {
		return nil, nte.Errorf(nte.SCARD_E_NO_MEMORY, "pfnCspAlloc has no %d bytes", len(b))
	}
	copy(unsafe.Slice((*byte)(p), len(b)), b)
	return C.PBYTE(p), nil
}

// freed gives memory of allocated back, where something failed behind it.
func freed(card C.PCARD_DATA, p C.PBYTE) {
	if p != nil && card.pfnCspFree != nil {
		C.card_free(card, C.LPVOID(p))
	}
}
