package ncrypt_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The driver (driver/driver.h) runs each case in a process and a home of its own.

func TestDriver(t *testing.T) { drive(t) }

// TestDriverSanitized runs the same cases with the address sanitizer's allocator beneath the module's C too. What Go code does with the caller's memory no
// sanitizer sees: the cases in driver/edges.c end that memory at a page that cannot be touched.
func TestDriverSanitized(t *testing.T) {
	drive(t, "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined")
}

// TestPrivateCopy: where Go cannot be started again in a forked child, the NCrypt functions, too, go to a private copy of the library.
func TestPrivateCopy(t *testing.T) {
	library := filepath.Join(t.TempDir(), "libncrypt11.so")
	exports, err := filepath.Abs("../../module/exports.map")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("CGO_CFLAGS", "-O2 -g0 -DSHIM_TEST") // a build that obeys the variable below
	command(t, "go", "build", "-buildmode=c-shared", "-ldflags", "-s -w -extldflags \"-Wl,--version-script="+exports+" -Wl,-z,relro -Wl,-z,now\"",
		"-o", library, "../../module")
	t.Setenv("NCRYPT11_TEST_SHIM", "copy")
	driver := buildDriver(t)
	for _, name := range []string{"fork", "fork-initialized"} {
		if out, err := run(t, driver, library, name); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

func drive(t *testing.T, flags ...string) {
	driver := buildDriver(t, flags...)
	for _, line := range strings.Split(strings.TrimSpace(command(t, driver, "--list")), "\n") {
		name, _, _ := strings.Cut(line, "\t")
		t.Run(name, func(t *testing.T) {
			if out, err := run(t, driver, modulePath(t), name); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func buildDriver(t *testing.T, flags ...string) string {
	t.Helper()
	driver := filepath.Join(t.TempDir(), "driver")
	sources, err := filepath.Glob("driver/*.c")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	args := append([]string{"-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O1", "-g", "-pthread", "-o", driver}, flags...)
	command(t, "gcc", append(append(args, sources...), "-ldl")...)
	return driver
}

// run runs a program in an empty home, and kills it with its children if it does not end.
func run(t *testing.T, program string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "NCRYPT11_HOME="+t.TempDir(), "NCRYPT11_GUARD=none", "LD_LIBRARY_PATH="+filepath.Dir(modulePath(t)),
		"PATH="+filepath.Dir(modulePath(t))+":"+os.Getenv("PATH"), // the case of cards makes some with ncrypt11
		"ASAN_OPTIONS=detect_leaks=0:abort_on_error=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("HANG: killed after two minutes\n%s", out.String())
	}
	return out.String(), err
}

func modulePath(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../build/libncrypt11.so")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run make build first", err)
	}
	return path
}

func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
