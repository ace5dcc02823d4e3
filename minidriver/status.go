package minidriver

import (
	"errors"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// fromRV is what the engine's answers are to who knows cards. What is not listed is SCARD_F_INTERNAL_ERROR.
var fromRV = map[ck.RV]nte.Status{
	ck.CKR_OK:                               nte.ERROR_SUCCESS,
	ck.CKR_HOST_MEMORY:                      nte.SCARD_E_NO_MEMORY,
	ck.CKR_DEVICE_MEMORY:                    nte.SCARD_E_WRITE_TOO_MANY,
	ck.CKR_ARGUMENTS_BAD:                    nte.SCARD_E_INVALID_PARAMETER,
	ck.CKR_ATTRIBUTE_VALUE_INVALID:          nte.SCARD_E_INVALID_PARAMETER,
	ck.CKR_TEMPLATE_INCONSISTENT:            nte.SCARD_E_INVALID_PARAMETER,
	ck.CKR_TEMPLATE_INCOMPLETE:              nte.SCARD_E_INVALID_PARAMETER,
	ck.CKR_MECHANISM_PARAM_INVALID:          nte.SCARD_E_INVALID_PARAMETER,
	ck.CKR_WRAPPED_KEY_INVALID:              nte.SCARD_E_INVALID_PARAMETER,
	ck.CKR_WRAPPED_KEY_LEN_RANGE:            nte.SCARD_E_INVALID_PARAMETER,
	ck.CKR_ENCRYPTED_DATA_INVALID:           nte.SCARD_E_INVALID_PARAMETER,
	ck.CKR_ENCRYPTED_DATA_LEN_RANGE:         nte.SCARD_E_INVALID_PARAMETER,
	ck.CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT: nte.SCARD_E_INVALID_PARAMETER,
	ck.CKR_KEY_TYPE_INCONSISTENT:            nte.SCARD_E_INVALID_PARAMETER,
	ck.CKR_PIN_INCORRECT:                    nte.SCARD_W_WRONG_CHV,
	ck.CKR_PIN_LEN_RANGE:                    nte.SCARD_E_INVALID_CHV,
	ck.CKR_USER_PIN_NOT_INITIALIZED:         nte.SCARD_E_INVALID_CHV,
	ck.CKR_PIN_INVALID:                      nte.SCARD_E_INVALID_CHV,
	ck.CKR_USER_ALREADY_LOGGED_IN:           nte.SCARD_E_UNEXPECTED,
	ck.CKR_USER_ANOTHER_ALREADY_LOGGED_IN:   nte.SCARD_E_UNEXPECTED,
	ck.CKR_PIN_LOCKED:                       nte.SCARD_W_CHV_BLOCKED,
	ck.CKR_USER_NOT_LOGGED_IN:               nte.SCARD_W_CARD_NOT_AUTHENTICATED,
	ck.CKR_KEY_FUNCTION_NOT_PERMITTED:       nte.SCARD_W_SECURITY_VIOLATION,
	ck.CKR_ACTION_PROHIBITED:                nte.SCARD_W_SECURITY_VIOLATION,
	ck.CKR_FUNCTION_REJECTED:                nte.SCARD_W_SECURITY_VIOLATION,
	ck.CKR_KEY_SIZE_RANGE:                   nte.SCARD_E_UNSUPPORTED_FEATURE,
	ck.CKR_MECHANISM_INVALID:                nte.SCARD_E_UNSUPPORTED_FEATURE,
	ck.CKR_FUNCTION_NOT_SUPPORTED:           nte.SCARD_E_UNSUPPORTED_FEATURE,
	ck.CKR_TOKEN_WRITE_PROTECTED:            nte.SCARD_E_UNSUPPORTED_FEATURE, // writing to a card that is read-only
	ck.CKR_SESSION_READ_ONLY:                nte.SCARD_E_UNSUPPORTED_FEATURE,
	ck.CKR_OBJECT_HANDLE_INVALID:            nte.SCARD_E_INVALID_HANDLE,
	ck.CKR_SESSION_HANDLE_INVALID:           nte.SCARD_E_INVALID_HANDLE,
	ck.CKR_SESSION_CLOSED:                   nte.SCARD_E_INVALID_HANDLE,
	ck.CKR_UNWRAPPING_KEY_HANDLE_INVALID:    nte.SCARD_E_INVALID_HANDLE,
	ck.CKR_KEY_HANDLE_INVALID:               nte.SCARD_E_INVALID_HANDLE,
	ck.CKR_TOKEN_NOT_PRESENT:                nte.SCARD_E_NO_SMARTCARD,
	ck.CKR_DEVICE_REMOVED:                   nte.SCARD_E_NO_SMARTCARD,
	ck.CKR_SLOT_ID_INVALID:                  nte.SCARD_E_NO_SMARTCARD,
}

// Status is the status of what a function here gave: 0 for nil.
func Status(err error) nte.Status {
	if err == nil {
		return nte.ERROR_SUCCESS
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		switch e := e.(type) {
		case *nte.Error:
			return e.Status
		case nte.Status:
			return e
		}
	}
	if status, ok := fromRV[ck.Code(err)]; ok {
		return status
	}
	return nte.SCARD_F_INTERNAL_ERROR
}

// invalid is SCARD_E_INVALID_PARAMETER.
func invalid(format string, args ...any) error {
	return nte.Errorf(nte.SCARD_E_INVALID_PARAMETER, format, args...)
}

func unsupported(format string, args ...any) error {
	return nte.Errorf(nte.SCARD_E_UNSUPPORTED_FEATURE, format, args...)
}
