package ck

import (
	"errors"
	"fmt"
)

// RV is CK_RV, a return value that is itself an error. CKR_OK is never used as an error.
type RV uint

// Error gives the constant's name, such as CKR_PIN_INCORRECT.
func (rv RV) Error() string { return rv.String() }

// Error is an RV with the reason in words. errors.Is finds the RV in it.
type Error struct {
	RV     RV
	Reason string
	Cause  error
}

// Errorf makes an error that the boundary turns into rv. A %w in format keeps the cause.
func Errorf(rv RV, format string, args ...any) error {
	wrapped := fmt.Errorf(format, args...)
	return &Error{RV: rv, Reason: wrapped.Error(), Cause: errors.Unwrap(wrapped)}
}

// Error gives the constant's name and the reason.
func (e *Error) Error() string { return e.RV.String() + ": " + e.Reason }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is matches the RV.
func (e *Error) Is(target error) bool {
	rv, ok := target.(RV)
	return ok && rv == e.RV
}

// Code is the CK_RV for err: CKR_OK for nil, the outermost RV in the chain, CKR_GENERAL_ERROR where there is none.
func Code(err error) RV {
	for ; err != nil; err = errors.Unwrap(err) {
		switch e := err.(type) {
		case *Error:
			return e.RV
		case RV:
			return e
		}
		if errors.Unwrap(err) == nil {
			return CKR_GENERAL_ERROR
		}
	}
	return CKR_OK
}
