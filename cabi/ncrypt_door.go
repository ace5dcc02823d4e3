package cabi

/*
#pragma GCC visibility push(protected)
#include "../include/ncrypt.h"
#pragma GCC visibility pop
*/
import "C"

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/ncrypt11/ncrypt11/cabi/wide"
	"github.com/ncrypt11/ncrypt11/ncryptmap"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

// ksp is what the NCrypt functions call, from the first of them to the end of the process. It is over the engine that the C_* functions use, where they are
// used too.
var ksp atomic.Pointer[ncryptmap.KSP]

// startNCrypt gives the providers, which it makes where this is the first call.
func startNCrypt() (*ncryptmap.KSP, error) {
	if k := ksp.Load(); k != nil {
		return k, nil
	}
	starting.Lock()
	defer starting.Unlock()
	if k := ksp.Load(); k != nil {
		return k, nil
	}
	p, err := startEngine()
	if err != nil {
		return nil, err
	}
	k := ncryptmap.New(p)
	ksp.Store(k)
	return k, nil
}

// inNCrypt is the way in for functions that start NCrypt.
func inNCrypt(name string, f func(*ncryptmap.KSP) error) C.SECURITY_STATUS {
	return ncryptCall(name, func() error {
		k, err := startNCrypt()
		if err != nil {
			return err
		}
		return f(k)
	})
}

// withHandle is the way in for functions that take a handle, which is looked at before anything else.
func withHandle(name string, handle C.ULONG_PTR, kind ncryptmap.Kind, f func(*ncryptmap.KSP, ncryptmap.Handle) error) C.SECURITY_STATUS {
	return ncryptCall(name, func() error {
		k, h := ksp.Load(), ncryptmap.Handle(handle)
		if k == nil {
			return nte.Errorf(nte.NTE_INVALID_HANDLE, "handle %#x: no provider was opened in this process", uint64(h))
		}
		if err := k.Check(h, kind); err != nil {
			return err
		}
		return f(k, h)
	})
}

// ncryptCall is call for NCrypt's statuses.
func ncryptCall(name string, f func() error) (status C.SECURITY_STATUS) {
	wide.Run(func() { status = C.SECURITY_STATUS(ncryptStatus(name, f)) })
	return status
}

func ncryptStatus(name string, f func() error) (status nte.Status) {
	defer func() {
		if r := recover(); r != nil {
			tracePanic(name, r)
			status = nte.NTE_INTERNAL_ERROR
			failures.Load().KeepCode(name, uint64(status), errDefect.Error())
		}
	}()
	status, _, reason := ncryptmap.Explain(f())
	if tracing() {
		writeTrace(fmt.Sprintf("%s %v %s", name, status, reason))
	}
	if status != nte.ERROR_SUCCESS && !slices.Contains(answers[status], name) && !slices.Contains(answers[status], anyFunction) {
		failures.Load().KeepCode(name, uint64(status), reason)
	}
	return status
}

// answers are statuses that tell a program what it wanted to know, by the functions that they answer: nobody has to have them explained.
var answers = map[nte.Status][]string{
	nte.NTE_BUFFER_TOO_SMALL: {anyFunction},
	nte.NTE_BAD_SIGNATURE:    {"NCryptVerifySignature"},
	nte.NTE_NO_MORE_ITEMS:    {"NCryptEnumKeys"},
	nte.NTE_NOT_FOUND:        {"NCryptGetProperty"},
	nte.NTE_NOT_SUPPORTED:    {"NCryptGetProperty", "NCryptIsAlgSupported"},
	nte.NTE_INVALID_HANDLE:   {"NCryptIsKeyHandle"},
}

const anyFunction = ""
