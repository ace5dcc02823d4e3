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

// Signing and MACing functions: section 5.13.

//export goC_SignInit
func goC_SignInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, key C.CK_OBJECT_HANDLE) C.CK_RV {
	return begin("C_SignInit", h, m, key, (*token.Session).SignInit)
}

//export goC_Sign
func goC_Sign(h C.CK_SESSION_HANDLE, in C.CK_BYTE_PTR, inLen C.CK_ULONG, out C.CK_BYTE_PTR, outLen C.CK_ULONG_PTR) C.CK_RV {
	return transform("C_Sign", h, ck.CKF_SIGN, in, inLen, out, outLen, (*token.Session).Sign)
}

//export goC_SignUpdate
func goC_SignUpdate(h C.CK_SESSION_HANDLE, in C.CK_BYTE_PTR, inLen C.CK_ULONG) C.CK_RV {
	return feed("C_SignUpdate", h, ck.CKF_SIGN, in, inLen, (*token.Session).SignUpdate)
}

//export goC_SignFinal
func goC_SignFinal(h C.CK_SESSION_HANDLE, out C.CK_BYTE_PTR, outLen C.CK_ULONG_PTR) C.CK_RV {
	return finish("C_SignFinal", h, ck.CKF_SIGN, out, outLen, (*token.Session).SignFinal)
}

//export goC_SignRecoverInit
func goC_SignRecoverInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, key C.CK_OBJECT_HANDLE) C.CK_RV {
	return begin("C_SignRecoverInit", h, m, key, (*token.Session).SignRecoverInit)
}

//export goC_SignRecover
func goC_SignRecover(h C.CK_SESSION_HANDLE, in C.CK_BYTE_PTR, inLen C.CK_ULONG, out C.CK_BYTE_PTR, outLen C.CK_ULONG_PTR) C.CK_RV {
	return transform("C_SignRecover", h, ck.CKF_SIGN_RECOVER, in, inLen, out, outLen, (*token.Session).SignRecover)
}
