package harden_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ncrypt11/ncrypt11/test/attack"
)

// TestAttacks makes the attempts that come through for an unprotected program (test/attack: TestControl) on a hardened one.
func TestAttacks(t *testing.T) {
	attacker := attack.Attacker(t)
	v := attack.StartVictim(t, child(t, "victim"))
	t.Run("same user", func(t *testing.T) { attack.Check(t, attack.RunAs(t, attacker, user, v.PID), true) })
	t.Run("another user", func(t *testing.T) { attack.Check(t, attack.RunAs(t, attacker, other, v.PID), true) })
	if err := v.End(); err != nil {
		t.Errorf("the attacks have left their mark: %v", err)
	}
}

// TestSecretIsNotInMemory looks for the secret as root, whom nothing keeps from reading the rest of the memory. It stands in memfd_secret, and was copied
// to nowhere.
func TestSecretIsNotInMemory(t *testing.T) {
	v := attack.StartVictim(t, child(t, "victim"))
	if found, err := attack.Scan(v.PID, v.Secret); err != nil || found != 0 {
		t.Errorf("the secret is found %d times, %v", found, err)
	}
}

// TestDump sends the signals on which a Go program prints its stacks and leaves a core file, and asks for both. A victim without protection does as
// asked; the other one goes on.
func TestDump(t *testing.T) {
	if pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern"); err != nil || strings.ContainsAny(string(pattern), "/|") {
		t.Skipf("core files of this machine go elsewhere (%s%v): nothing would be seen", pattern, err)
	}
	withCores(t)
	attacker := attack.Attacker(t)
	signals := []syscall.Signal{
		syscall.SIGQUIT, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT, syscall.SIGBUS, syscall.SIGFPE,
		syscall.SIGSEGV, syscall.SIGSTKFLT, syscall.SIGSYS,
	}
	t.Run("control", func(t *testing.T) {
		cmd := exec.Command(attacker, "victim")
		dir := loudly(t, cmd)
		v := attack.StartVictim(t, cmd)
		if err := syscall.Kill(v.PID, syscall.SIGSEGV); err != nil {
			t.Fatal(err)
		}
		if err := v.Wait(); err == nil || cores(t, dir) != 1 || !strings.Contains(v.Stderr(), "goroutine ") {
			t.Errorf("%v, %d core files, %s", err, cores(t, dir), v.Stderr())
		}
	})
	t.Run("guard", func(t *testing.T) {
		cmd := child(t, "victim")
		dir := loudly(t, cmd)
		v := attack.StartVictim(t, cmd)
		for _, signal := range signals {
			if err := syscall.Kill(v.PID, signal); err != nil {
				t.Fatalf("%v: %v", signal, err)
			}
		}
		if err := v.End(); err != nil || cores(t, dir) != 0 || v.Stderr() != "" {
			t.Errorf("%v, %d core files, %s", err, cores(t, dir), v.Stderr())
		}
	})
	t.Run("guard that the filter kills", func(t *testing.T) {
		cmd := child(t, "forbid", forbiddenEnv+"=execve")
		dir := loudly(t, cmd)
		if err := cmd.Run(); err == nil || cores(t, dir) != 0 {
			t.Errorf("%v, %d core files", err, cores(t, dir))
		}
	})
}

// withCores lets children have core files, until the test ends.
func withCores(t *testing.T) {
	t.Helper()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: before.Max, Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Setrlimit(unix.RLIMIT_CORE, &before) })
}

// loudly asks a command for dumps, in a directory of its own.
func loudly(t *testing.T, cmd *exec.Cmd) (dir string) {
	t.Helper()
	cmd.Dir = attack.PublicDir(t)
	if err := os.Chmod(cmd.Dir, 0o777); err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(cmd.Env, "GOTRACEBACK=crash")
	attack.User(cmd, user)
	return cmd.Dir
}

// cores is how many core files there are.
func cores(t *testing.T, dir string) int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "core*"))
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// TestTraced starts a child under a tracer, which it must not serve.
func TestTraced(t *testing.T) {
	runtime.LockOSThread() // the tracer is a thread
	defer runtime.UnlockOSThread()
	cmd := child(t, "victim")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.SysProcAttr.Ptrace = true
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	status := follow(t, cmd.Process.Pid)
	_ = cmd.Wait() // that the process is gone by now is an error; the pipe is read to its end
	if status.ExitStatus() != 1 || !strings.Contains(stderr.String(), "traces this one") {
		t.Errorf("exit status %d: %s", status.ExitStatus(), &stderr)
	}
}

// follow lets a traced process run to its end.
func follow(t *testing.T, pid int) syscall.WaitStatus {
	t.Helper()
	for {
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil {
			t.Fatal(err)
		}
		if !status.Stopped() {
			return status
		}
		signal := int(status.StopSignal())
		if signal == int(syscall.SIGTRAP) { // of exec
			signal = 0
		}
		if err := syscall.PtraceCont(pid, signal); err != nil && !errors.Is(err, unix.ESRCH) {
			t.Fatal(err)
		}
	}
}

// TestLockedMemory works in a process that may lock all of its memory.
func TestLockedMemory(t *testing.T) {
	may := func(cmd *exec.Cmd) *exec.Cmd {
		cmd.SysProcAttr.AmbientCaps = []uintptr{unix.CAP_IPC_LOCK}
		return cmd
	}
	out := run(t, may(child(t, "confine")))
	if !bytes.Contains(out, []byte(`{"name":"mlock","achieved":true,"needed":true`)) {
		t.Errorf("%s", out)
	}
	run(t, may(child(t, "work", workplace(t)...)))
}

// TestLittleMemoryToLock has processes that may lock some memory, less than they ask for secrets, and none. They count as hardened all the same.
func TestLittleMemoryToLock(t *testing.T) {
	for limit, want := range map[string]string{
		"131072": `{"name":"arena","achieved":true,"needed":false,"detail":"memfd_secret, 128 KiB"}`,
		"0":      `{"name":"arena","achieved":false,"needed":false,`,
	} {
		out := string(limited(t, limit))
		if !strings.Contains(out, want) || !strings.Contains(out, `{"name":"mlock","achieved":false,"needed":false,`) {
			t.Errorf("%s bytes: not %s: %s", limit, want, out)
		}
	}
}

// limited confines a child that may lock so many bytes, and gives its report.
func limited(t *testing.T, limit string) []byte {
	t.Helper()
	cmd := child(t, "confine")
	cmd.Args = append([]string{"prlimit", "--memlock=" + limit + ":" + limit, cmd.Path}, cmd.Args[1:]...)
	var err error
	if cmd.Path, err = exec.LookPath("prlimit"); err != nil {
		t.Fatal(err)
	}
	return run(t, cmd)
}
