package guard_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDriverOnGuardedToken has the cases of test/abi work on a token whose keys are in a guard. Nothing else is different.
func TestDriverOnGuardedToken(t *testing.T) {
	t.Parallel()
	driver := buildDriver(t)
	tpm := newTPM(t)
	made := newSiteOf(t, os.Getuid(), tpm.Address())
	if out, err := made.drive(driver, "make-token"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out := made.run("status"); !strings.Contains(out, "keys are isolated") {
		t.Fatalf("the token is not guarded:\n%s", out)
	}
	made.stopGuards()
	list, err := exec.Command(driver, "--list").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(list)) {
		name, _, _ := strings.Cut(line, "\t")
		if name == "make-token" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			s := newSiteOf(t, os.Getuid(), tpm.Address())
			copyHome(t, s.home, made.home)
			if out, err := s.drive(driver, name); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		})
	}
}

func buildDriver(t *testing.T) string {
	t.Helper()
	sources, err := filepath.Glob("../abi/driver/*.c")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	driver := filepath.Join(t.TempDir(), "driver")
	args := append([]string{"-std=c99", "-D_GNU_SOURCE", "-O1", "-pthread", "-o", driver}, sources...)
	if out, err := exec.Command("gcc", append(args, "-ldl")...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return driver
}

// drive runs a case, and kills it with its children if it does not end.
func (s *site) drive(driver, name string) (string, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute)
	defer cancel()
	like := s.program("ncrypt11")
	cmd := exec.CommandContext(ctx, driver, filepath.Join(built, "libncrypt11.so"), name)
	cmd.Env = like.Env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = fmt.Errorf("HANG: %w", err)
	}
	return string(out), err
}

// copyHome copies a home, with the modes of its files.
func copyHome(t *testing.T, to, from string) {
	t.Helper()
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", "-a", from+"/.", to).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
