package cabi

/*
#include "shim/shim.h"
*/
import "C"

import (
	"errors"
	"sync/atomic"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/failure"
)

// failures keeps why calls failed, for `ncrypt11 explain last`; nil before the first C_Initialize.
var failures atomic.Pointer[failure.Keeper]

// errDefect is what is kept of a panic. What it says itself may have anything in it, and goes to the trace only.
var errDefect = ck.Errorf(ck.CKR_GENERAL_ERROR, "a defect in the module ended the call: NCRYPT11_TRACE names a file that gets the place")

// keepFailures chooses the place at C_Initialize, since what that fails with is kept as well. A program with raised privileges writes nothing where its user
// may have put anything; it is asked each time, since servers change who they are after they have started.
func keepFailures(getenv config.Getenv) {
	failures.Store(failure.NewKeeper(config.FailureFile(getenv), func() bool { return C.shim_raised_privileges() == 0 }))
}

// keepFailure keeps a call's error. That programs look into the empty slot as well is no failure; the same code tells of damaged tokens, and that is one.
func keepFailure(name string, err error) {
	if name == "C_OpenSession" && errors.Is(err, token.ErrEmptySlot) {
		return
	}
	failures.Load().Keep(name, err)
}
