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
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Session management functions: section 5.6.

// goC_OpenSession takes pApplication and Notify as the specification has them; there is nothing to notify of.
//
//export goC_OpenSession
func goC_OpenSession(slot C.CK_SLOT_ID, flags C.CK_FLAGS, application C.CK_VOID_PTR, notify C.CK_NOTIFY, out C.CK_SESSION_HANDLE_PTR) C.CK_RV {
	return enter("C_OpenSession", func(p *token.Provider) error {
		if out == nil {
			return ck.CKR_ARGUMENTS_BAD
		}
		handle, err := p.OpenSession(ck.SlotID(slot), ck.Flags(flags))
		if err == nil {
			*out = C.CK_SESSION_HANDLE(handle)
		}
		return err
	})
}

//export goC_CloseSession
func goC_CloseSession(h C.CK_SESSION_HANDLE) C.CK_RV {
	return inSession("C_CloseSession", h, (*token.Session).Close)
}

//export goC_CloseAllSessions
func goC_CloseAllSessions(slot C.CK_SLOT_ID) C.CK_RV {
	return enter("C_CloseAllSessions", func(p *token.Provider) error { return p.CloseAllSessions(ck.SlotID(slot)) })
}

//export goC_GetSessionInfo
func goC_GetSessionInfo(h C.CK_SESSION_HANDLE, out C.CK_SESSION_INFO_PTR) C.CK_RV {
	return inSession("C_GetSessionInfo", h, func(s *token.Session) error {
		if out == nil {
			return ck.CKR_ARGUMENTS_BAD
		}
		info := s.Info()
		*out = C.CK_SESSION_INFO{
			slotID: C.CK_SLOT_ID(info.SlotID), state: C.CK_STATE(info.State), flags: C.CK_FLAGS(info.Flags), ulDeviceError: C.CK_ULONG(info.DeviceError),
		}
		return nil
	})
}

//export goC_SessionCancel
func goC_SessionCancel(h C.CK_SESSION_HANDLE, flags C.CK_FLAGS) C.CK_RV {
	return inSession("C_SessionCancel", h, func(s *token.Session) error { return s.SessionCancel(ck.Flags(flags)) })
}

//export goC_Login
func goC_Login(h C.CK_SESSION_HANDLE, userType C.CK_USER_TYPE, p C.CK_UTF8CHAR_PTR, n C.CK_ULONG) C.CK_RV {
	return login("C_Login", h, userType, p, n)
}

// goC_LoginUser is C_Login with a name. Tokens here have one user, who has none.
//
//export goC_LoginUser
func goC_LoginUser(h C.CK_SESSION_HANDLE, userType C.CK_USER_TYPE, p C.CK_UTF8CHAR_PTR, n C.CK_ULONG, name C.CK_UTF8CHAR_PTR, nameLen C.CK_ULONG) C.CK_RV {
	if nameLen != 0 {
		return inSession("C_LoginUser", h, func(*token.Session) error {
			return ck.Errorf(ck.CKR_USER_TYPE_INVALID, "the token's user has no name")
		})
	}
	return login("C_LoginUser", h, userType, p, n)
}

func login(name string, h C.CK_SESSION_HANDLE, userType C.CK_USER_TYPE, p C.CK_UTF8CHAR_PTR, n C.CK_ULONG) C.CK_RV {
	return inSession(name, h, func(s *token.Session) error {
		return withPIN(p, n, func(given *secret.Bytes) error { return s.Login(ck.UserType(userType), given) })
	})
}

//export goC_Logout
func goC_Logout(h C.CK_SESSION_HANDLE) C.CK_RV {
	return inSession("C_Logout", h, (*token.Session).Logout)
}

// goC_GetSessionValidationFlags: the module is not validated, so no flag is ever set (section 5.6.10).
//
//export goC_GetSessionValidationFlags
func goC_GetSessionValidationFlags(h C.CK_SESSION_HANDLE, kind C.CK_SESSION_VALIDATION_FLAGS_TYPE, out C.CK_FLAGS_PTR) C.CK_RV {
	return inSession("C_GetSessionValidationFlags", h, func(*token.Session) error {
		if out == nil {
			return ck.CKR_ARGUMENTS_BAD
		}
		*out = 0
		return nil
	})
}
