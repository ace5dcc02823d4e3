package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ncrypt11/ncrypt11/test/swtpm"
	"github.com/ncrypt11/ncrypt11/token/config"
)

// tpmKey and homeKey are where a script keeps its software TPM, and the directory that it calls $HOME11.
type (
	tpmKey  struct{}
	homeKey struct{}
)

// TestGuardedScripts runs the command on a machine with a TPM. Each script has a TPM and a home of its own, which other users can get to.
func TestGuardedScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/guarded",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			home, err := os.MkdirTemp("", "n11cli")
			if err != nil {
				return err
			}
			env.Defer(func() { os.RemoveAll(home) })
			if err := os.Chmod(home, 0o711); err != nil {
				return err
			}
			tpm := swtpm.Start(env.T().(testing.TB))
			env.Values[tpmKey{}], env.Values[homeKey{}] = tpm, home
			keys, err := filepath.Abs("keyfile/testdata")
			if err != nil {
				return err
			}
			env.Setenv("KEYS", keys)
			env.Setenv("GORACE", quickEnd)
			env.Setenv("NCRYPT11_HOME", home)
			env.Setenv("NCRYPT11_TPM", tpm.Address())
			env.Defer(func() { endGuard(env.T().(testing.TB), home) })
			return os.WriteFile(filepath.Join(home, "config.toml"), []byte("guard_idle = \"30s\"\n"), 0o644)
		},
		Condition: func(name string) (bool, error) { return name == "root" && os.Geteuid() == 0, nil },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"fails":          fails,
			"fails-printing": failsPrinting,
			"json":           checkJSON,
			"result":         checkResult,
			"setenv":         setenv,
			"tpm":            useTPM,
			"end-guard":      endGuardNow,
			"await-guard":    awaitGuard,
			"as":             asUser,
		},
	})
}

// useTPM VERB [NUMBER] does something to the script's TPM.
func useTPM(ts *testscript.TestScript, _ bool, args []string) {
	tpm := ts.Value(tpmKey{}).(*swtpm.TPM)
	switch args[0] {
	case "reset":
		tpm.Reset()
	case "replace":
		tpm.Replace()
	case "stop":
		tpm.Stop()
	case "start":
		tpm.Start()
	case "forget":
		tpm.ResetLockout()
	case "lockout":
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		tpm.Lockout(n)
	default:
		ts.Fatalf("tpm %s?", args[0])
	}
}

func endGuardNow(ts *testscript.TestScript, _ bool, _ []string) {
	if err := killGuard(ts.Value(homeKey{}).(string)); err != nil {
		ts.Fatalf("%v", err)
	}
}

// awaitGuard waits for a guard that was started in the background.
func awaitGuard(ts *testscript.TestScript, _ bool, _ []string) {
	cfg, getenv := guardsOf(ts.Value(homeKey{}).(string))
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if findGuard(cfg, getenv).Report != nil {
			return
		}
	}
	ts.Fatalf("no guard answers")
}

// guardsOf is the configuration that says where a home's guard is.
func guardsOf(home string) (*config.Config, config.Getenv) {
	getenv := func(name string) string {
		if name == "NCRYPT11_HOME" {
			return home
		}
		return ""
	}
	cfg, err := config.Load(getenv)
	if err != nil {
		panic(err) // the tests wrote it
	}
	return cfg, getenv
}

// endGuard sees to it that no guard outlives its script.
func endGuard(t testing.TB, home string) {
	if err := killGuard(home); err != nil && !errors.Is(err, errNotRunning) {
		t.Error(err)
	}
}

// killGuard ends the guard of a home as the kernel would that is short of memory, and waits until it is gone.
func killGuard(home string) error {
	cfg, getenv := guardsOf(home)
	g := findGuard(cfg, getenv)
	if g.absent {
		return errNotRunning
	}
	if g.Report == nil {
		return errors.New(g.Reason)
	}
	if err := syscall.Kill(g.Report.PID, syscall.SIGKILL); err != nil {
		return err
	}
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if findGuard(cfg, getenv).absent {
			return nil
		}
	}
	return errors.New("the guard does not end")
}

// asUser UID PROGRAM [ARGUMENT...] runs a program as another user.
func asUser(ts *testscript.TestScript, neg bool, args []string) {
	uid, err := strconv.ParseUint(args[0], 10, 32)
	ts.Check(err)
	path, err := exec.LookPath(args[1])
	ts.Check(err)
	program, err := os.Open(path) // by its descriptor, since the other user may not look into the directory
	ts.Check(err)
	defer program.Close()
	cmd := exec.Cmd{Path: "/proc/self/fd/3", Args: args[1:], ExtraFiles: []*os.File{program}}
	cmd.Env = []string{"NCRYPT11_HOME=" + ts.Getenv("NCRYPT11_HOME"), "NCRYPT11_TPM=" + ts.Getenv("NCRYPT11_TPM")}
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = ts.Stdout(), ts.Stderr()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	if err := cmd.Run(); (err != nil) != neg {
		ts.Fatalf("as %v: %v", args, err)
	}
}
