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

// Encryption and decryption functions: sections 5.8 and 5.10.

//export goC_EncryptInit
func goC_EncryptInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, key C.CK_OBJECT_HANDLE) C.CK_RV {
	return begin("C_EncryptInit", h, m, key, (*token.Session).EncryptInit)
}

//export goC_Encrypt
func goC_Encrypt(h C.CK_SESSION_HANDLE, in C.CK_BYTE_PTR, inLen C.CK_ULONG, out C.CK_BYTE_PTR, outLen C.CK_ULONG_PTR) C.CK_RV {
	return transform("C_Encrypt", h, ck.CKF_ENCRYPT, in, inLen, out, outLen, (*token.Session).Encrypt)
}

//export goC_EncryptUpdate
func goC_EncryptUpdate(h C.CK_SESSION_HANDLE, in C.CK_BYTE_PTR, inLen C.CK_ULONG, out C.CK_BYTE_PTR, outLen C.CK_ULONG_PTR) C.CK_RV {
	return transform("C_EncryptUpdate", h, ck.CKF_ENCRYPT, in, inLen, out, outLen, (*token.Session).EncryptUpdate)
}

//export goC_EncryptFinal
func goC_EncryptFinal(h C.CK_SESSION_HANDLE, out C.CK_BYTE_PTR, outLen C.CK_ULONG_PTR) C.CK_RV {
	return finish("C_EncryptFinal", h, ck.CKF_ENCRYPT, out, outLen, (*token.Session).EncryptFinal)
}

//export goC_DecryptInit
func goC_DecryptInit(h C.CK_SESSION_HANDLE, m C.CK_MECHANISM_PTR, key C.CK_OBJECT_HANDLE) C.CK_RV {
	return begin("C_DecryptInit", h, m, key, (*token.Session).DecryptInit)
}

//export goC_Decrypt
func goC_Decrypt(h C.CK_SESSION_HANDLE, in C.CK_BYTE_PTR, inLen C.CK_ULONG, out C.CK_BYTE_PTR, outLen C.CK_ULONG_PTR) C.CK_RV {
	return transform("C_Decrypt", h, ck.CKF_DECRYPT, in, inLen, out, outLen, (*token.Session).Decrypt)
}

//export goC_DecryptUpdate
func goC_DecryptUpdate(h C.CK_SESSION_HANDLE, in C.CK_BYTE_PTR, inLen C.CK_ULONG, out C.CK_BYTE_PTR, outLen C.CK_ULONG_PTR) C.CK_RV {
	return transform("C_DecryptUpdate", h, ck.CKF_DECRYPT, in, inLen, out, outLen, (*token.Session).DecryptUpdate)
}

//export goC_DecryptFinal
func goC_DecryptFinal(h C.CK_SESSION_HANDLE, out C.CK_BYTE_PTR, outLen C.CK_ULONG_PTR) C.CK_RV {
	return finish("C_DecryptFinal", h, ck.CKF_DECRYPT, out, outLen, (*token.Session).DecryptFinal)
}
