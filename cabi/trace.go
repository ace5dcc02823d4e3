package cabi

import (
	"fmt"
	"os"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// traceFile is where calls are traced to (NCRYPT11_TRACE); nil: nowhere. A trace has names, return values and reasons. It never has arguments: among them are PINs
// and keys.
var traceFile atomic.Pointer[os.File]

// openTrace opens the file for appending. One that cannot be opened is no reason for a program not to start. Nor is one that is not a
// regular file: a write to a pipe without a reader would raise SIGPIPE in the host (shim/FORK.md).
func openTrace(name string) {
	var f *os.File
	if name != "" {
		f, _ = os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NONBLOCK, 0o600)
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		f.Close()
		f = nil
	}
	if old := traceFile.Swap(f); old != nil {
		old.Close()
	}
}

func tracing() bool { return traceFile.Load() != nil }

func trace(name string, err error) {
	outcome := "CKR_OK"
	if err != nil {
		outcome = err.Error()
		if _, ok := err.(ck.RV); !ok {
			outcome = ck.Code(err).String() + " (" + outcome + ")"
		}
	}
	writeTrace(name + " " + outcome)
}

func tracePanic(name string, r any) {
	if tracing() {
		writeTrace(fmt.Sprintf("%s panic: %v\n%s", name, r, debug.Stack()))
	}
}

func writeTrace(line string) {
	if f := traceFile.Load(); f != nil {
		fmt.Fprintf(f, "%s %d %s\n", time.Now().UTC().Format("2006-01-02T15:04:05.000000Z"), os.Getpid(), line)
	}
}
