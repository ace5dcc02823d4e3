package kit

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a program may take that does one thing.
const patience = 2 * time.Minute

// Account is a user of the machine.
type Account struct {
	Name, Home string
	UID, GID   uint32
	Groups     []uint32
}

// Lookup finds an account, which must exist.
func Lookup(t testing.TB, name string) *Account {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	a := &Account{Name: name, Home: u.HomeDir, UID: number(t, u.Uid), GID: number(t, u.Gid)}
	groups, err := u.GroupIds()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		a.Groups = append(a.Groups, number(t, g))
	}
	return a
}

func number(t testing.TB, text string) uint32 {
	t.Helper()
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(n)
}

// Command is a program as that user would start it after a login: nothing of the test's environment is left. It is killed, with its children, when
// the test ends.
func Command(t testing.TB, as, name string, args ...string) *exec.Cmd {
	t.Helper()
	account := Lookup(t, as)
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background()) // the test's own has ended when it cleans up
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = account.Home
	cmd.Env = []string{
		"HOME=" + account.Home, "USER=" + as, "LOGNAME=" + as, "SHELL=/bin/sh", "LANG=C.UTF-8",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: &syscall.Credential{Uid: account.UID, Gid: account.GID, Groups: account.Groups}}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// Run gives what the program prints, and fails if it fails or does not end.
func Run(t testing.TB, as, name string, args ...string) string {
	t.Helper()
	out, err := Try(t, as, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// Try gives what the program prints on both its outputs, and how it ends.
func Try(t testing.TB, as, name string, args ...string) (string, error) {
	t.Helper()
	return Output(Command(t, as, name, args...))
}

// Shell runs commands in a shell and gives what they print.
func Shell(t testing.TB, as, script string) string {
	t.Helper()
	return Run(t, as, "sh", "-euc", script)
}

// Output runs one of Command's and gives what it prints on both its outputs. Files take it, not pipes: what a daemon keeps open does not keep the test waiting.
func Output(cmd *exec.Cmd) (string, error) {
	out, err := os.CreateTemp("", "output")
	if err != nil {
		return "", err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return "", err
	}
	defer time.AfterFunc(patience, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }).Stop()
	err = cmd.Wait()
	text, errRead := os.ReadFile(out.Name())
	return string(text), errors.Join(err, errRead)
}

// Daemon is a program that goes on until it is stopped.
type Daemon struct {
	Cmd   *exec.Cmd
	out   *os.File
	ended chan struct{}
	err   error
}

// Start runs a command in the background until the test ends. It may set the command's environment and directory before.
func Start(t testing.TB, cmd *exec.Cmd) *Daemon {
	t.Helper()
	out, err := os.CreateTemp("", "daemon")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d := &Daemon{Cmd: cmd, out: out, ended: make(chan struct{})}
	go func() {
		d.err = cmd.Wait()
		close(d.ended)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-d.ended
		if t.Failed() {
			t.Logf("%s says:\n%s", cmd.Path, d.Printed())
		}
		out.Close()
		os.Remove(out.Name())
	})
	return d
}

// Printed is what the daemon has printed so far.
func (d *Daemon) Printed() string {
	text, err := os.ReadFile(d.out.Name())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Stop ends the daemon by a signal, and gives how it ended.
func (d *Daemon) Stop(t testing.TB, signal syscall.Signal) error {
	t.Helper()
	_ = d.Cmd.Process.Signal(signal) // it may have ended already
	select {
	case <-d.ended:
	case <-time.After(30 * time.Second):
		t.Fatalf("%s does not end by %v", d.Cmd.Path, signal)
	}
	return d.err
}

// Wait waits until a daemon ends by itself, and gives how it ended.
func (d *Daemon) Wait(t testing.TB) error {
	t.Helper()
	select {
	case <-d.ended:
	case <-time.After(patience):
		t.Fatalf("%s does not end", d.Cmd.Path)
	}
	return d.err
}

// Ended says whether the daemon has ended.
func (d *Daemon) Ended() bool {
	select {
	case <-d.ended:
		return true
	default:
		return false
	}
}

// Eventually waits until something is so, and fails with what it is about if that takes too long.
func Eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !so(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after 30 s still not: %s", what)
		}
	}
}

// Contains fails for each text that the output does not have.
func Contains(t testing.TB, output string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !bytes.Contains([]byte(output), []byte(text)) {
			t.Errorf("%q is not in the output:\n%s", text, output)
		}
	}
}
