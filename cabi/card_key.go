package cabi

/*
#include "card_enter.h"
*/
import "C"

import (
	"unsafe"

	"github.com/ncrypt11/ncrypt11/minidriver"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

// maxParts bounds the parts that something encrypted comes in.
const maxParts = 1024

// giveKey stores a key's handle.
func giveKey(to C.PCARD_KEY_HANDLE, f func() (minidriver.KeyHandle, error)) error {
	if err := cardPlace("phKey", to); err != nil {
		return err
	}
	handle, err := f()
	if err == nil {
		*to = C.CARD_KEY_HANDLE(handle)
	}
	return err
}

// blobOf reads what the functions that take a session key begin with.
func blobOf(pwszBlobType, pwszAlgId C.LPCWSTR, pbInput C.PBYTE, cbInput C.DWORD) (blobType, algorithm string, data []byte, err error) {
	if blobType, err = cardText("pwszBlobType", (*C.WCHAR)(pwszBlobType)); err != nil {
		return "", "", nil, err
	}
	if algorithm, err = cardText("pwszAlgId", (*C.WCHAR)(pwszAlgId)); err != nil {
		return "", "", nil, err
	}
	data, err = cardMemory("pbInput", pbInput, cbInput)
	return blobType, algorithm, data, err
}

//export goMDImportSessionKey
func goMDImportSessionKey(pCardData C.PCARD_DATA, pwszBlobType, pwszAlgId C.LPCWSTR, phKey C.PCARD_KEY_HANDLE, pbInput C.PBYTE, cbInput C.DWORD) C.DWORD {
	return inCard("MDImportSessionKey", pCardData, func(m *minidriver.Context) error {
		blobType, algorithm, data, err := blobOf(pwszBlobType, pwszAlgId, pbInput, cbInput)
		if err != nil {
			return err
		}
		return giveKey(phKey, func() (minidriver.KeyHandle, error) { return m.MDImportSessionKey(blobType, algorithm, data) })
	})
}

//export goCardImportSessionKey
func goCardImportSessionKey(pCardData C.PCARD_DATA, bContainerIndex C.BYTE, pPaddingInfo C.LPVOID, pwszBlobType, pwszAlgId C.LPCWSTR, phKey C.PCARD_KEY_HANDLE,
	pbInput C.PBYTE, cbInput, dwFlags C.DWORD) C.DWORD {
	return inCard("CardImportSessionKey", pCardData, func(m *minidriver.Context) error {
		blobType, algorithm, data, err := blobOf(pwszBlobType, pwszAlgId, pbInput, cbInput)
		if err != nil {
			return err
		}
		padding, err := oaepOf(pPaddingInfo, uint32(dwFlags))
		if err != nil {
			return err
		}
		return giveKey(phKey, func() (minidriver.KeyHandle, error) {
			return m.ImportSessionKey(byte(bContainerIndex), padding, blobType, algorithm, data, uint32(dwFlags))
		})
	})
}

// oaepOf reads the padding info, where the flags say that it is BCRYPT_OAEP_PADDING_INFO.
func oaepOf(info C.LPVOID, flags uint32) (*minidriver.OAEP, error) {
	if info == nil || flags != minidriver.CARD_PADDING_OAEP {
		return nil, nil
	}
	o := *(*C.BCRYPT_OAEP_PADDING_INFO)(info)
	hash, err := cardText("pszAlgId", (*C.WCHAR)(o.pszAlgId))
	if err != nil {
		return nil, err
	}
	label, err := cardMemory("pbLabel", C.PBYTE(o.pbLabel), C.DWORD(o.cbLabel))
	return &minidriver.OAEP{Hash: hash, Label: label}, err
}

//export goCardGetSharedKeyHandle
func goCardGetSharedKeyHandle(pCardData C.PCARD_DATA, pbInput C.PBYTE, cbInput C.DWORD, ppbOutput *C.PBYTE, pcbOutput C.PDWORD,
	phKey C.PCARD_KEY_HANDLE) C.DWORD {
	return inCard("CardGetSharedKeyHandle", pCardData, func(m *minidriver.Context) error {
		input, err := cardMemory("pbInput", pbInput, cbInput)
		if err != nil {
			return err
		}
		if err := giveKey(phKey, func() (minidriver.KeyHandle, error) { return m.GetSharedKeyHandle(input) }); err != nil {
			return err
		}
		if ppbOutput != nil {
			*ppbOutput = nil
		}
		if pcbOutput != nil {
			*pcbOutput = 0
		}
		return nil
	})
}

//export goCardGetKeyProperty
func goCardGetKeyProperty(pCardData C.PCARD_DATA, hKey C.CARD_KEY_HANDLE, pwszProperty C.LPCWSTR, pbData C.PBYTE, cbData C.DWORD, pdwDataLen C.PDWORD,
	dwFlags C.DWORD) C.DWORD {
	return inCard("CardGetKeyProperty", pCardData, func(m *minidriver.Context) error {
		name, err := cardText("pwszProperty", (*C.WCHAR)(pwszProperty))
		if err != nil {
			return err
		}
		return cardProperty(pbData, cbData, (*C.DWORD)(pdwDataLen), func(out []byte) (int, error) {
			return m.GetKeyProperty(minidriver.KeyHandle(hKey), name, out, uint32(dwFlags))
		})
	})
}

//export goCardSetKeyProperty
func goCardSetKeyProperty(pCardData C.PCARD_DATA, hKey C.CARD_KEY_HANDLE, pwszProperty C.LPCWSTR, pbInput C.PBYTE, cbInput, dwFlags C.DWORD) C.DWORD {
	return inCard("CardSetKeyProperty", pCardData, func(m *minidriver.Context) error {
		name, err := cardText("pwszProperty", (*C.WCHAR)(pwszProperty))
		if err != nil {
			return err
		}
		value, err := cardMemory("pbInput", pbInput, cbInput)
		if err != nil {
			return err
		}
		return m.SetKeyProperty(minidriver.KeyHandle(hKey), name, value, uint32(dwFlags))
	})
}

//export goCardDestroyKey
func goCardDestroyKey(pCardData C.PCARD_DATA, hKey C.CARD_KEY_HANDLE) C.DWORD {
	return inCard("CardDestroyKey", pCardData, func(m *minidriver.Context) error { return m.DestroyKey(minidriver.KeyHandle(hKey)) })
}

//export goMDEncryptData
func goMDEncryptData(pCardData C.PCARD_DATA, hKey C.CARD_KEY_HANDLE, pwszSecureFunction C.LPCWSTR, pbInput C.PBYTE, cbInput, dwFlags C.DWORD,
	ppEncryptedData *C.PCARD_ENCRYPTED_DATA, pcEncryptedData C.PDWORD) C.DWORD {
	return inCard("MDEncryptData", pCardData, func(m *minidriver.Context) error {
		function, err := cardText("pwszSecureFunction", (*C.WCHAR)(pwszSecureFunction))
		if err != nil {
			return err
		}
		input, err := cardMemory("pbInput", pbInput, cbInput)
		if err != nil {
			return err
		}
		if ppEncryptedData == nil || pcEncryptedData == nil {
			return nte.Errorf(nte.SCARD_E_INVALID_PARAMETER, "a place for what is encrypted is NULL")
		}
		parts, err := m.MDEncryptData(minidriver.KeyHandle(hKey), function, input, uint32(dwFlags))
		if err != nil {
			return err
		}
		list, err := givenParts(pCardData, parts)
		if err == nil {
			*ppEncryptedData, *pcEncryptedData = list, C.DWORD(len(parts))
		}
		return err
	})
}

// givenParts puts parts into the caller's memory: an array, and what each of its elements points to.
func givenParts(card C.PCARD_DATA, parts [][]byte) (C.PCARD_ENCRYPTED_DATA, error) {
	array, err := allocated(card, make([]byte, len(parts)*C.sizeof_CARD_ENCRYPTED_DATA))
	if err != nil {
		return nil, err
	}
	list := unsafe.Slice(C.PCARD_ENCRYPTED_DATA(unsafe.Pointer(array)), len(parts))
	for i, part := range parts {
		p, err := allocated(card, part)
		if err != nil {
			for _, before := range list[:i] {
				freed(card, before.pbEncryptedData)
			}
			freed(card, array)
			return nil, err
		}
		list[i] = C.CARD_ENCRYPTED_DATA{pbEncryptedData: p, cbEncryptedData: C.DWORD(len(part))}
	}
	return C.PCARD_ENCRYPTED_DATA(unsafe.Pointer(array)), nil
}

//export goCardProcessEncryptedData
func goCardProcessEncryptedData(pCardData C.PCARD_DATA, hKey C.CARD_KEY_HANDLE, pwszSecureFunction C.LPCWSTR, pEncryptedData C.PCARD_ENCRYPTED_DATA,
	cEncryptedData C.DWORD, pbOutput C.PBYTE, cbOutput C.DWORD, pdwOutputLen C.PDWORD, dwFlags C.DWORD) C.DWORD {
	return inCard("CardProcessEncryptedData", pCardData, func(m *minidriver.Context) error {
		function, err := cardText("pwszSecureFunction", (*C.WCHAR)(pwszSecureFunction))
		if err != nil {
			return err
		}
		if pEncryptedData == nil || cEncryptedData > maxParts {
			return nte.Errorf(nte.SCARD_E_INVALID_PARAMETER, "%d parts of what is encrypted", uint32(cEncryptedData))
		}
		var parts [][]byte
		for _, p := range unsafe.Slice(pEncryptedData, cEncryptedData) {
			part, err := cardMemory("pbEncryptedData", p.pbEncryptedData, p.cbEncryptedData)
			if err != nil {
				return err
			}
			parts = append(parts, part)
		}
		var none C.DWORD
		if pdwOutputLen == nil && pbOutput == nil { // Import Key Pair has no response
			pdwOutputLen = C.PDWORD(&none)
		}
		return cardProperty(pbOutput, cbOutput, (*C.DWORD)(pdwOutputLen), func(out []byte) (int, error) {
			return m.ProcessEncryptedData(minidriver.KeyHandle(hKey), function, parts, out, uint32(dwFlags))
		})
	})
}
