package local

import (
	"errors"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

// sealErrors gives what a sealer answers its CK_RV. What is not listed is damage.
var sealErrors = []struct {
	err error
	rv  ck.RV
}{
	{seal.ErrAuth, ck.CKR_PIN_INCORRECT},
	{seal.ErrLocked, ck.CKR_PIN_LOCKED},
	{seal.ErrAbsent, ck.CKR_DEVICE_REMOVED},
	{seal.ErrBusy, ck.CKR_FUNCTION_FAILED},
	{seal.ErrTerms, ck.CKR_FUNCTION_REJECTED},
}

// sealError gives a sealer's error its CK_RV, unless it has one.
func sealError(err error) error {
	var rv ck.RV
	var explained *ck.Error
	if err == nil || errors.As(err, &rv) || errors.As(err, &explained) {
		return err
	}
	for _, row := range sealErrors {
		if errors.Is(err, row.err) {
			return ck.Errorf(row.rv, "%w", err)
		}
	}
	return ck.Errorf(ck.CKR_DEVICE_ERROR, "%w", err)
}
