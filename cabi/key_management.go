package cabi

/*
#pragma GCC visibility push(protected)
#include "../p11.h"
#pragma GCC visibility pop
*/
import "C"

import (
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Key management functions: section 5.18.

//export goC_GenerateKey
func goC_GenerateKey(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG, out C.CK_OBJECT_HANDLE_PTR) C.CK_RV {
	return makeObject("C_GenerateKey", h, t, n, out, func(s *token.Session, tmpl attr.Template) (ck.ObjectHandle, error) {
		mechanism, err := decodeMechanism(m)
		if err != nil {
			return 0, err
		}
		return s.GenerateKey(mechanism, tmpl)
	})
}

//export goC_GenerateKeyPair
func goC_GenerateKeyPair(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, pub C.CK_ATTRIBUTE_PTR, pubN C.CK_ULONG, priv C.CK_ATTRIBUTE_PTR, privN C.CK_ULONG,
	pubOut, privOut C.CK_OBJECT_HANDLE_PTR) C.CK_RV {
	return makeObject("C_GenerateKeyPair", h, pub, pubN, pubOut, func(s *token.Session, pubTmpl attr.Template) (ck.ObjectHandle, error) {
		if privOut == nil {
			return 0, ck.Errorf(ck.CKR_ARGUMENTS_BAD, "no place for the private key's handle")
		}
		mechanism, err := decodeMechanism(m)
		if err != nil {
			return 0, err
		}
		privTmpl, err := template(priv, privN)
		if err != nil {
			return 0, err
		}
		defer privTmpl.Wipe()
		public, private, err := s.GenerateKeyPair(mechanism, pubTmpl, privTmpl)
		if err == nil {
			*privOut = C.CK_OBJECT_HANDLE(private)
		}
		return public, err
	})
}

//export goC_DeriveKey
func goC_DeriveKey(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, base C.CK_OBJECT_HANDLE, t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG, out C.CK_OBJECT_HANDLE_PTR) C.CK_RV {
	return makeObject("C_DeriveKey", h, t, n, out, func(s *token.Session, tmpl attr.Template) (ck.ObjectHandle, error) {
		mechanism, err := decodeMechanism(m)
		if err != nil {
			return 0, err
		}
		return s.DeriveKey(mechanism, ck.ObjectHandle(base), tmpl)
	})
}
