// Package machine runs a package's tests in a Debian of their own, as root of it: a system that mmdebstrap made from Debian's packages, once, and
// that each run has a copy-on-write view of, with processes, a network and users of its own. What the tests install, configure and start is where
// a user would have it, and gone when they end. The built library is installed there as `make install` has it.
package machine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// stageVariable says how far a run has come. It is empty outside.
const stageVariable = "NCRYPT11_TEST_MACHINE"

const (
	booting = "booting" // process 1 of the machine, still with the file system from outside
	inside  = "inside"  // the tests
)

// absent is why there is no machine, for tests that then cannot run.
var absent error

// Main is for TestMain: it runs the tests in a machine with that release of Debian. Where there cannot be one, they run outside, and Need skips them.
// Of the releases only Testing may be one that cannot be made; missing is told why then.
func Main(m *testing.M, release string, missing func(error)) {
	switch os.Getenv(stageVariable) {
	case inside:
		os.Exit(m.Run())
	case booting:
		os.Exit(boot())
	}
	absent = possible()
	if absent != nil {
		os.Exit(m.Run())
	}
	image, err := prepare(release)
	if err != nil && release == Testing {
		absent = fmt.Errorf("no system of Debian's testing release can be made today: %w", err)
		missing(absent)
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "machine:", err)
		os.Exit(1)
	}
	os.Exit(start(image))
}

// Outside says that this run is the one from outside, where there is a network, and that the machine is not there yet.
func Outside() bool { return os.Getenv(stageVariable) == "" }

// Need skips a test that is not in a machine, and says why.
func Need(t testing.TB) {
	t.Helper()
	if os.Getenv(stageVariable) != inside {
		t.Skipf("there is no machine for it: %v", absent)
	}
}

// possible says why there cannot be a machine.
func possible() error {
	if os.Getuid() != 0 {
		return errors.New("only root can make one")
	}
	filesystems, err := os.ReadFile("/proc/filesystems")
	if err != nil {
		return err
	}
	if !hasField(string(filesystems), "overlay") {
		return errors.New("this kernel has no overlay file system")
	}
	return nil
}

// Repository is the root of the source tree, which has the same path inside.
func Repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
	}
	return "", errors.New("there is no go.mod in this directory or above")
}
