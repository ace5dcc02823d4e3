// Package cabi is the C ABI: C stubs, function tables, and the marshalling between C memory and the Go engine. It is the only package that
// imports "C" or unsafe, and it decides nothing: what a function means is said in package token.
//
// Every C_* is a C stub (stubs_gen.c, made from p11.h; front.c for the first and the last call) that goes through the shim into a Go function
// goC_*, one file for each family of functions. The NCrypt functions go the same way (ncrypt_*.go; ncrypt.c for how they begin without a C_Initialize).
package cabi

//go:generate go run ./gen

/*
#cgo CFLAGS: -std=gnu11 -Wall -Wextra -fvisibility=hidden
#include <stdlib.h>
#pragma GCC visibility push(protected)
#include "../p11.h"
#pragma GCC visibility pop
#include "front.h"
*/
import "C"

import (
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"unsafe"

	_ "github.com/ncrypt11/ncrypt11/cabi/shim" // links the C files that the stubs call
	"github.com/ncrypt11/ncrypt11/cabi/wide"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/config"
)

// Start makes the provider at C_Initialize. Package module sets it before any call can come.
var Start func(getenv config.Getenv) (*token.Provider, error)

// provider is the engine between C_Initialize and C_Finalize, nil outside.
var provider atomic.Pointer[token.Provider]

// starting lets one C_Initialize or C_Finalize run at a time, or NCrypt start; programs call them from several threads at once.
var starting sync.Mutex

// engine is the provider, also where only NCrypt uses it; nil where neither does. Guarded by starting.
var engine *token.Provider

// The threads that run Go code at once: the host has threads of its own. With one only, a thread that waits for a guard would have its processor taken away
// each time, by a monitor that wakes up every 20 µs to see.
const (
	minProcs = 2
	maxProcs = 8
)

// gcPercent lets the heap, which is next to empty, grow to 8 MiB between collections instead of 4.
const gcPercent = 200

//export goC_Initialize
func goC_Initialize() C.CK_RV { return call("C_Initialize", initialize) }

func initialize() error {
	starting.Lock()
	defer starting.Unlock()
	if provider.Load() != nil {
		return ck.CKR_CRYPTOKI_ALREADY_INITIALIZED
	}
	p, err := startEngine()
	if err == nil {
		provider.Store(p)
	}
	return err
}

// startEngine gives the engine of this process, which it makes where there is none. starting is held.
func startEngine() (*token.Provider, error) {
	if engine != nil {
		return engine, nil
	}
	if n := runtime.GOMAXPROCS(0); n < minProcs || n > maxProcs {
		runtime.GOMAXPROCS(min(max(n, minProcs), maxProcs))
	}
	debug.SetGCPercent(gcPercent)
	openTrace(getenv("NCRYPT11_TRACE"))
	keepFailures(getenv)
	p, err := Start(getenv)
	if err != nil {
		return nil, err
	}
	p.SetBoard(digestBoard())
	engine = p
	return p, nil
}

//export goC_Finalize
func goC_Finalize() C.CK_RV { return call("C_Finalize", finalize) }

func finalize() error {
	starting.Lock()
	defer starting.Unlock()
	p := provider.Swap(nil)
	if p == nil {
		return ck.CKR_CRYPTOKI_NOT_INITIALIZED
	}
	if ksp.Load() != nil || cardsUsed {
		p.Leave() // NCrypt and the minidriver have no end, and go on with their keys
		return nil
	}
	engine = nil
	p.Close()
	debug.FreeOSMemory() // the host goes on without us
	return nil
}

// getenv asks the C library, since Go has its environment from the first C_Initialize, and not at all in a setuid program.
func getenv(name string) string {
	cName := C.CString(name)
	defer C.free(unsafe.Pointer(cName))
	return C.GoString(C.ncrypt11_getenv(cName))
}

// enter is the way in for calls that have no session: initialized?, panics, trace, error to CK_RV.
func enter(name string, f func(*token.Provider) error) C.CK_RV {
	return call(name, func() error {
		p := provider.Load()
		if p == nil {
			return ck.CKR_CRYPTOKI_NOT_INITIALIZED
		}
		return f(p)
	})
}

// inSession is the way in for calls in a session.
func inSession(name string, h C.CK_SESSION_HANDLE, f func(*token.Session) error) C.CK_RV {
	return call(name, func() error {
		s, err := session(h)
		if err != nil {
			return err
		}
		return s.Told(f(s))
	})
}

// call is the door itself: every call from C runs in it. It keeps the stack wide for the host's signal handlers (package wide), lets no panic out, traces,
// keeps why it failed, and turns the error into a CK_RV.
func call(name string, f func() error) (rv C.CK_RV) {
	wide.Run(func() { rv = guarded(name, f) })
	return rv
}

func guarded(name string, f func() error) (rv C.CK_RV) {
	defer catch(name, &rv)
	return result(name, f())
}

func session(h C.CK_SESSION_HANDLE) (*token.Session, error) {
	p := provider.Load()
	if p == nil {
		return nil, ck.CKR_CRYPTOKI_NOT_INITIALIZED
	}
	return p.Session(ck.SessionHandle(h))
}

// catch turns a panic into CKR_GENERAL_ERROR: an unrecovered one would end the host process.
func catch(name string, rv *C.CK_RV) {
	if r := recover(); r != nil {
		tracePanic(name, r)
		keepFailure(name, errDefect)
		*rv = C.CK_RV(ck.CKR_GENERAL_ERROR)
	}
}

// result traces the outcome, keeps a failure, and gives its CK_RV.
func result(name string, err error) C.CK_RV {
	if tracing() {
		trace(name, err)
	}
	if err == nil {
		return C.CK_RV(ck.CKR_OK)
	}
	keepFailure(name, err)
	return C.CK_RV(ck.Code(err))
}
