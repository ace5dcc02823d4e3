package cabi

/*
#pragma GCC visibility push(protected)
#include "../p11.h"
#pragma GCC visibility pop
*/
import "C"

import (
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Message digesting functions: section 5.12.

//export goC_DigestInit
func goC_DigestInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR) C.CK_RV {
	return begin("C_DigestInit", h, m, 0, func(s *token.Session, mechanism *ck.Mechanism, _ ck.ObjectHandle) error {
		return s.DigestInit(mechanism)
	})
}

//export goC_Digest
func goC_Digest(h C.CK_SESSION_HANDLE, in C.CK_BYTE_PTR, inLen C.CK_ULONG, out C.CK_BYTE_PTR, outLen C.CK_ULONG_PTR) C.CK_RV {
	return transform("C_Digest", h, ck.CKF_DIGEST, in, inLen, out, outLen, (*token.Session).Digest)
}

//export goC_DigestUpdate
func goC_DigestUpdate(h C.CK_SESSION_HANDLE, in C.CK_BYTE_PTR, inLen C.CK_ULONG) C.CK_RV {
	return feed("C_DigestUpdate", h, ck.CKF_DIGEST, in, inLen, (*token.Session).DigestUpdate)
}

//export goC_DigestKey
func goC_DigestKey(h C.CK_SESSION_HANDLE, key C.CK_OBJECT_HANDLE) C.CK_RV {
	return inSession("C_DigestKey", h, func(s *token.Session) error { return s.DigestKey(ck.ObjectHandle(key)) })
}

//export goC_DigestFinal
func goC_DigestFinal(h C.CK_SESSION_HANDLE, out C.CK_BYTE_PTR, outLen C.CK_ULONG_PTR) C.CK_RV {
	return finish("C_DigestFinal", h, ck.CKF_DIGEST, out, outLen, (*token.Session).DigestFinal)
}
