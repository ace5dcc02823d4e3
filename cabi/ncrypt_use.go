package cabi

/*
#pragma GCC visibility push(protected)
#include "../include/ncrypt.h"
#pragma GCC visibility pop
*/
import "C"

import (
	"bytes"
	"math/bits"
	"unsafe"

	"github.com/ncrypt11/ncrypt11/ncryptmap"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// paddings read the structure that each padding flag comes with. NCRYPT_NO_PADDING_FLAG comes with none.
var paddings = map[uint32]func(unsafe.Pointer) (*ncryptmap.Padding, error){
	ncryptmap.NCRYPT_PAD_PKCS1_FLAG: func(p unsafe.Pointer) (*ncryptmap.Padding, error) {
		info := *(*C.BCRYPT_PKCS1_PADDING_INFO)(p)
		hash, err := optionalText("pszAlgId", info.pszAlgId)
		return &ncryptmap.Padding{Hash: hash}, err
	},
	ncryptmap.NCRYPT_PAD_PSS_FLAG: func(p unsafe.Pointer) (*ncryptmap.Padding, error) {
		info := *(*C.BCRYPT_PSS_PADDING_INFO)(p)
		hash, err := optionalText("pszAlgId", info.pszAlgId)
		return &ncryptmap.Padding{Hash: hash, Salt: uint32(info.cbSalt)}, err
	},
	ncryptmap.NCRYPT_PAD_OAEP_FLAG: func(p unsafe.Pointer) (*ncryptmap.Padding, error) {
		info := *(*C.BCRYPT_OAEP_PADDING_INFO)(p)
		hash, err := optionalText("pszAlgId", info.pszAlgId)
		if err != nil {
			return nil, err
		}
		label, err := memory("pbLabel", C.PBYTE(info.pbLabel), C.DWORD(info.cbLabel))
		return &ncryptmap.Padding{Hash: hash, Label: label}, err
	},
	ncryptmap.NCRYPT_PAD_PQDSA_FLAG: func(p unsafe.Pointer) (*ncryptmap.Padding, error) {
		info := *(*C.BCRYPT_PQDSA_PADDING_INFO)(p)
		hash, err := optionalText("pszPrehashAlgId", info.pszPrehashAlgId)
		if err != nil {
			return nil, err
		}
		context, err := memory("pbCtx", C.PBYTE(info.pbCtx), C.DWORD(info.cbCtx))
		return &ncryptmap.Padding{Hash: hash, Context: context}, err
	},
	ncryptmap.NCRYPT_PAD_CIPHER_FLAG: func(p unsafe.Pointer) (*ncryptmap.Padding, error) {
		if size := *(*C.ULONG)(p); size < C.sizeof_NCRYPT_CIPHER_PADDING_INFO {
			return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "NCRYPT_CIPHER_PADDING_INFO has cbSize %d, not %d", size, C.sizeof_NCRYPT_CIPHER_PADDING_INFO)
		}
		info := *(*C.NCRYPT_CIPHER_PADDING_INFO)(p)
		iv, err := memory("pbIV", C.PBYTE(info.pbIV), C.DWORD(info.cbIV))
		return &ncryptmap.Padding{IV: iv}, err
	},
}

const paddingFlags = ncryptmap.NCRYPT_NO_PADDING_FLAG | ncryptmap.NCRYPT_PAD_PKCS1_FLAG | ncryptmap.NCRYPT_PAD_OAEP_FLAG |
	ncryptmap.NCRYPT_PAD_PSS_FLAG | ncryptmap.NCRYPT_PAD_CIPHER_FLAG | ncryptmap.NCRYPT_PAD_PQDSA_FLAG

// padding reads pPaddingInfo. What it points to, the flags alone say: so there must not be two of them.
func padding(info unsafe.Pointer, flags C.DWORD) (*ncryptmap.Padding, error) {
	which := uint32(flags) & paddingFlags
	if bits.OnesCount32(which) > 1 {
		return nil, nte.Errorf(nte.NTE_BAD_FLAGS, "flags %#x name more than one padding", uint32(flags))
	}
	read := paddings[which]
	if info == nil || read == nil {
		return nil, nil
	}
	return read(info)
}

// apart is input that an output may be written over: a copy where the two share memory.
func apart(input []byte, p C.PBYTE, n C.DWORD) (data []byte, done func()) {
	if p == nil || !overlap(input, unsafe.Slice((*byte)(unsafe.Pointer(p)), n)) {
		return input, func() {}
	}
	own := bytes.Clone(input)
	return own, func() { secret.Wipe(own) }
}

// transforms is the shape of functions that turn bytes into bytes.
func transforms(name string, key C.NCRYPT_KEY_HANDLE, in C.PBYTE, inLen C.DWORD, info unsafe.Pointer, out C.PBYTE, outLen C.DWORD, length *C.DWORD, flags C.DWORD,
	do func(*ncryptmap.KSP, token.Output, ncryptmap.Handle, *ncryptmap.Padding, []byte, uint32) (int, error)) C.SECURITY_STATUS {
	return withHandle(name, key, ncryptmap.Key, func(k *ncryptmap.KSP, h ncryptmap.Handle) error {
		data, err := memory("the input", in, inLen)
		if err != nil {
			return err
		}
		pad, err := padding(info, flags)
		if err != nil {
			return err
		}
		data, done := apart(data, out, outLen)
		defer done()
		return deliver(out, outLen, length, func(to token.Output) (int, error) { return do(k, to, h, pad, data, uint32(flags)) })
	})
}

//export goNCryptEncrypt
func goNCryptEncrypt(hKey C.NCRYPT_KEY_HANDLE, pbInput C.PBYTE, cbInput C.DWORD, pPaddingInfo unsafe.Pointer, pbOutput C.PBYTE, cbOutput C.DWORD, pcbResult *C.DWORD,
	dwFlags C.DWORD) C.SECURITY_STATUS {
	return transforms("NCryptEncrypt", hKey, pbInput, cbInput, pPaddingInfo, pbOutput, cbOutput, pcbResult, dwFlags, (*ncryptmap.KSP).EncryptTo)
}

//export goNCryptDecrypt
func goNCryptDecrypt(hKey C.NCRYPT_KEY_HANDLE, pbInput C.PBYTE, cbInput C.DWORD, pPaddingInfo unsafe.Pointer, pbOutput C.PBYTE, cbOutput C.DWORD, pcbResult *C.DWORD,
	dwFlags C.DWORD) C.SECURITY_STATUS {
	return transforms("NCryptDecrypt", hKey, pbInput, cbInput, pPaddingInfo, pbOutput, cbOutput, pcbResult, dwFlags, (*ncryptmap.KSP).DecryptTo)
}

//export goNCryptSignHash
func goNCryptSignHash(hKey C.NCRYPT_KEY_HANDLE, pPaddingInfo unsafe.Pointer, pbHashValue C.PBYTE, cbHashValue C.DWORD, pbSignature C.PBYTE, cbSignature C.DWORD,
	pcbResult *C.DWORD, dwFlags C.DWORD) C.SECURITY_STATUS {
	return transforms("NCryptSignHash", hKey, pbHashValue, cbHashValue, pPaddingInfo, pbSignature, cbSignature, pcbResult, dwFlags, (*ncryptmap.KSP).SignHashTo)
}

//export goNCryptVerifySignature
func goNCryptVerifySignature(hKey C.NCRYPT_KEY_HANDLE, pPaddingInfo unsafe.Pointer, pbHashValue C.PBYTE, cbHashValue C.DWORD, pbSignature C.PBYTE,
	cbSignature, dwFlags C.DWORD) C.SECURITY_STATUS {
	return withHandle("NCryptVerifySignature", hKey, ncryptmap.Key, func(k *ncryptmap.KSP, h ncryptmap.Handle) error {
		hash, err := memory("pbHashValue", pbHashValue, cbHashValue)
		if err != nil {
			return err
		}
		signature, err := memory("pbSignature", pbSignature, cbSignature)
		if err != nil {
			return err
		}
		pad, err := padding(pPaddingInfo, dwFlags)
		if err != nil {
			return err
		}
		return k.VerifySignature(h, pad, hash, signature, uint32(dwFlags))
	})
}

//export goNCryptSecretAgreement
func goNCryptSecretAgreement(hPrivKey, hPubKey C.NCRYPT_KEY_HANDLE, phAgreedSecret *C.NCRYPT_SECRET_HANDLE, dwFlags C.DWORD) C.SECURITY_STATUS {
	return withHandle("NCryptSecretAgreement", hPrivKey, ncryptmap.Key, func(k *ncryptmap.KSP, h ncryptmap.Handle) error {
		if err := place("phAgreedSecret", phAgreedSecret); err != nil {
			return err
		}
		return give(phAgreedSecret)(k.SecretAgreement(h, ncryptmap.Handle(hPubKey), uint32(dwFlags)))
	})
}

//export goNCryptDeriveKey
func goNCryptDeriveKey(hSharedSecret C.NCRYPT_SECRET_HANDLE, pwszKDF C.LPCWSTR, pParameterList *C.NCryptBufferDesc, pbDerivedKey C.PBYTE, cbDerivedKey C.DWORD,
	pcbResult *C.DWORD, dwFlags C.ULONG) C.SECURITY_STATUS {
	return withHandle("NCryptDeriveKey", hSharedSecret, ncryptmap.Secret, func(k *ncryptmap.KSP, h ncryptmap.Handle) error {
		kdf, err := wideText("pwszKDF", pwszKDF)
		if err != nil {
			return err
		}
		params, err := parameters(pParameterList)
		if err != nil {
			return err
		}
		return deliver(pbDerivedKey, cbDerivedKey, pcbResult, func(out token.Output) (int, error) {
			return k.DeriveKeyTo(out, h, kdf, params, uint32(dwFlags))
		})
	})
}

//export goNCryptEncapsulate
func goNCryptEncapsulate(hKey C.NCRYPT_KEY_HANDLE, pbSecretKey C.PBYTE, cbSecretKey C.DWORD, pcbSecretKey *C.DWORD, pbCipherText C.PBYTE, cbCipherText C.DWORD,
	pcbCipherText *C.DWORD, dwFlags C.DWORD) C.SECURITY_STATUS {
	return withHandle("NCryptEncapsulate", hKey, ncryptmap.Key, func(k *ncryptmap.KSP, h ncryptmap.Handle) error {
		return deliver(pbSecretKey, cbSecretKey, pcbSecretKey, func(value token.Output) (int, error) {
			var length int
			err := deliver(pbCipherText, cbCipherText, pcbCipherText, func(ciphertext token.Output) (n int, err error) {
				length, n, err = k.EncapsulateTo(value, ciphertext, h, uint32(dwFlags))
				return n, err
			})
			return length, err
		})
	})
}

//export goNCryptDecapsulate
func goNCryptDecapsulate(hKey C.NCRYPT_KEY_HANDLE, pbCipherText C.PBYTE, cbCipherText C.DWORD, pbSecretKey C.PBYTE, cbSecretKey C.DWORD, pcbSecretKey *C.DWORD,
	dwFlags C.DWORD) C.SECURITY_STATUS {
	return withHandle("NCryptDecapsulate", hKey, ncryptmap.Key, func(k *ncryptmap.KSP, h ncryptmap.Handle) error {
		ciphertext, err := memory("pbCipherText", pbCipherText, cbCipherText)
		if err != nil {
			return err
		}
		return deliver(pbSecretKey, cbSecretKey, pcbSecretKey, func(out token.Output) (int, error) {
			return k.DecapsulateTo(out, h, ciphertext, uint32(dwFlags))
		})
	})
}
