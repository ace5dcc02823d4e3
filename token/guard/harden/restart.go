package harden

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	self = "/proc/self/exe"
	// traceback is what the Go runtime must find when it starts, so that a crash prints no stacks: debug.SetTraceback only ever raises the level.
	traceback = "GOTRACEBACK=none"
)

// steering are variables that change what a program does before it can look at them: the Go runtime's, the C library's and its loader's. A
// name that ends in _ stands for all that begin so.
var steering = []string{"GODEBUG", "GOTRACEBACK", "GOGC", "GOMEMLIMIT", "GOMAXPROCS", "GLIBC_TUNABLES", "MALLOC_", "LD_"}

// restart replaces the program by itself where the caller of exec(2) left it what it cannot get rid of otherwise: variables that the
// runtime has read by now, or blocked signals. A guard that a library starts inherits the mask of a thread that blocks all signals; the Go
// runtime gives it to each thread that it makes, and then can neither preempt them nor reach all of them. Who starts it with an empty
// mask and GOTRACEBACK=none alone saves the few milliseconds. The process keeps its number and its descriptors.
func restart() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var blocked unix.Sigset_t
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, nil, &blocked); err != nil {
		return fmt.Errorf("signal mask: %w", err)
	}
	environment := os.Environ()
	clean := cleaned(environment)
	if blocked == (unix.Sigset_t{}) && slices.Equal(environment, clean) {
		rename()
		return nil
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &unix.Sigset_t{}, nil); err != nil {
		return fmt.Errorf("signal mask: %w", err)
	}
	return fmt.Errorf("%s: %w", self, unix.Exec(self, os.Args, clean))
}

// cleaned is the environment without what steers the runtime, but for the one variable that should.
func cleaned(environment []string) []string {
	clean := slices.DeleteFunc(slices.Clone(environment), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return variable != traceback && slices.ContainsFunc(steering, func(s string) bool {
			return name == s || strings.HasSuffix(s, "_") && strings.HasPrefix(name, s)
		})
	})
	if !slices.Contains(clean, traceback) {
		clean = append(clean, traceback)
	}
	return clean
}

// rename gives the process back the name that a start from /proc/self/exe took from it. It is a convenience for ps(1) and pgrep(1).
func rename() {
	const comm = "/proc/self/comm"
	if name, err := os.ReadFile(comm); err == nil && string(name) == filepath.Base(self)+"\n" && len(os.Args) > 0 {
		_ = os.WriteFile(comm, []byte(filepath.Base(os.Args[0])), 0)
	}
}
