package cabi

/*
#include "digest.h"
*/
import "C"

import (
	"sync/atomic"
	"unsafe"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// board is Go's view of the words that digest.c answers C_DigestInit from: one for each session, by the index in its handle. digest.h says what they mean.
type board [1 << 14]atomic.Uint64

var _ token.Board = (*board)(nil)

func digestBoard() *board { return (*board)(unsafe.Pointer(C.digest_board())) }

func (b *board) word(h ck.SessionHandle) *atomic.Uint64 { return &b[(h&(1<<15-1))-1] }

// Idle notes that the session has no digest operation.
func (b *board) Idle(h ck.SessionHandle) { b.word(h).Store(uint64(h)) }

// Claim takes the session's digest operation for Go. It fails where C_DigestInit has begun one in C.
func (b *board) Claim(h ck.SessionHandle) bool {
	w := b.word(h)
	return w.CompareAndSwap(uint64(h), 0) || w.Load() == 0
}

// Closed notes that there is no such session.
func (b *board) Closed(h ck.SessionHandle) { b.word(h).Store(0) }

// goDigestAtOnce is C_DigestInit and C_Digest in one. The operation has been claimed, and there is room for the digest.
//
//export goDigestAtOnce
func goDigestAtOnce(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_TYPE, in C.CK_BYTE_PTR, inLen C.CK_ULONG, out C.CK_BYTE_PTR, outLen C.CK_ULONG_PTR) C.CK_RV {
	return transform("C_Digest", h, ck.CKF_DIGEST, in, inLen, out, outLen, func(s *token.Session, data []byte, to token.Output) (int, error) {
		return s.DigestAtOnce(ck.MechanismType(m), data, to)
	})
}
