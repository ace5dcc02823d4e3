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

// Functions for verifying signatures and MACs: sections 5.15 and, for the signature-first form of v3.2, 5.16.

//export goC_VerifyInit
func goC_VerifyInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, key C.CK_OBJECT_HANDLE) C.CK_RV {
	return begin("C_VerifyInit", h, m, key, (*token.Session).VerifyInit)
}

//export goC_Verify
func goC_Verify(h C.CK_SESSION_HANDLE, in C.CK_BYTE_PTR, inLen C.CK_ULONG, sig C.CK_BYTE_PTR, sigLen C.CK_ULONG) C.CK_RV {
	return feed("C_Verify", h, ck.CKF_VERIFY, in, inLen, func(s *token.Session, data []byte) error {
		return withSignature(s, sig, sigLen, func(signature []byte) error { return s.Verify(data, signature) })
	})
}

//export goC_VerifyUpdate
func goC_VerifyUpdate(h C.CK_SESSION_HANDLE, in C.CK_BYTE_PTR, inLen C.CK_ULONG) C.CK_RV {
	return feed("C_VerifyUpdate", h, ck.CKF_VERIFY, in, inLen, (*token.Session).VerifyUpdate)
}

//export goC_VerifyFinal
func goC_VerifyFinal(h C.CK_SESSION_HANDLE, sig C.CK_BYTE_PTR, sigLen C.CK_ULONG) C.CK_RV {
	return feed("C_VerifyFinal", h, ck.CKF_VERIFY, sig, sigLen, (*token.Session).VerifyFinal)
}

// withSignature reads the signature argument; a bad one ends the operation.
func withSignature(s *token.Session, sig C.CK_BYTE_PTR, sigLen C.CK_ULONG, f func([]byte) error) error {
	signature, err := input(sig, sigLen)
	if err != nil {
		_ = s.SessionCancel(ck.CKF_VERIFY)
		return err
	}
	return f(signature)
}

//export goC_VerifyRecoverInit
func goC_VerifyRecoverInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, key C.CK_OBJECT_HANDLE) C.CK_RV {
	return begin("C_VerifyRecoverInit", h, m, key, (*token.Session).VerifyRecoverInit)
}

//export goC_VerifyRecover
func goC_VerifyRecover(h C.CK_SESSION_HANDLE, sig C.CK_BYTE_PTR, sigLen C.CK_ULONG, out C.CK_BYTE_PTR, outLen C.CK_ULONG_PTR) C.CK_RV {
	return transform("C_VerifyRecover", h, ck.CKF_VERIFY_RECOVER, sig, sigLen, out, outLen, (*token.Session).VerifyRecover)
}

//export goC_VerifySignatureInit
func goC_VerifySignatureInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, key C.CK_OBJECT_HANDLE, sig C.CK_BYTE_PTR, sigLen C.CK_ULONG) C.CK_RV {
	return begin("C_VerifySignatureInit", h, m, key, func(s *token.Session, mechanism *ck.Mechanism, key ck.ObjectHandle) error {
		signature, err := input(sig, sigLen)
		if err != nil {
			return err
		}
		return s.VerifySignatureInit(mechanism, key, signature)
	})
}

//export goC_VerifySignature
func goC_VerifySignature(h C.CK_SESSION_HANDLE, in C.CK_BYTE_PTR, inLen C.CK_ULONG) C.CK_RV {
	return feed("C_VerifySignature", h, ck.CKF_VERIFY, in, inLen, (*token.Session).VerifySignature)
}

//export goC_VerifySignatureUpdate
func goC_VerifySignatureUpdate(h C.CK_SESSION_HANDLE, in C.CK_BYTE_PTR, inLen C.CK_ULONG) C.CK_RV {
	return feed("C_VerifySignatureUpdate", h, ck.CKF_VERIFY, in, inLen, (*token.Session).VerifySignatureUpdate)
}

//export goC_VerifySignatureFinal
func goC_VerifySignatureFinal(h C.CK_SESSION_HANDLE) C.CK_RV {
	return inSession("C_VerifySignatureFinal", h, (*token.Session).VerifySignatureFinal)
}
