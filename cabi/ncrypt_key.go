package cabi

/*
#pragma GCC visibility push(protected)
#include "../include/ncrypt.h"
#pragma GCC visibility pop
*/
import "C"

import (
	"bytes"
	"unsafe"

	"github.com/ncrypt11/ncrypt11/ncryptmap"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
)

//export goNCryptFinalizeKey
func goNCryptFinalizeKey(hKey C.NCRYPT_KEY_HANDLE, dwFlags C.DWORD) C.SECURITY_STATUS {
	return withHandle("NCryptFinalizeKey", hKey, ncryptmap.Key, func(k *ncryptmap.KSP, h ncryptmap.Handle) error {
		return k.FinalizeKey(h, uint32(dwFlags))
	})
}

//export goNCryptDeleteKey
func goNCryptDeleteKey(hKey C.NCRYPT_KEY_HANDLE, dwFlags C.DWORD) C.SECURITY_STATUS {
	return withHandle("NCryptDeleteKey", hKey, ncryptmap.Key, func(k *ncryptmap.KSP, h ncryptmap.Handle) error {
		return k.DeleteKey(h, uint32(dwFlags))
	})
}

//export goNCryptGetProperty
func goNCryptGetProperty(hObject C.NCRYPT_HANDLE, pszProperty C.LPCWSTR, pbOutput C.PBYTE, cbOutput C.DWORD, pcbResult *C.DWORD, dwFlags C.DWORD) C.SECURITY_STATUS {
	return withHandle("NCryptGetProperty", hObject, ncryptmap.Object, func(k *ncryptmap.KSP, h ncryptmap.Handle) error {
		name, err := propertyName(pszProperty)
		if err != nil {
			return err
		}
		return deliver(pbOutput, cbOutput, pcbResult, func(out token.Output) (int, error) {
			return k.GetPropertyTo(out, h, name, uint32(dwFlags))
		})
	})
}

//export goNCryptSetProperty
func goNCryptSetProperty(hObject C.NCRYPT_HANDLE, pszProperty C.LPCWSTR, pbInput C.PBYTE, cbInput, dwFlags C.DWORD) C.SECURITY_STATUS {
	return withHandle("NCryptSetProperty", hObject, ncryptmap.Object, func(k *ncryptmap.KSP, h ncryptmap.Handle) error {
		name, err := propertyName(pszProperty)
		if err != nil {
			return err
		}
		value, err := memory("pbInput", pbInput, cbInput)
		if err != nil {
			return nte.Errorf(nte.NTE_INVALID_PARAMETER, "%w", err)
		}
		if name == ncryptmap.NCRYPT_UI_POLICY_PROPERTY && uint32(dwFlags)&ncryptmap.NCRYPT_PERSIST_ONLY_FLAG == 0 {
			if value, err = withoutPointers(value); err != nil {
				return err
			}
		}
		return k.SetProperty(h, name, value, uint32(dwFlags))
	})
}

// propertyName reads a property's name, of which NULL is a name that is none.
func propertyName(p C.LPCWSTR) (string, error) {
	name, err := wideText("pszProperty", p)
	if p == nil {
		return "", nte.Errorf(nte.NTE_INVALID_PARAMETER, "%w", err)
	}
	return name, err
}

// withoutPointers copies an NCRYPT_UI_POLICY, and leaves its texts behind: nobody here shows them, and who reads the property must not be given pointers into
// memory that has long been somebody else's.
func withoutPointers(value []byte) ([]byte, error) {
	if len(value) < C.sizeof_NCRYPT_UI_POLICY {
		return nil, nte.Errorf(nte.NTE_BAD_DATA, "NCRYPT_UI_POLICY has %d bytes, not %d", C.sizeof_NCRYPT_UI_POLICY, len(value))
	}
	value = bytes.Clone(value[:C.sizeof_NCRYPT_UI_POLICY])
	clear(value[unsafe.Offsetof(C.NCRYPT_UI_POLICY{}.pszCreationTitle):])
	return value, nil
}

//export goNCryptImportKey
func goNCryptImportKey(hProvider C.NCRYPT_PROV_HANDLE, hImportKey C.NCRYPT_KEY_HANDLE, pszBlobType C.LPCWSTR, pParameterList *C.NCryptBufferDesc,
	phKey *C.NCRYPT_KEY_HANDLE, pbData C.PBYTE, cbData, dwFlags C.DWORD) C.SECURITY_STATUS {
	return withHandle("NCryptImportKey", hProvider, ncryptmap.Provider, func(k *ncryptmap.KSP, h ncryptmap.Handle) error {
		if err := place("phKey", phKey); err != nil {
			return err
		}
		blobType, err := wideText("pszBlobType", pszBlobType)
		if err != nil {
			return err
		}
		params, err := parameters(pParameterList)
		if err != nil {
			return err
		}
		data, err := memory("pbData", pbData, cbData)
		if err != nil {
			return nte.Errorf(nte.NTE_INVALID_PARAMETER, "%w", err)
		}
		return give(phKey)(k.ImportKey(h, ncryptmap.Handle(hImportKey), blobType, params, data, uint32(dwFlags)))
	})
}

//export goNCryptExportKey
func goNCryptExportKey(hKey, hExportKey C.NCRYPT_KEY_HANDLE, pszBlobType C.LPCWSTR, pParameterList *C.NCryptBufferDesc, pbOutput C.PBYTE, cbOutput C.DWORD,
	pcbResult *C.DWORD, dwFlags C.DWORD) C.SECURITY_STATUS {
	return withHandle("NCryptExportKey", hKey, ncryptmap.Key, func(k *ncryptmap.KSP, h ncryptmap.Handle) error {
		blobType, err := wideText("pszBlobType", pszBlobType)
		if err != nil {
			return err
		}
		params, err := parameters(pParameterList)
		if err != nil {
			return err
		}
		return deliver(pbOutput, cbOutput, pcbResult, func(out token.Output) (int, error) {
			return k.ExportKeyTo(out, h, ncryptmap.Handle(hExportKey), blobType, params, uint32(dwFlags))
		})
	})
}
