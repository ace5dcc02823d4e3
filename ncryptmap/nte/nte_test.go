package nte

import (
	"errors"
	"fmt"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Numbers that programs have compiled in.
func TestNumbers(t *testing.T) {
	for status, number := range map[Status]uint32{
		NTE_BAD_FLAGS: 0x80090009, NTE_BAD_KEY_STATE: 0x8009000B, NTE_EXISTS: 0x8009000F, NTE_BAD_KEYSET: 0x80090016, NTE_INVALID_HANDLE: 0x80090026,
		NTE_NO_MORE_ITEMS: 0x8009002A, NTE_VBS_UNAVAILABLE: 0x80090039, NTE_VBS_CANNOT_DECRYPT_KEY: 0x8009003A, RPC_X_NULL_REF_POINTER: 0x800706F4,
		SCARD_E_UNSUPPORTED_FEATURE: 0x80100022, ERROR_REVISION_MISMATCH: 1306,
	} {
		if uint32(status) != number {
			t.Errorf("%v is %#x", status, uint32(status))
		}
	}
}

func TestRowsAreWhole(t *testing.T) {
	seen := map[Status]bool{}
	for _, r := range rows {
		if seen[r.status] || r.name == "" || r.meaning == "" {
			t.Errorf("%+v", r)
		}
		seen[r.status] = true
		if s, ok := Parse(r.name); !ok || s != r.status {
			t.Errorf("%s is parsed as %v, %v", r.name, s, ok)
		}
		if s, ok := Parse(fmt.Sprintf("%#x", uint32(r.status))); !ok || s != r.status {
			t.Errorf("%s by its number is %v, %v", r.name, s, ok)
		}
	}
	if all := All(); len(all) != len(seen) || all[0] != ERROR_SUCCESS {
		t.Errorf("all: %v", all)
	}
	if s, ok := Parse("0x12345678"); ok {
		t.Errorf("%v is known", s)
	}
}

func TestErrors(t *testing.T) {
	cause := errors.New("cause")
	err := fmt.Errorf("around: %w", Errorf(NTE_EXISTS, "key %q: %w", "a", cause))
	if Code(err) != NTE_EXISTS || !errors.Is(err, NTE_EXISTS) || !errors.Is(err, cause) {
		t.Errorf("%v is %v", err, Code(err))
	}
	if text := Errorf(NTE_EXISTS, "key %q", "a").Error(); text != `NTE_EXISTS: key "a"` {
		t.Error(text)
	}
	for err, want := range map[error]Status{
		nil: ERROR_SUCCESS, NTE_BAD_DATA: NTE_BAD_DATA, ck.CKR_PIN_INCORRECT: NTE_INCORRECT_PASSWORD, errors.New("x"): NTE_FAIL,
	} {
		if got := Code(err); got != want {
			t.Errorf("%v is %v, want %v", err, got, want)
		}
	}
}

// Each table says one thing of each code.
func TestTables(t *testing.T) {
	rvs, statuses := map[ck.RV]bool{}, map[Status]bool{}
	for _, r := range fromRV {
		if rvs[r.rv] || find(r.status) == nil || FromRV(r.rv) != r.status {
			t.Errorf("%v", r)
		}
		rvs[r.rv] = true
	}
	for _, r := range toRV {
		if statuses[r.status] || find(r.status) == nil || r.status.ToRV() != r.rv {
			t.Errorf("%v", r)
		}
		statuses[r.status] = true
	}
	if NTE_FAIL.ToRV() != ck.CKR_FUNCTION_FAILED || FromRV(ck.CKR_GENERAL_ERROR) != NTE_FAIL {
		t.Error("what is not listed")
	}
}

// What the engine answers to a program that makes, imports or uses keys has a status of its own.
func TestAnswersOfTheEngine(t *testing.T) {
	for rv, want := range map[ck.RV]Status{
		ck.CKR_TEMPLATE_INCONSISTENT: NTE_BAD_FLAGS, ck.CKR_KEY_FUNCTION_NOT_PERMITTED: NTE_PERM, ck.CKR_FUNCTION_REJECTED: NTE_VBS_UNAVAILABLE,
		ck.CKR_DEVICE_ERROR: NTE_VBS_CANNOT_DECRYPT_KEY, ck.CKR_OBJECT_HANDLE_INVALID: NTE_BAD_KEYSET, ck.CKR_WRAPPED_KEY_INVALID: NTE_BAD_DATA,
		ck.CKR_PARAMETER_SET_NOT_SUPPORTED: NTE_NOT_SUPPORTED, ck.CKR_UNWRAPPING_KEY_SIZE_RANGE: NTE_NOT_SUPPORTED, ck.CKR_WRAPPING_KEY_SIZE_RANGE: NTE_NOT_SUPPORTED,
	} {
		if got := FromRV(rv); got != want {
			t.Errorf("%v is %v, want %v", rv, got, want)
		}
	}
	for status, want := range map[Status]ck.RV{
		NTE_BAD_FLAGS: ck.CKR_TEMPLATE_INCONSISTENT, NTE_EXISTS: ck.CKR_TEMPLATE_INCONSISTENT, NTE_BAD_KEY_STATE: ck.CKR_KEY_FUNCTION_NOT_PERMITTED,
		NTE_VBS_UNAVAILABLE: ck.CKR_FUNCTION_REJECTED, NTE_VBS_CANNOT_DECRYPT_KEY: ck.CKR_DEVICE_ERROR, NTE_BAD_KEYSET: ck.CKR_OBJECT_HANDLE_INVALID,
	} {
		if got := status.ToRV(); got != want {
			t.Errorf("%v is %v, want %v", status, got, want)
		}
	}
}
