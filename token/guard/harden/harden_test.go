package harden_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ncrypt11/ncrypt11/test/attack"
	"github.com/ncrypt11/ncrypt11/token/guard/harden"
)

const (
	user  = 65534
	other = 12345
)

// program is this program where every user may start it.
func program(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(attack.PublicDir(t), "guard")
	if err := os.WriteFile(path, text, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// child is this program in a role, as a user that is not root.
func child(t *testing.T, role string, environment ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(program(t))
	cmd.Dir = filepath.Dir(cmd.Path)
	cmd.Env = append(environment, roleEnv+"="+role)
	attack.User(cmd, user)
	return cmd
}

// workplace is a directory of the children's, one with a socket that is served and a file, and a TCP port that is served.
func workplace(t *testing.T) []string {
	t.Helper()
	dir := attack.PublicDir(t)
	if err := os.Chown(dir, user, user); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return []string{dirEnv + "=" + dir, socketsEnv + "=" + sockets(t), fmt.Sprintf("%s=%d", portEnv, listener.Addr().(*net.TCPAddr).Port)}
}

func sockets(t *testing.T) string {
	t.Helper()
	dir := attack.PublicDir(t)
	file, socket := filepath.Join(dir, "file"), filepath.Join(dir, "socket")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	if err := os.WriteFile(file, []byte("a token's"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, file, socket} {
		if err := os.Chown(path, user, user); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func run(t *testing.T, cmd *exec.Cmd) []byte {
	t.Helper()
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("%v: %s", err, exit.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	return out
}

// start is what a child says of itself after Early.
type start struct {
	Report  harden.Report
	Env     []string
	Status  string
	Blocked bool // signals are
}

func started(t *testing.T, cmd *exec.Cmd) start {
	t.Helper()
	var s start
	if out := run(t, cmd); json.Unmarshal(out, &s) != nil {
		t.Fatalf("%q", out)
	}
	return s
}

func TestEnvironmentIsCleaned(t *testing.T) {
	s := started(t, child(t, "early", "GOTRACEBACK=crash", "GODEBUG=gctrace=1", "GOGC=off", "LD_PRELOAD=/nowhere.so", "NCRYPT11_HOME=/somewhere"))
	slices.Sort(s.Env)
	if want := []string{"GOTRACEBACK=none", "NCRYPT11_HOME=/somewhere", roleEnv + "=early"}; !slices.Equal(s.Env, want) {
		t.Errorf("the environment is %q", s.Env)
	}
	if !strings.Contains(s.Status, "Name:\tguard\n") {
		t.Errorf("the process has lost its name: %s", s.Status)
	}
}

// startBlocked starts a program from a thread that blocks every signal, as a library's call does.
func startBlocked(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all, before unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^all.Val[i]
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &all, &before); err != nil {
		t.Fatal(err)
	}
	err := cmd.Start()
	if restore := unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil); restore != nil || err != nil {
		t.Fatal(restore, err)
	}
}

func TestBlockedSignals(t *testing.T) {
	var out bytes.Buffer
	control := exec.Command("cat", "/proc/self/status")
	control.Stdout = &out
	startBlocked(t, control)
	if err := control.Wait(); err != nil || strings.Contains(out.String(), "SigBlk:\t0000000000000000") {
		t.Fatalf("signals are not blocked: %v\n%s", err, &out)
	}
	out.Reset()
	guard := child(t, "early", "GOTRACEBACK=none")
	guard.Stdout, guard.Stderr = &out, &out
	startBlocked(t, guard)
	var s start
	if err := guard.Wait(); err != nil || json.Unmarshal(out.Bytes(), &s) != nil || s.Blocked {
		t.Errorf("signals are still blocked: %v, %s", err, &out)
	}
}

func TestDescriptors(t *testing.T) {
	for keep, want := range map[string]string{"": "0,1,2,own,", "3": "0,1,2,3,own,", "3 5": "0,1,2,3,5,own,", "4 60": ""} {
		t.Run("keep "+keep, func(t *testing.T) {
			cmd := child(t, "inherit", keepEnv+"="+keep)
			for range 3 {
				file, err := os.Open("/dev/null")
				if err != nil {
					t.Fatal(err)
				}
				defer file.Close()
				cmd.ExtraFiles = append(cmd.ExtraFiles, file)
			}
			out, err := cmd.Output()
			if string(out) != want || (err == nil) != (want != "") {
				t.Errorf("%q, %v", out, err)
			}
		})
	}
}

func TestReport(t *testing.T) {
	var report harden.Report
	if out := run(t, child(t, "confine")); json.Unmarshal(out, &report) != nil {
		t.Fatalf("%q", out)
	}
	for _, m := range report {
		t.Logf("%-12s achieved %-5v needed %-5v %s", m.Name, m.Achieved, m.Needed, m.Detail)
	}
	if ok, why := report.Hardened(); !ok {
		t.Error(why)
	}
	for i := range report {
		name := report[i].Name
		less := slices.Delete(slices.Clone(report), i, i+1)
		worse := slices.Clone(report)
		worse[i].Achieved = false
		without, _ := less.Hardened()
		failed, _ := worse.Hardened()
		must := slices.Contains([]string{harden.Tracer, harden.Dumpable, harden.Core, harden.NoNewPrivs, harden.Seccomp}, name)
		if without == must || failed == report[i].Needed {
			t.Errorf("%s: hardened without it %v, where it failed %v", name, without, failed)
		}
	}
	if ok, _ := (harden.Report{}).Hardened(); ok {
		t.Error("no report counts as hardened")
	}
}

// TestEveryThread reads what the kernel says of the threads of a confined process.
func TestEveryThread(t *testing.T) {
	v := attack.StartVictim(t, child(t, "victim", "GOTRACEBACK=none"))
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", v.PID))
	if err != nil || len(files) < 2 {
		t.Fatalf("%d threads, %v", len(files), err)
	}
	for _, file := range files {
		status, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"Seccomp:\t2\n", "NoNewPrivs:\t1\n"} {
			if !strings.Contains(string(status), want) {
				t.Errorf("%s: not %q", file, want)
			}
		}
	}
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", v.PID))
	if err != nil || !strings.Contains(strings.Join(strings.Fields(string(limits)), " "), "Max core file size 0 0 ") {
		t.Errorf("%v: %s", err, limits)
	}
}

func TestWork(t *testing.T) { run(t, child(t, "work", workplace(t)...)) }

func TestForbidden(t *testing.T) {
	place := workplace(t)
	run(t, child(t, "forbid", place...))
	for name := range killing {
		t.Run(name, func(t *testing.T) {
			err := child(t, "forbid", append(place, forbiddenEnv+"="+name)...).Run()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGSYS {
				t.Errorf("not killed: %v", err)
			}
		})
	}
}
