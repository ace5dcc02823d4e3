package abi_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// The driver (driver/driver.h) runs each case in a process and a home of its own. Every home is a copy of one that the case make-token has made.

func TestDriver(t *testing.T) { drive(t) }

// TestDriverSanitized runs the same cases with the address sanitizer's allocator beneath the module's C too, and with a driver that stops where it
// does itself what C leaves undefined. What Go code does with the caller's memory no sanitizer sees: the cases in driver/edges.c and
// driver/outputs.c end that memory at a page that cannot be touched.
func TestDriverSanitized(t *testing.T) {
	drive(t, "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined")
}

func drive(t *testing.T, flags ...string) {
	module := modulePath(t)
	driver := buildDriver(t, flags...)
	made := t.TempDir()
	runCase(t, driver, module, made, "make-token")
	for _, line := range strings.Split(strings.TrimSpace(command(t, "", driver, "--list")), "\n") {
		name, _, _ := strings.Cut(line, "\t")
		if name == "make-token" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			if err := os.CopyFS(home, os.DirFS(made)); err != nil {
				t.Fatal(err)
			}
			restrict(t, home)
			runCase(t, driver, module, home, name)
		})
	}
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

func buildDriver(t *testing.T, flags ...string) string {
	t.Helper()
	sources, err := filepath.Glob("driver/*.c")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	driver := filepath.Join(t.TempDir(), "driver")
	args := append([]string{"-std=c99", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O1", "-g", "-pthread", "-o", driver}, flags...)
	command(t, "", "gcc", append(append(args, sources...), "-ldl")...)
	return driver
}

// restrict gives the copy the modes of the original, which os.CopyFS does not.
func restrict(t *testing.T, home string) {
	t.Helper()
	err := filepath.WalkDir(home, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return os.Chmod(path, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// runCase kills the case with its children if it does not end: a hang is a failure with a name.
func runCase(t *testing.T, driver, module, home, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, driver, module, name)
	cmd.Env = append(os.Environ(), "NCRYPT11_HOME="+home, "ASAN_OPTIONS=detect_leaks=0:abort_on_error=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("HANG: killed after two minutes\n%s", named(output.String()))
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, named(output.String()))
	}
}

var number = regexp.MustCompile(`CKR_(0x[0-9a-f]+|0)\b`)

// named puts names for the return values that the driver prints as numbers.
func named(output string) string {
	return number.ReplaceAllStringFunc(output, func(text string) string {
		n, err := strconv.ParseUint(strings.TrimPrefix(text, "CKR_"), 0, 64)
		if err != nil {
			return text
		}
		return ck.RV(n).String()
	})
}
