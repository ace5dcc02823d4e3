package harden

import (
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// dumping are the signals on which the Go runtime prints stacks and registers, which may hold a piece of a key. For those but SIGQUIT it
// does so whatever GOTRACEBACK says.
var dumping = []os.Signal{
	syscall.SIGQUIT, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT, syscall.SIGBUS, syscall.SIGFPE,
	syscall.SIGSEGV, syscall.SIGSTKFLT, syscall.SIGSYS,
}

// keepQuiet has the process ignore these signals where somebody sends them. A fault of its own still ends it: a panic with its message alone, and only
// what the runtime itself finds broken with a stack.
func keepQuiet() {
	debug.SetTraceback("none") // a package may have raised it
	// The runtime leaves signals to who asks for them, even those that signal.Ignore has no effect on. Nobody reads them.
	signal.Notify(make(chan os.Signal, 1), dumping...)
}
