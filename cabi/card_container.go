package cabi

/*
#include "card_enter.h"
*/
import "C"

import (
	"unsafe"

	"github.com/ncrypt11/ncrypt11/minidriver"
	"github.com/ncrypt11/ncrypt11/minidriver/message"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

//export goCardDeleteContainer
func goCardDeleteContainer(pCardData C.PCARD_DATA, bContainerIndex C.BYTE, dwReserved C.DWORD) C.DWORD {
	return inCard("CardDeleteContainer", pCardData, func(m *minidriver.Context) error { return m.DeleteContainer(byte(bContainerIndex), uint32(dwReserved)) })
}

//export goCardCreateContainer
func goCardCreateContainer(pCardData C.PCARD_DATA, bContainerIndex C.BYTE, dwFlags, dwKeySpec, dwKeySize C.DWORD, pbKeyData C.PBYTE) C.DWORD {
	return inCard("CardCreateContainer", pCardData, func(m *minidriver.Context) error {
		key, err := keyToImport(dwFlags, dwKeySpec, dwKeySize, pbKeyData)
		if err != nil {
			return err
		}
		return m.CreateContainer(byte(bContainerIndex), uint32(dwFlags), uint32(dwKeySpec), uint32(dwKeySize), key)
	})
}

//export goCardCreateContainerEx
func goCardCreateContainerEx(pCardData C.PCARD_DATA, bContainerIndex C.BYTE, dwFlags, dwKeySpec, dwKeySize C.DWORD, pbKeyData C.PBYTE, PinId C.PIN_ID) C.DWORD {
	return inCard("CardCreateContainerEx", pCardData, func(m *minidriver.Context) error {
		key, err := keyToImport(dwFlags, dwKeySpec, dwKeySize, pbKeyData)
		if err != nil {
			return err
		}
		return m.CreateContainerEx(byte(bContainerIndex), uint32(dwFlags), uint32(dwKeySpec), uint32(dwKeySize), key, uint32(PinId))
	})
}

// keyToImport finds out how long the key is that the caller points to: nobody says it, but the blob's head does.
func keyToImport(flags, spec, size C.DWORD, key C.PBYTE) ([]byte, error) {
	if uint32(flags) != minidriver.CARD_CREATE_CONTAINER_KEY_IMPORT {
		return nil, nil
	}
	if err := cardPlace("pbKeyData", key); err != nil {
		return nil, err
	}
	at := func(n int) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(key)), n) }
	n, err := message.KeyLen(uint32(spec), uint32(size), at)
	if err != nil {
		return nil, err
	}
	return at(n), nil
}

//export goCardGetContainerInfo
func goCardGetContainerInfo(pCardData C.PCARD_DATA, bContainerIndex C.BYTE, dwFlags C.DWORD, pContainerInfo C.PCONTAINER_INFO) C.DWORD {
	return inCard("CardGetContainerInfo", pCardData, func(m *minidriver.Context) error {
		if err := cardPlace("pContainerInfo", pContainerInfo); err != nil {
			return err
		}
		if v := pContainerInfo.dwVersion; v > C.CONTAINER_INFO_CURRENT_VERSION {
			return nte.Errorf(nte.ERROR_REVISION_MISMATCH, "CONTAINER_INFO of version %d", uint32(v))
		}
		info, err := m.GetContainerInfo(byte(bContainerIndex), uint32(dwFlags))
		if err != nil {
			return err
		}
		signature, err := allocated(pCardData, info.SigPublicKey)
		if err != nil {
			return err
		}
		exchange, err := allocated(pCardData, info.KeyExPublicKey)
		if err != nil {
			freed(pCardData, signature)
			return err
		}
		*pContainerInfo = C.CONTAINER_INFO{
			dwVersion:      C.CONTAINER_INFO_CURRENT_VERSION,
			cbSigPublicKey: C.DWORD(len(info.SigPublicKey)), pbSigPublicKey: signature,
			cbKeyExPublicKey: C.DWORD(len(info.KeyExPublicKey)), pbKeyExPublicKey: exchange,
		}
		return nil
	})
}
