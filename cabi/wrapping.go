package cabi

/*
#pragma GCC visibility push(protected)
#include "../p11.h"
#pragma GCC visibility pop
*/
import "C"

import (
	"crypto/rand"
	"unsafe"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// Functions by which keys travel: wrapping, and encapsulation.

//export goC_WrapKey
func goC_WrapKey(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, wrapping, key C.CK_OBJECT_HANDLE, out C.CK_BYTE_PTR, outLen C.CK_ULONG_PTR) C.CK_RV {
	return finish("C_WrapKey", h, 0, out, outLen, func(s *token.Session, to token.Output) (int, error) {
		w, err := decodeWrapping(m, mech.OpWrap, false)
		if err != nil {
			return 0, err
		}
		n, err := s.WrapKey(w.Mechanism, ck.ObjectHandle(wrapping), ck.ObjectHandle(key), to)
		return n, w.done(to, err)
	})
}

//export goC_UnwrapKey
func goC_UnwrapKey(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, unwrapping C.CK_OBJECT_HANDLE, in C.CK_BYTE_PTR, inLen C.CK_ULONG,
	t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG, out C.CK_OBJECT_HANDLE_PTR) C.CK_RV {
	return makeObject("C_UnwrapKey", h, t, n, out, func(s *token.Session, tmpl attr.Template) (ck.ObjectHandle, error) {
		w, wrapped, err := wrappedKey(m, in, inLen, false)
		if err != nil {
			return 0, err
		}
		return s.UnwrapKey(w.Mechanism, ck.ObjectHandle(unwrapping), wrapped, tmpl)
	})
}

//export goC_WrapKeyAuthenticated
func goC_WrapKeyAuthenticated(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, wrapping, key C.CK_OBJECT_HANDLE, data C.CK_BYTE_PTR, dataLen C.CK_ULONG,
	out C.CK_BYTE_PTR, outLen C.CK_ULONG_PTR) C.CK_RV {
	return finish("C_WrapKeyAuthenticated", h, 0, out, outLen, func(s *token.Session, to token.Output) (int, error) {
		w, err := decodeWrapping(m, mech.OpWrap, true)
		if err != nil {
			return 0, err
		}
		associated, err := input(data, dataLen)
		if err != nil {
			return 0, err
		}
		n, err := w.withTag(to, func(to token.Output) (int, error) {
			return s.WrapKeyAuthenticated(w.Mechanism, ck.ObjectHandle(wrapping), ck.ObjectHandle(key), associated, to)
		})
		return n, w.done(to, err)
	})
}

//export goC_UnwrapKeyAuthenticated
func goC_UnwrapKeyAuthenticated(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, unwrapping C.CK_OBJECT_HANDLE, in C.CK_BYTE_PTR, inLen C.CK_ULONG,
	t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG, data C.CK_BYTE_PTR, dataLen C.CK_ULONG, out C.CK_OBJECT_HANDLE_PTR) C.CK_RV {
	return makeObject("C_UnwrapKeyAuthenticated", h, t, n, out, func(s *token.Session, tmpl attr.Template) (ck.ObjectHandle, error) {
		w, wrapped, err := wrappedKey(m, in, inLen, true)
		if err != nil {
			return 0, err
		}
		associated, err := input(data, dataLen)
		if err != nil {
			return 0, err
		}
		return s.UnwrapKeyAuthenticated(w.Mechanism, ck.ObjectHandle(unwrapping), wrapped, tmpl, associated)
	})
}

//export goC_EncapsulateKey
func goC_EncapsulateKey(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, public C.CK_OBJECT_HANDLE, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG,
	out C.CK_BYTE_PTR, outLen C.CK_ULONG_PTR, key C.CK_OBJECT_HANDLE_PTR) C.CK_RV {
	return finish("C_EncapsulateKey", h, 0, out, outLen, func(s *token.Session, to token.Output) (int, error) {
		if key == nil && !to.Null {
			return 0, ck.Errorf(ck.CKR_ARGUMENTS_BAD, "no place for the key's handle")
		}
		mechanism, err := decodeMechanism(m)
		if err != nil {
			return 0, err
		}
		tmpl, err := template(t, n)
		if err != nil {
			return 0, err
		}
		defer tmpl.Wipe()
		length, handle, err := s.EncapsulateKey(mechanism, ck.ObjectHandle(public), tmpl, to)
		if err == nil && handle != 0 {
			*key = C.CK_OBJECT_HANDLE(handle)
		}
		return length, err
	})
}

//export goC_DecapsulateKey
func goC_DecapsulateKey(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, private C.CK_OBJECT_HANDLE, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG,
	in C.CK_BYTE_PTR, inLen C.CK_ULONG, out C.CK_OBJECT_HANDLE_PTR) C.CK_RV {
	return makeObject("C_DecapsulateKey", h, t, n, out, func(s *token.Session, tmpl attr.Template) (ck.ObjectHandle, error) {
		mechanism, err := decodeMechanism(m)
		if err != nil {
			return 0, err
		}
		if in == nil {
			return 0, ck.Errorf(ck.CKR_ARGUMENTS_BAD, "no ciphertext")
		}
		ciphertext, err := input(in, inLen)
		if err != nil {
			return 0, err
		}
		return s.DecapsulateKey(mechanism, ck.ObjectHandle(private), tmpl, ciphertext)
	})
}

// wrappedKey reads the mechanism and the wrapped key, with its tag behind it wherever the caller has that.
func wrappedKey(m C.CK_MECHANISM_PTR, in C.CK_BYTE_PTR, inLen C.CK_ULONG, authenticated bool) (*wrapping, []byte, error) {
	w, err := decodeWrapping(m, mech.OpUnwrap, authenticated)
	if err != nil {
		return nil, nil, err
	}
	if in == nil {
		return nil, nil, ck.Errorf(ck.CKR_ARGUMENTS_BAD, "no wrapped key")
	}
	wrapped, err := input(in, inLen)
	if err != nil {
		return nil, nil, err
	}
	return w, append(wrapped[:len(wrapped):len(wrapped)], w.tag...), nil
}

// wrapping is the mechanism of a wrapping function. AES-GCM has forms of its parameter there that say who makes the IV, and that keep the tag apart:
// CK_GCM_WRAP_PARAMS, and for the authenticated functions CK_GCM_MESSAGE_PARAMS.
type wrapping struct {
	ck.Mechanism
	ivOut []byte // the caller's memory, where the IV that was made goes; nil: he made it
	iv    []byte
	tag   []byte // the caller's memory for the tag; nil: it stands behind the wrapped key
}

// decodeWrapping reads the mechanism. What a structure is its length tells, but for CK_GCM_PARAMS and CK_GCM_MESSAGE_PARAMS, which are equally long.
// No memory is valid as both: where the one has a pointer to associated data, the other has a small number, and where that is NULL, the one
// has no length, and the other a pointer to the tag.
func decodeWrapping(m C.CK_MECHANISM_PTR, op mech.Op, authenticated bool) (*wrapping, error) {
	const generators = C.CK_ULONG(ck.CKG_GENERATE_COUNTER_XOR)
	if m == nil || m.mechanism != C.CK_MECHANISM_TYPE(ck.CKM_AES_GCM) || m.pParameter == nil {
		mechanism, err := decodeMechanism(m)
		return &wrapping{Mechanism: mechanism}, err
	}
	if p, err := as[C.CK_GCM_WRAP_PARAMS](m.pParameter, uint(m.ulParameterLen)); err == nil {
		aad, err := parameterBytes(C.CK_VOID_PTR(p.pAAD), p.ulAADLen)
		if err != nil {
			return nil, err
		}
		w := &wrapping{Mechanism: ck.Mechanism{Type: ck.CKM_AES_GCM, Params: ck.GCMParams{AAD: aad, TagBits: uint(p.ulTagBits)}}}
		return w, w.takeIV(p.pIv, p.ulIvLen, p.ulIvFixedBits, p.ivGenerator, op)
	}
	p, err := as[C.CK_GCM_MESSAGE_PARAMS](m.pParameter, uint(m.ulParameterLen))
	if err == nil && authenticated && C.CK_ULONG(p.ivGenerator) <= generators && p.pTag != nil {
		if p.ulTagBits > 128 || p.ulTagBits%8 != 0 {
			return nil, ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "a tag of %d bits", uint(p.ulTagBits))
		}
		w := &wrapping{Mechanism: ck.Mechanism{Type: ck.CKM_AES_GCM, Params: ck.GCMParams{TagBits: uint(p.ulTagBits)}}}
		w.tag = unsafe.Slice((*byte)(unsafe.Pointer(p.pTag)), p.ulTagBits/8)
		return w, w.takeIV(p.pIv, p.ulIvLen, p.ulIvFixedBits, p.ivGenerator, op)
	}
	mechanism, err := decodeMechanism(m)
	return &wrapping{Mechanism: mechanism}, err
}

// minRandomIV is what of an IV must be random where nothing counts (NIST SP 800-38D, section 8.2.2).
const minRandomIV = 96

// takeIV reads the caller's IV, or makes one behind the bits that he has fixed, in whole bytes. Only one at random can be made: no count would be kept.
func (w *wrapping) takeIV(p C.CK_BYTE_PTR, n, fixed C.CK_ULONG, generator C.CK_GENERATOR_FUNCTION, op mech.Op) error {
	iv, err := parameterBytes(C.CK_VOID_PTR(p), n)
	if err != nil {
		return err
	}
	params := w.Params.(ck.GCMParams)
	params.IV = iv
	w.Params = params
	switch {
	case op == mech.OpUnwrap || uint(generator) == ck.CKG_NO_GENERATE:
		return nil
	case uint(generator) != ck.CKG_GENERATE && uint(generator) != ck.CKG_GENERATE_RANDOM:
		return ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "no IV is made by generator %d here", uint(generator))
	case fixed%8 != 0 || fixed > 8*n || 8*n-fixed < minRandomIV:
		return ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "an IV of %d bytes with %d bits fixed has too few that are random", uint(n), uint(fixed))
	}
	rand.Read(iv[fixed/8:])
	w.iv, w.ivOut = iv, unsafe.Slice((*byte)(unsafe.Pointer(p)), n)
	return nil
}

// withTag has a key wrapped, and puts the tag where the caller wants it.
func (w *wrapping) withTag(to token.Output, wrap func(token.Output) (int, error)) (int, error) {
	if w.tag == nil {
		return wrap(to)
	}
	whole, err := wrap(token.Output{Null: true})
	if err != nil {
		return 0, err
	}
	n := whole - len(w.tag)
	switch {
	case to.Null:
		return n, nil
	case len(to.Buf) < n:
		return n, ck.CKR_BUFFER_TOO_SMALL
	}
	own := make([]byte, whole)
	if _, err := wrap(token.Output{Buf: own}); err != nil {
		return 0, err
	}
	copy(to.Buf, own[:n])
	copy(w.tag, own[n:])
	return n, nil
}

// done gives the caller the IV that was made, once there is something under it.
func (w *wrapping) done(to token.Output, err error) error {
	if err == nil && !to.Null {
		copy(w.ivOut, w.iv)
	}
	return err
}
