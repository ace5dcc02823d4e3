// Package guard_test has programs use keys that a guard keeps, with a software TPM, and makes everything around them fail: the guard is killed and
// hangs, the TPM is reset and replaced, other users try their luck.
//
// The program of most tests is host/main.c, which does what a test says line by line. The counts are small by default; NCRYPT11_LONG=1 takes the
// large ones. As root, the tests that need another user have one.
package guard_test

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// built is a directory with the library, the command and the host, which every user may read and enter.
var built string

func TestMain(m *testing.M) { os.Exit(runAll(m)) }

func runAll(m *testing.M) int {
	// Guards are nobody's children. What init does for such processes, this one does: it sees how they end.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return failed(err)
	}
	syscall.Umask(0o022)
	dir, err := os.MkdirTemp("/tmp", "n11guard")
	if err != nil {
		return failed(err)
	}
	defer os.RemoveAll(dir)
	if err := prepare(dir); err != nil {
		return failed(err)
	}
	built = dir
	// Most of the time tests wait: for a deadline, for a guard to leave. As many as there are processors would be too few.
	if err := flag.Set("test.parallel", "6"); err != nil {
		return failed(err)
	}
	return m.Run()
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func prepare(dir string) error {
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"libncrypt11.so", "ncrypt11"} {
		if err := copyFile(filepath.Join("../../build", name), filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("%w: run make build first", err)
		}
	}
	sources, err := filepath.Glob("host/*.c")
	if err != nil || len(sources) == 0 {
		return fmt.Errorf("no sources of the host: %v", err)
	}
	args := append([]string{"-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O1", "-g", "-o", filepath.Join(dir, "host")}, sources...)
	if out, err := exec.Command("gcc", append(args, "-ldl")...).CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Close()
}

// count is how often something is done.
type count struct{ quick, long int }

func (c count) n() int {
	if os.Getenv("NCRYPT11_LONG") != "" {
		return c.long
	}
	return c.quick
}

// root ends a test that only root can make.
func root(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can be several users")
	}
}
