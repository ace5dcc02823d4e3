// Package shim makes a Go runtime bearable inside other people's programs.
//
// A PKCS #11 module is loaded by programs that fork after loading it, install
// signal handlers without asking, run on tiny stacks and exit without saying
// goodbye; a plain c-shared library of Go survives none of that. The C files
// here stand between the C_* stubs and Go: they start Go at C_Initialize rather
// than at load, start it anew in a forked child, and keep the host's signals
// away from Go and Go's hands away from the host's signals.
//
// Importing the package links the C files; shim.h is what C code includes.
// FORK.md states every assumption made about ELF, the C library and the Go
// runtime, how each is checked, and what happens where it does not hold.
package shim

// #cgo CFLAGS: -std=gnu11 -Wall -Wextra -fvisibility=hidden
// #cgo LDFLAGS: -Wl,-z,now -Wl,--wrap=pthread_create -ldl -lpthread
import "C"

import "time"

// The runtime makes its epoll descriptors at the first timer, and aborts the
// process if it cannot. A host runs out of descriptors under load, not at
// C_Initialize, which has just seen that there are some.
func init() {
	time.AfterFunc(time.Hour, func() {}).Stop()
}
