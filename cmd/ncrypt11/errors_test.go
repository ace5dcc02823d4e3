package main

import (
	"fmt"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

// What the engine answers comes out as one line that says what to do, with the CK_RV to search for.
func TestExplainLocked(t *testing.T) {
	want := advice[ck.CKR_PIN_LOCKED] + " (CKR_PIN_LOCKED)"
	for _, err := range []error{
		ck.CKR_PIN_LOCKED, ck.Errorf(ck.CKR_PIN_LOCKED, "10 wrong PINs in a row"), ck.Errorf(ck.CKR_PIN_LOCKED, "%w: 2", seal.ErrLocked), ck.Errorf(ck.CKR_PIN_LOCKED, "%w", seal.ErrLocked),
	} {
		if got := explain(err); got != want {
			t.Errorf("%v: %q", err, got)
		}
	}
}

func TestExplain(t *testing.T) {
	for want, err := range map[string]error{
		"the token is for others (CKR_ACTION_PROHIBITED)":                                                ck.Errorf(ck.CKR_ACTION_PROHIBITED, "the token is for others"),
		"the PIN is wrong (CKR_PIN_INCORRECT)":                                                           ck.CKR_PIN_INCORRECT,
		"VBS is unavailable: no guard; `ncrypt11 doctor` says what to do (CKR_FUNCTION_REJECTED)":        ck.Errorf(ck.CKR_FUNCTION_REJECTED, "VBS is unavailable: no guard"),
		"an access list needs a guard (CKR_FUNCTION_REJECTED)":                                           ck.Errorf(ck.CKR_FUNCTION_REJECTED, "an access list needs a guard"),
		"key: the TPM itself is locked out: wait up to 600 s (CKR_PIN_LOCKED)":                           fmt.Errorf("key: %w", ck.Errorf(ck.CKR_PIN_LOCKED, "the TPM itself is locked out: wait up to 600 s")),
		"too many wrong PINs: the count of them in /x is damaged (CKR_PIN_LOCKED)":                       ck.Errorf(ck.CKR_PIN_LOCKED, "%w: the count of them in /x is damaged", seal.ErrLocked),
		seal.ErrForeign.Error() + "; " + foreignAdvice + " (CKR_DEVICE_ERROR)":                           ck.Errorf(ck.CKR_DEVICE_ERROR, "%w", seal.ErrForeign),
		"there is no TPM, or it does not answer; `ncrypt11 doctor` says what to do (CKR_DEVICE_REMOVED)": ck.Errorf(ck.CKR_DEVICE_REMOVED, "%w", seal.ErrAbsent),
		"the TPM is busy; try again in a moment (CKR_FUNCTION_FAILED)":                                   ck.Errorf(ck.CKR_FUNCTION_FAILED, "%w", seal.ErrBusy),
		"sealed for one boot only, and that boot is over: initialize the token again (CKR_DEVICE_ERROR)": ck.Errorf(ck.CKR_DEVICE_ERROR, "%w: initialize the token again", seal.ErrDead),
	} {
		if got := oneLine(explain(err)); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}
