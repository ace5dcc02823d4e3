package cabi

/*
#pragma GCC visibility push(protected)
#include "../p11.h"
#pragma GCC visibility pop
*/
import "C"

import (
	"runtime/debug"
	"unsafe"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// General-purpose, slot and token management functions: sections 5.4 and 5.5.

// pad fills a blank-padded text field, which has no NUL at its end. Text that is too long is cut at a character.
func pad[T ~uint8](field []T, text string) {
	for len(text) > len(field) {
		text = text[:len(text)-1]
		for len(text) > 0 && text[len(text)-1]&0xC0 == 0x80 {
			text = text[:len(text)-1]
		}
	}
	for i := range field {
		field[i] = ' '
		if i < len(text) {
			field[i] = T(text[i])
		}
	}
}

func version(v ck.Version) C.CK_VERSION {
	return C.CK_VERSION{major: C.CK_BYTE(v.Major), minor: C.CK_BYTE(v.Minor)}
}

//export goC_GetInfo
func goC_GetInfo(out C.CK_INFO_PTR) C.CK_RV {
	return enter("C_GetInfo", func(p *token.Provider) error {
		if out == nil {
			return ck.CKR_ARGUMENTS_BAD
		}
		info := p.Info()
		*out = C.CK_INFO{cryptokiVersion: version(info.CryptokiVersion), flags: C.CK_FLAGS(info.Flags), libraryVersion: version(info.LibraryVersion)}
		pad(out.manufacturerID[:], info.ManufacturerID)
		pad(out.libraryDescription[:], info.LibraryDescription)
		return nil
	})
}

// list gives a list by the convention of section 5.2, counted in entries.
func list[T ~uint, U ~uint64](out *U, count C.CK_ULONG_PTR, items []T) error {
	room := *count
	*count = C.CK_ULONG(len(items))
	switch {
	case out == nil:
		return nil
	case room < C.CK_ULONG(len(items)):
		return ck.CKR_BUFFER_TOO_SMALL
	}
	to := unsafe.Slice(out, len(items))
	for i, item := range items {
		to[i] = U(item)
	}
	return nil
}

//export goC_GetSlotList
func goC_GetSlotList(present C.CK_BBOOL, out C.CK_SLOT_ID_PTR, count C.CK_ULONG_PTR) C.CK_RV {
	return enter("C_GetSlotList", func(p *token.Provider) error {
		if count == nil {
			return ck.CKR_ARGUMENTS_BAD
		}
		slots, err := p.SlotList(out == nil)
		if err != nil {
			return err
		}
		return list((*C.CK_SLOT_ID)(out), count, slots)
	})
}

//export goC_GetSlotInfo
func goC_GetSlotInfo(slot C.CK_SLOT_ID, out C.CK_SLOT_INFO_PTR) C.CK_RV {
	return enter("C_GetSlotInfo", func(p *token.Provider) error {
		if out == nil {
			return ck.CKR_ARGUMENTS_BAD
		}
		info, err := p.SlotInfo(ck.SlotID(slot))
		if err != nil {
			return err
		}
		*out = C.CK_SLOT_INFO{flags: C.CK_FLAGS(info.Flags), hardwareVersion: version(info.HardwareVersion), firmwareVersion: version(info.FirmwareVersion)}
		pad(out.slotDescription[:], info.Description)
		pad(out.manufacturerID[:], info.ManufacturerID)
		return nil
	})
}

//export goC_GetTokenInfo
func goC_GetTokenInfo(slot C.CK_SLOT_ID, out C.CK_TOKEN_INFO_PTR) C.CK_RV {
	return enter("C_GetTokenInfo", func(p *token.Provider) error {
		if out == nil {
			return ck.CKR_ARGUMENTS_BAD
		}
		info, err := p.TokenInfo(ck.SlotID(slot))
		if err != nil {
			return err
		}
		*out = C.CK_TOKEN_INFO{
			flags:             C.CK_FLAGS(info.Flags),
			ulMaxSessionCount: C.CK_ULONG(info.MaxSessions), ulSessionCount: C.CK_ULONG(info.Sessions),
			ulMaxRwSessionCount: C.CK_ULONG(info.MaxRWSessions), ulRwSessionCount: C.CK_ULONG(info.RWSessions),
			ulMaxPinLen: C.CK_ULONG(info.MaxPINLen), ulMinPinLen: C.CK_ULONG(info.MinPINLen),
			ulTotalPublicMemory: C.CK_ULONG(info.TotalPublicMemory), ulFreePublicMemory: C.CK_ULONG(info.FreePublicMemory),
			ulTotalPrivateMemory: C.CK_ULONG(info.TotalPrivateMemory), ulFreePrivateMemory: C.CK_ULONG(info.FreePrivateMemory),
			hardwareVersion: version(info.HardwareVersion), firmwareVersion: version(info.FirmwareVersion),
		}
		pad(out.label[:], info.Label)
		pad(out.manufacturerID[:], info.ManufacturerID)
		pad(out.model[:], info.Model)
		pad(out.serialNumber[:], info.SerialNumber)
		pad(out.utcTime[:], info.UTCTime)
		return nil
	})
}

// goC_WaitForSlotEvent may wait until C_Finalize.
//
//export goC_WaitForSlotEvent
func goC_WaitForSlotEvent(flags C.CK_FLAGS, slot C.CK_SLOT_ID_PTR, reserved C.CK_VOID_PTR) C.CK_RV {
	return enter("C_WaitForSlotEvent", func(p *token.Provider) error {
		if reserved != nil || slot == nil {
			return ck.CKR_ARGUMENTS_BAD
		}
		return p.WaitForSlotEvent(ck.Flags(flags))
	})
}

//export goC_GetMechanismList
func goC_GetMechanismList(slot C.CK_SLOT_ID, out C.CK_MECHANISM_TYPE_PTR, count C.CK_ULONG_PTR) C.CK_RV {
	return enter("C_GetMechanismList", func(p *token.Provider) error {
		if count == nil {
			return ck.CKR_ARGUMENTS_BAD
		}
		types, err := p.MechanismList(ck.SlotID(slot))
		if err != nil {
			return err
		}
		return list((*C.CK_MECHANISM_TYPE)(out), count, types)
	})
}

//export goC_GetMechanismInfo
func goC_GetMechanismInfo(slot C.CK_SLOT_ID, typ C.CK_MECHANISM_TYPE, out C.CK_MECHANISM_INFO_PTR) C.CK_RV {
	return enter("C_GetMechanismInfo", func(p *token.Provider) error {
		if out == nil {
			return ck.CKR_ARGUMENTS_BAD
		}
		info, err := p.MechanismInfo(ck.SlotID(slot), ck.MechanismType(typ))
		if err != nil {
			return err
		}
		*out = C.CK_MECHANISM_INFO{ulMinKeySize: C.CK_ULONG(info.MinKeySize), ulMaxKeySize: C.CK_ULONG(info.MaxKeySize), flags: C.CK_FLAGS(info.Flags)}
		return nil
	})
}

// labelLength is the size of CK_TOKEN_INFO.label, which C_InitToken's pLabel must have.
const labelLength = 32

//export goC_InitToken
func goC_InitToken(slot C.CK_SLOT_ID, p C.CK_UTF8CHAR_PTR, n C.CK_ULONG, label C.CK_UTF8CHAR_PTR) C.CK_RV {
	return enter("C_InitToken", func(provider *token.Provider) error {
		if label == nil {
			return ck.CKR_ARGUMENTS_BAD
		}
		text := string(unsafe.Slice((*byte)(unsafe.Pointer(label)), labelLength))
		return withPIN(p, n, func(soPIN *secret.Bytes) error { return provider.InitToken(ck.SlotID(slot), soPIN, text) })
	})
}

// withPIN hands f a copy of a PIN. Stretching a PIN takes some 20 MiB for some 20 ms, which the host gets back afterwards.
func withPIN(p C.CK_UTF8CHAR_PTR, n C.CK_ULONG, f func(*secret.Bytes) error) error {
	given, err := pin(p, n)
	if err != nil {
		return err
	}
	defer debug.FreeOSMemory()
	defer given.Close()
	return f(given)
}

//export goC_InitPIN
func goC_InitPIN(h C.CK_SESSION_HANDLE, p C.CK_UTF8CHAR_PTR, n C.CK_ULONG) C.CK_RV {
	return inSession("C_InitPIN", h, func(s *token.Session) error { return withPIN(p, n, s.InitPIN) })
}

//export goC_SetPIN
func goC_SetPIN(h C.CK_SESSION_HANDLE, old C.CK_UTF8CHAR_PTR, oldLen C.CK_ULONG, p C.CK_UTF8CHAR_PTR, n C.CK_ULONG) C.CK_RV {
	return inSession("C_SetPIN", h, func(s *token.Session) error {
		return withPIN(old, oldLen, func(oldPIN *secret.Bytes) error {
			return withPIN(p, n, func(newPIN *secret.Bytes) error { return s.SetPIN(oldPIN, newPIN) })
		})
	})
}
