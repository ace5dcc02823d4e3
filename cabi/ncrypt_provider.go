package cabi

/*
#pragma GCC visibility push(protected)
#include "../include/ncrypt.h"
#pragma GCC visibility pop
*/
import "C"

import "github.com/ncrypt11/ncrypt11/ncryptmap"

//export goNCryptOpenStorageProvider
func goNCryptOpenStorageProvider(phProvider *C.NCRYPT_PROV_HANDLE, pszProviderName C.LPCWSTR, dwFlags C.DWORD) C.SECURITY_STATUS {
	return inNCrypt("NCryptOpenStorageProvider", func(k *ncryptmap.KSP) error {
		if err := place("phProvider", phProvider); err != nil {
			return err
		}
		name, err := optionalText("pszProviderName", pszProviderName)
		if err != nil {
			return err
		}
		return give(phProvider)(k.OpenStorageProvider(name, uint32(dwFlags)))
	})
}

// give stores a handle that a function gives.
func give(to *C.ULONG_PTR) func(ncryptmap.Handle, error) error {
	return func(handle ncryptmap.Handle, err error) error {
		if err == nil {
			*to = C.ULONG_PTR(handle)
		}
		return err
	}
}

//export goNCryptIsAlgSupported
func goNCryptIsAlgSupported(hProvider C.NCRYPT_PROV_HANDLE, pszAlgId C.LPCWSTR, dwFlags C.DWORD) C.SECURITY_STATUS {
	return withHandle("NCryptIsAlgSupported", hProvider, ncryptmap.Provider, func(k *ncryptmap.KSP, h ncryptmap.Handle) error {
		name, err := wideText("pszAlgId", pszAlgId)
		if err != nil {
			return err
		}
		return k.IsAlgSupported(h, name, uint32(dwFlags))
	})
}

//export goNCryptOpenKey
func goNCryptOpenKey(hProvider C.NCRYPT_PROV_HANDLE, phKey *C.NCRYPT_KEY_HANDLE, pszKeyName C.LPCWSTR, dwLegacyKeySpec, dwFlags C.DWORD) C.SECURITY_STATUS {
	return withHandle("NCryptOpenKey", hProvider, ncryptmap.Provider, func(k *ncryptmap.KSP, h ncryptmap.Handle) error {
		if err := place("phKey", phKey); err != nil {
			return err
		}
		name, err := wideText("pszKeyName", pszKeyName)
		if err != nil {
			return err
		}
		return give(phKey)(k.OpenKey(h, name, uint32(dwLegacyKeySpec), uint32(dwFlags)))
	})
}

//export goNCryptCreatePersistedKey
func goNCryptCreatePersistedKey(hProvider C.NCRYPT_PROV_HANDLE, phKey *C.NCRYPT_KEY_HANDLE, pszAlgId, pszKeyName C.LPCWSTR, dwLegacyKeySpec, dwFlags C.DWORD) C.SECURITY_STATUS {
	return withHandle("NCryptCreatePersistedKey", hProvider, ncryptmap.Provider, func(k *ncryptmap.KSP, h ncryptmap.Handle) error {
		if err := place("phKey", phKey); err != nil {
			return err
		}
		algorithm, err := wideText("pszAlgId", pszAlgId)
		if err != nil {
			return err
		}
		name, err := optionalText("pszKeyName", pszKeyName)
		if err != nil {
			return err
		}
		return give(phKey)(k.CreatePersistedKey(h, algorithm, name, uint32(dwLegacyKeySpec), uint32(dwFlags)))
	})
}

//export goNCryptNotifyChangeKey
func goNCryptNotifyChangeKey(hProvider C.NCRYPT_PROV_HANDLE, phEvent *C.HANDLE, dwFlags C.DWORD) C.SECURITY_STATUS {
	return withHandle("NCryptNotifyChangeKey", hProvider, ncryptmap.Provider, func(k *ncryptmap.KSP, h ncryptmap.Handle) error {
		if err := place("phEvent", phEvent); err != nil {
			return err
		}
		return k.NotifyChangeKey(h, uint32(dwFlags))
	})
}

//export goNCryptFreeObject
func goNCryptFreeObject(hObject C.NCRYPT_HANDLE) C.SECURITY_STATUS {
	return withHandle("NCryptFreeObject", hObject, ncryptmap.Object, (*ncryptmap.KSP).FreeObject)
}

//export goNCryptIsKeyHandle
func goNCryptIsKeyHandle(hKey C.NCRYPT_KEY_HANDLE) C.BOOL {
	if withHandle("NCryptIsKeyHandle", hKey, ncryptmap.Key, func(*ncryptmap.KSP, ncryptmap.Handle) error { return nil }) != C.ERROR_SUCCESS {
		return C.FALSE
	}
	return C.TRUE
}
