package ck

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestCode(t *testing.T) {
	for _, test := range []struct {
		err  error
		want RV
	}{
		{nil, CKR_OK},
		{CKR_PIN_INCORRECT, CKR_PIN_INCORRECT},
		{Errorf(CKR_DATA_INVALID, "bad %s", "padding"), CKR_DATA_INVALID},
		{fmt.Errorf("sign: %w", Errorf(CKR_DEVICE_ERROR, "gone: %w", io.EOF)), CKR_DEVICE_ERROR},
		{Errorf(CKR_DEVICE_ERROR, "outermost wins: %w", CKR_DATA_INVALID), CKR_DEVICE_ERROR},
		{io.EOF, CKR_GENERAL_ERROR},
		{fmt.Errorf("read: %w", io.EOF), CKR_GENERAL_ERROR},
	} {
		if got := Code(test.err); got != test.want {
			t.Errorf("Code(%v) = %v, want %v", test.err, got, test.want)
		}
	}
}

func TestErrorIs(t *testing.T) {
	err := Errorf(CKR_DEVICE_ERROR, "reading: %w", io.EOF)
	if !errors.Is(err, CKR_DEVICE_ERROR) || !errors.Is(err, io.EOF) || errors.Is(err, CKR_DATA_INVALID) {
		t.Fatalf("errors.Is is wrong for %v", err)
	}
	if got, want := err.Error(), "CKR_DEVICE_ERROR: reading: EOF"; got != want {
		t.Fatalf("Error() = %q, want %q", got, want)
	}
}
