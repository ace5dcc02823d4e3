// Package kit is what tests of real programs have in common. Each package of tests has a machine of its own (package machine), with the library
// installed, and its guard and TPM where a token needs them. A test sets a program up with exactly what `ncrypt11 config` prints, does with it what
// its users do, and looks at the outcome from the other side. What came of it becomes a row of docs/COMPATIBILITY.md.
package kit

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/machine"
)

// Module is the installed library.
const Module = "/usr/lib/x86_64-linux-gnu/libncrypt11.so"

// User is somebody who works at the machine; Home is where.
const (
	User = machine.User
	Home = "/home/" + machine.User
)

// Main is for TestMain: the package's tests run in a machine with that release of Debian. Where there is none of the testing release, a row of no program
// says so, for tools/compatibility not to miss the others.
func Main(m *testing.M, release string) {
	machine.Main(m, release, func(reason error) {
		fmt.Fprintln(os.Stderr, "kit:", errors.Join(reason, record(&row{System: release, Result: "not run", Reason: reason.Error()})))
	})
}

// Long says whether counts are the large ones.
func Long() bool { return os.Getenv("NCRYPT11_LONG") != "" }

// Count is how often something is done: quick for a first look, and as often as it takes to believe it where NCRYPT11_LONG is set.
func Count(quick, long int) int {
	if Long() {
		return long
	}
	return quick
}
