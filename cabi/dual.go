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

// Dual-function cryptographic functions: section 5.17.

//export goC_DigestEncryptUpdate
func goC_DigestEncryptUpdate(h C.CK_SESSION_HANDLE, in C.CK_BYTE_PTR, inLen C.CK_ULONG, out C.CK_BYTE_PTR, outLen C.CK_ULONG_PTR) C.CK_RV {
	return transform("C_DigestEncryptUpdate", h, ck.CKF_ENCRYPT|ck.CKF_DIGEST, in, inLen, out, outLen, (*token.Session).DigestEncryptUpdate)
}

//export goC_DecryptDigestUpdate
func goC_DecryptDigestUpdate(h C.CK_SESSION_HANDLE, in C.CK_BYTE_PTR, inLen C.CK_ULONG, out C.CK_BYTE_PTR, outLen C.CK_ULONG_PTR) C.CK_RV {
	return transform("C_DecryptDigestUpdate", h, ck.CKF_DECRYPT|ck.CKF_DIGEST, in, inLen, out, outLen, (*token.Session).DecryptDigestUpdate)
}

//export goC_SignEncryptUpdate
func goC_SignEncryptUpdate(h C.CK_SESSION_HANDLE, in C.CK_BYTE_PTR, inLen C.CK_ULONG, out C.CK_BYTE_PTR, outLen C.CK_ULONG_PTR) C.CK_RV {
	return transform("C_SignEncryptUpdate", h, ck.CKF_ENCRYPT|ck.CKF_SIGN, in, inLen, out, outLen, (*token.Session).SignEncryptUpdate)
}

//export goC_DecryptVerifyUpdate
func goC_DecryptVerifyUpdate(h C.CK_SESSION_HANDLE, in C.CK_BYTE_PTR, inLen C.CK_ULONG, out C.CK_BYTE_PTR, outLen C.CK_ULONG_PTR) C.CK_RV {
	return transform("C_DecryptVerifyUpdate", h, ck.CKF_DECRYPT|ck.CKF_VERIFY, in, inLen, out, outLen, (*token.Session).DecryptVerifyUpdate)
}
