package cabi

/*
#pragma GCC visibility push(protected)
#include "../p11.h"
#pragma GCC visibility pop
*/
import "C"

import (
	"unsafe"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// maxLength bounds every length that a caller passes: more is a mistake, most often CK_UNAVAILABLE_INFORMATION or a small negative number.
const maxLength = 1 << 40

// input is the caller's memory as a slice, to be read during the call only. NULL is fine for no bytes.
func input(p C.CK_BYTE_PTR, n C.CK_ULONG) ([]byte, error) {
	switch {
	case n == 0:
		return nil, nil
	case p == nil:
		return nil, ck.Errorf(ck.CKR_ARGUMENTS_BAD, "NULL with a length of %d", uint(n))
	case n > maxLength:
		return nil, ck.Errorf(ck.CKR_ARGUMENTS_BAD, "length %#x", uint(n))
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(p)), n), nil
}

// output is where a result goes, by the convention of section 5.2: a NULL buffer asks for the length.
func output(p C.CK_BYTE_PTR, n C.CK_ULONG_PTR) (token.Output, error) {
	switch {
	case n == nil:
		return token.Output{}, ck.Errorf(ck.CKR_ARGUMENTS_BAD, "no place for the length")
	case p == nil:
		return token.Output{Null: true}, nil
	case *n > maxLength:
		return token.Output{}, ck.Errorf(ck.CKR_ARGUMENTS_BAD, "buffer length %#x", uint(*n))
	}
	return token.Output{Buf: unsafe.Slice((*byte)(unsafe.Pointer(p)), *n)}, nil
}

// put stores the length that a function gives with CKR_OK and with CKR_BUFFER_TOO_SMALL.
func put(n C.CK_ULONG_PTR, length int, err error) {
	if err == nil || ck.Code(err) == ck.CKR_BUFFER_TOO_SMALL {
		*n = C.CK_ULONG(length)
	}
}

// transform is the shape of most functions of an operation: bytes in, bytes out. A bad argument ends the operation that ends names, as any other error does.
func transform(name string, h C.CK_SESSION_HANDLE, ends ck.Flags, in C.CK_BYTE_PTR, inLen C.CK_ULONG, out C.CK_BYTE_PTR, outLen C.CK_ULONG_PTR,
	f func(*token.Session, []byte, token.Output) (int, error)) C.CK_RV {
	return inSession(name, h, func(s *token.Session) error {
		data, err := input(in, inLen)
		var to token.Output
		if err == nil {
			to, err = output(out, outLen)
		}
		if err != nil {
			_ = s.SessionCancel(ends)
			return err
		}
		if overlap(data, to.Buf) {
			own := secret.Copy(data)
			defer own.Close()
			data = own.Bytes()
		}
		n, err := f(s, data, to)
		put(outLen, n, err)
		return err
	})
}

// overlap says whether two stretches of the caller's memory share bytes. Section 5.2 lets the output be written over the input, and most modes write before
// they have read all: then they read a copy.
func overlap(a, b []byte) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	startA, startB := uintptr(unsafe.Pointer(&a[0])), uintptr(unsafe.Pointer(&b[0]))
	return startA < startB+uintptr(len(b)) && startB < startA+uintptr(len(a))
}

// finish is the shape of functions without input.
func finish(name string, h C.CK_SESSION_HANDLE, ends ck.Flags, out C.CK_BYTE_PTR, outLen C.CK_ULONG_PTR,
	f func(*token.Session, token.Output) (int, error)) C.CK_RV {
	return transform(name, h, ends, nil, 0, out, outLen, func(s *token.Session, _ []byte, to token.Output) (int, error) { return f(s, to) })
}

// feed is the shape of functions without output.
func feed(name string, h C.CK_SESSION_HANDLE, ends ck.Flags, in C.CK_BYTE_PTR, inLen C.CK_ULONG, f func(*token.Session, []byte) error) C.CK_RV {
	return inSession(name, h, func(s *token.Session) error {
		data, err := input(in, inLen)
		if err != nil {
			_ = s.SessionCancel(ends)
			return err
		}
		return f(s, data)
	})
}

// pin copies a PIN; the caller closes it. A NULL PIN is the protected authentication path's, which there is none of.
func pin(p C.CK_UTF8CHAR_PTR, n C.CK_ULONG) (*secret.Bytes, error) {
	const longest = 1 << 16 // the engine says what is too long; this bounds the copy
	if p == nil && n != 0 || n > longest {
		return nil, ck.CKR_ARGUMENTS_BAD
	}
	if n == 0 {
		return secret.New(0), nil
	}
	return secret.Copy(unsafe.Slice((*byte)(unsafe.Pointer(p)), n)), nil
}
