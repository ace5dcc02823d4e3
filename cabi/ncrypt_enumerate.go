package cabi

/*
#pragma GCC visibility push(protected)
#include "../include/ncrypt.h"
#pragma GCC visibility pop
*/
import "C"

import (
	"sync"
	"unsafe"

	"github.com/ncrypt11/ncrypt11/ncryptmap"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

// enumeration is what NCryptEnumKeys has not given yet.
type enumeration struct {
	provider ncryptmap.Handle
	mu       sync.Mutex // guards what follows
	names    []ncryptmap.KeyName
}

func (e *enumeration) next() (ncryptmap.KeyName, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.names) == 0 {
		return ncryptmap.KeyName{}, nte.Errorf(nte.NTE_NO_MORE_ITEMS, "there are no more keys")
	}
	name := e.names[0]
	e.names = e.names[1:]
	return name, nil
}

//export goNCryptEnumKeys
func goNCryptEnumKeys(hProvider C.NCRYPT_PROV_HANDLE, pszScope C.LPCWSTR, ppKeyName **C.NCryptKeyName, ppEnumState *C.PVOID, dwFlags C.DWORD) C.SECURITY_STATUS {
	return withHandle("NCryptEnumKeys", hProvider, ncryptmap.Provider, func(k *ncryptmap.KSP, h ncryptmap.Handle) error {
		if err := place("ppKeyName", ppKeyName); err != nil {
			return err
		}
		if err := place("ppEnumState", ppEnumState); err != nil {
			return err
		}
		*ppKeyName = nil
		e, err := enumerate(k, h, pszScope, ppEnumState, uint32(dwFlags))
		if err != nil {
			return err
		}
		name, err := e.next()
		if err != nil {
			return err
		}
		*ppKeyName, err = keyName(&name)
		return err
	})
}

// enumerate finds the enumeration that goes on, or begins one. Where there is no key at all the caller gets no state, since it would have nothing else to free.
func enumerate(k *ncryptmap.KSP, h ncryptmap.Handle, pszScope C.LPCWSTR, state *C.PVOID, flags uint32) (*enumeration, error) {
	if at := unsafe.Pointer(*state); at != nil {
		e, err := given.state(at)
		if err == nil && e.provider != h {
			err = nte.Errorf(nte.NTE_INVALID_PARAMETER, "this enumeration is another provider's")
		}
		return e, err
	}
	scope, err := optionalText("pszScope", pszScope)
	if err != nil {
		return nil, err
	}
	names, err := k.EnumKeys(h, scope, flags)
	e := &enumeration{provider: h, names: names}
	if err != nil || len(names) == 0 {
		return e, err
	}
	at, err := given.allocate(int(unsafe.Sizeof(uintptr(0))), e)
	if err != nil {
		return nil, err
	}
	*state = C.PVOID(at)
	return e, nil
}

func keyName(name *ncryptmap.KeyName) (*C.NCryptKeyName, error) {
	block, err := given.allocate(C.sizeof_NCryptKeyName+textSize(name.Name)+textSize(name.Algorithm), nil)
	if err != nil {
		return nil, err
	}
	out, behind := (*C.NCryptKeyName)(block), texts{unsafe.Add(block, C.sizeof_NCryptKeyName)}
	out.pszName, out.pszAlgid = behind.put(name.Name), behind.put(name.Algorithm)
	out.dwLegacyKeySpec, out.dwFlags = C.DWORD(name.LegacyKeySpec), C.DWORD(name.Flags)
	return out, nil
}

//export goNCryptEnumAlgorithms
func goNCryptEnumAlgorithms(hProvider C.NCRYPT_PROV_HANDLE, dwAlgOperations C.DWORD, pdwAlgCount *C.DWORD, ppAlgList **C.NCryptAlgorithmName, dwFlags C.DWORD) C.SECURITY_STATUS {
	return withHandle("NCryptEnumAlgorithms", hProvider, ncryptmap.Provider, func(k *ncryptmap.KSP, h ncryptmap.Handle) error {
		if err := place("pdwAlgCount", pdwAlgCount); err != nil {
			return err
		}
		if err := place("ppAlgList", ppAlgList); err != nil {
			return err
		}
		names, err := k.EnumAlgorithms(h, uint32(dwAlgOperations), uint32(dwFlags))
		if err != nil {
			return err
		}
		size := len(names) * C.sizeof_NCryptAlgorithmName
		total := size
		for _, name := range names {
			total += textSize(name.Name)
		}
		block, err := given.allocate(max(total, 1), nil)
		if err != nil {
			return err
		}
		behind := texts{unsafe.Add(block, size)}
		list := unsafe.Slice((*C.NCryptAlgorithmName)(block), len(names))
		for i, name := range names {
			list[i].pszName = behind.put(name.Name)
			list[i].dwClass, list[i].dwAlgOperations = C.DWORD(name.Class), C.DWORD(name.Operations)
		}
		*pdwAlgCount, *ppAlgList = C.DWORD(len(names)), (*C.NCryptAlgorithmName)(block)
		return nil
	})
}

//export goNCryptEnumStorageProviders
func goNCryptEnumStorageProviders(pdwProviderCount *C.DWORD, ppProviderList **C.NCryptProviderName, dwFlags C.DWORD) C.SECURITY_STATUS {
	return inNCrypt("NCryptEnumStorageProviders", func(k *ncryptmap.KSP) error {
		if err := place("pdwProviderCount", pdwProviderCount); err != nil {
			return err
		}
		if err := place("ppProviderList", ppProviderList); err != nil {
			return err
		}
		names, err := k.EnumStorageProviders(uint32(dwFlags))
		if err != nil {
			return err
		}
		size := len(names) * C.sizeof_NCryptProviderName
		total := size
		for _, name := range names {
			total += textSize(name.Name) + textSize(name.Comment)
		}
		block, err := given.allocate(total, nil)
		if err != nil {
			return err
		}
		behind := texts{unsafe.Add(block, size)}
		list := unsafe.Slice((*C.NCryptProviderName)(block), len(names))
		for i, name := range names {
			list[i].pszName, list[i].pszComment = behind.put(name.Name), behind.put(name.Comment)
		}
		*pdwProviderCount, *ppProviderList = C.DWORD(len(names)), &list[0]
		return nil
	})
}

//export goNCryptFreeBuffer
func goNCryptFreeBuffer(pvInput C.PVOID) C.SECURITY_STATUS {
	return ncryptCall("NCryptFreeBuffer", func() error { return given.free(unsafe.Pointer(pvInput)) })
}
