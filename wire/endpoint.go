package wire

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/guard/remote"
)

// Endpoint is where this user's guard is to be found, and how it is started where there is none.
func Endpoint(cfg *config.Config, getenv config.Getenv) *remote.Endpoint {
	e := &remote.Endpoint{Address: cfg.Guard.Address, Sockets: cfg.Guard.Sockets, Own: cfg.Guard.Own}
	if InHost != nil {
		e.KeepFD, e.DropFD = InHost.KeepFD, InHost.DropFD
	}
	if e.Own != "" {
		e.Start = func() error { return startGuard(cfg, getenv) }
	}
	return e
}

// startGuard starts a guard of this user's own.
func startGuard(cfg *config.Config, getenv config.Getenv) error {
	if !cfg.Guard.HasTPM() {
		return errors.New("this machine has no TPM (NCRYPT11_TPM says where one is)")
	}
	program, err := guardProgram(cfg)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(cfg.Guard.Own), 0o700); err != nil {
		return err
	}
	args := []string{program, "guard", "--on-demand", "--socket", cfg.Guard.Own, "--state", cfg.Guard.State, "--idle", cfg.Idle().String()}
	env := guardEnvironment(getenv)
	if InHost != nil && InHost.Spawn != nil {
		return InHost.Spawn(program, args, env)
	}
	cmd := &exec.Cmd{Path: program, Args: args, Env: env, Dir: "/", SysProcAttr: &syscall.SysProcAttr{Setsid: true}}
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release()
}

// guardEnvironment is all that a guard is told: where things are. Its own settings come from the configuration. GOTRACEBACK saves it a restart: its runtime must
// have it from the start, so that a crash shows no stacks.
func guardEnvironment(getenv config.Getenv) []string {
	env := []string{"GOTRACEBACK=none"}
	for _, name := range []string{"HOME", "NCRYPT11_HOME", "NCRYPT11_TPM", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"} {
		if value := getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// guardProgram finds the ncrypt11 command: the configured one, this program where it is the command itself, else the one that belongs to the library,
// beside it as it is built or in bin as it is installed.
func guardProgram(cfg *config.Config) (string, error) {
	if cfg.GuardProgram != "" {
		return cfg.GuardProgram, nil
	}
	if InHost == nil {
		return os.Executable()
	}
	places := []string{"/usr/local/bin", "/usr/bin"}
	if library := InHost.Library(); filepath.IsAbs(library) { // else the host's working directory would say which program becomes a guard
		dir := filepath.Dir(library)
		places = append([]string{dir, filepath.Join(dir, "../bin"), filepath.Join(dir, "../../bin"), filepath.Join(dir, "../../../bin")}, places...)
	}
	for _, place := range places {
		program := filepath.Join(place, "ncrypt11")
		info, err := os.Stat(program)
		if err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return program, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return "", err
		}
	}
	return "", fmt.Errorf("the ncrypt11 command is not beside the library %q; say where it is by guard_program in config.toml", InHost.Library())
}
