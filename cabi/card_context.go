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

//export goCardAcquireContext
func goCardAcquireContext(pCardData C.PCARD_DATA, dwFlags C.DWORD) C.DWORD {
	return cardCall("CardAcquireContext", func() error {
		if err := cardPlace("pCardData", pCardData); err != nil {
			return err
		}
		if pCardData.dwVersion == minidriver.Version && (pCardData.pfnCspAlloc == nil || pCardData.pfnCspReAlloc == nil || pCardData.pfnCspFree == nil) {
			return nte.Errorf(nte.SCARD_E_INVALID_PARAMETER, "pfnCspAlloc, pfnCspReAlloc and pfnCspFree are needed")
		}
		m, err := acquire(pCardData, uint32(dwFlags))
		if err != nil {
			return err
		}
		C.card_clear(pCardData)
		C.card_fill(pCardData)
		if dwFlags&C.CARD_SECURE_KEY_INJECTION_NO_CARD_MODE != 0 {
			pCardData.hSCardCtx, pCardData.hScard = 0, 0
		}
		*contextNumber(pCardData) = cards.add(m)
		return nil
	})
}

// acquire makes the context. Without a card the engine is not even made: neither tokens nor a TPM are looked for.
func acquire(card C.PCARD_DATA, flags uint32) (*minidriver.Context, error) {
	if flags != 0 || card.dwVersion != minidriver.Version { // no card, or it fails by itself
		return minidriver.AcquireContext(nil, uint32(card.dwVersion), flags)
	}
	label := ""
	if card.pwszCardName != nil {
		var err error
		if label, err = cardText("pwszCardName", (*C.WCHAR)(card.pwszCardName)); err != nil {
			return nil, err
		}
	}
	starting.Lock()
	engine, err := startEngine()
	cardsUsed = cardsUsed || err == nil
	starting.Unlock()
	if err != nil {
		return nil, err
	}
	return minidriver.AcquireContext(&minidriver.Card{Engine: engine, Label: label}, uint32(card.dwVersion), flags)
}

//export goCardDeleteContext
func goCardDeleteContext(pCardData C.PCARD_DATA) C.DWORD {
	return cardCall("CardDeleteContext", func() error {
		if err := cardPlace("pCardData", pCardData); err != nil {
			return err
		}
		m, err := cards.take(*contextNumber(pCardData), true)
		if err != nil {
			return err
		}
		*contextNumber(pCardData) = 0
		return m.Close()
	})
}

//export goCardGetProperty
func goCardGetProperty(pCardData C.PCARD_DATA, wszProperty C.LPCWSTR, pbData C.PBYTE, cbData C.DWORD, pdwDataLen C.PDWORD, dwFlags C.DWORD) C.DWORD {
	return inCard("CardGetProperty", pCardData, func(m *minidriver.Context) error {
		name, err := cardText("wszProperty", (*C.WCHAR)(wszProperty))
		if err != nil {
			return err
		}
		return cardProperty(pbData, cbData, (*C.DWORD)(pdwDataLen), func(out []byte) (int, error) { return m.GetProperty(name, out, uint32(dwFlags)) })
	})
}

//export goCardSetProperty
func goCardSetProperty(pCardData C.PCARD_DATA, wszProperty C.LPCWSTR, pbData C.PBYTE, cbDataLen, dwFlags C.DWORD) C.DWORD {
	return inCard("CardSetProperty", pCardData, func(m *minidriver.Context) error {
		name, err := cardText("wszProperty", (*C.WCHAR)(wszProperty))
		if err != nil {
			return err
		}
		value, err := cardMemory("pbData", pbData, cbDataLen)
		if err != nil {
			return err
		}
		return m.SetProperty(name, value, uint32(dwFlags))
	})
}

//export goCardGetAlgorithmProperty
func goCardGetAlgorithmProperty(pCardData C.PCARD_DATA, pwszAlgId, pwszProperty C.LPCWSTR, pbData C.PBYTE, cbData C.DWORD, pdwDataLen C.PDWORD,
	dwFlags C.DWORD) C.DWORD {
	return inCard("CardGetAlgorithmProperty", pCardData, func(m *minidriver.Context) error {
		algorithm, err := cardText("pwszAlgId", (*C.WCHAR)(pwszAlgId))
		if err != nil {
			return err
		}
		name, err := cardText("pwszProperty", (*C.WCHAR)(pwszProperty))
		if err != nil {
			return err
		}
		return cardProperty(pbData, cbData, (*C.DWORD)(pdwDataLen), func(out []byte) (int, error) {
			return m.GetAlgorithmProperty(algorithm, name, out, uint32(dwFlags))
		})
	})
}

//export goCardAuthenticateEx
func goCardAuthenticateEx(pCardData C.PCARD_DATA, PinId C.PIN_ID, dwFlags C.DWORD, pbPinData C.PBYTE, cbPinData C.DWORD, ppbSessionPin *C.PBYTE,
	pcbSessionPin, pcAttemptsRemaining C.PDWORD) C.DWORD {
	return inCard("CardAuthenticateEx", pCardData, func(m *minidriver.Context) error {
		pin, err := cardMemory("pbPinData", pbPinData, cbPinData)
		if err != nil {
			return err
		}
		if pcAttemptsRemaining != nil {
			*pcAttemptsRemaining = C.DWORD(message.AttemptsUnknown)
		}
		if ppbSessionPin != nil {
			*ppbSessionPin = nil
		}
		if pcbSessionPin != nil {
			*pcbSessionPin = 0
		}
		return m.AuthenticateEx(uint32(PinId), uint32(dwFlags), pin)
	})
}

//export goCardDeauthenticateEx
func goCardDeauthenticateEx(pCardData C.PCARD_DATA, PinId C.PIN_SET, dwFlags C.DWORD) C.DWORD {
	return inCard("CardDeauthenticateEx", pCardData, func(m *minidriver.Context) error { return m.DeauthenticateEx(uint32(PinId), uint32(dwFlags)) })
}

// cardName reads a narrow text of a directory or file.
func cardName(what string, p C.LPSTR) (string, error) {
	if p == nil {
		return "", nte.Errorf(nte.SCARD_E_INVALID_PARAMETER, "%s is NULL", what)
	}
	b := unsafe.Slice((*byte)(unsafe.Pointer(p)), maxText)
	for i := range maxText {
		if b[i] == 0 {
			return string(b[:i]), nil
		}
	}
	return "", nte.Errorf(nte.SCARD_E_INVALID_PARAMETER, "%s has no end", what)
}

//export goCardReadFile
func goCardReadFile(pCardData C.PCARD_DATA, pszDirectoryName, pszFileName C.LPSTR, dwFlags C.DWORD, ppbData *C.PBYTE, pcbData C.PDWORD) C.DWORD {
	return inCard("CardReadFile", pCardData, func(m *minidriver.Context) error {
		directory, err := cardName("pszDirectoryName", pszDirectoryName)
		if err != nil {
			return err
		}
		file, err := cardName("pszFileName", pszFileName)
		if err != nil {
			return err
		}
		if ppbData == nil || pcbData == nil {
			return nte.Errorf(nte.SCARD_E_INVALID_PARAMETER, "a place for the file is NULL")
		}
		data, err := m.ReadFile(directory, file, uint32(dwFlags))
		if err != nil {
			return err
		}
		p, err := allocated(pCardData, data)
		if err != nil {
			return err
		}
		*ppbData, *pcbData = p, C.DWORD(len(data))
		return nil
	})
}
