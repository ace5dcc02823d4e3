package guard

import "github.com/ncrypt11/ncrypt11/token/ck"

// LostError is the first answer for a key that was in the memory of a guard that has ended, and nowhere else. Afterwards the guard in its place does
// not know the reference. Its CK_RV is CKR_DEVICE_ERROR.
type LostError struct{ Ref Ref }

// Error says what happened.
func (e *LostError) Error() string { return "the guard that had this key in its memory has ended" }

// Unwrap gives the CK_RV.
func (e *LostError) Unwrap() error { return ck.CKR_DEVICE_ERROR }
