package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Guard says where the process that keeps keys is, and how it is started where it is not.
type Guard struct {
	Off     bool     // NCRYPT11_GUARD=none: there shall be none
	Address string   // unix:PATH or vsock:CID:PORT, where the environment names one: that one and no other
	Sockets []string // where it listens otherwise, the strongest first
	Own     string   // where one that is started on demand listens; empty: none can be
	State   string   // where one that is started on demand counts wrong PINs

	TPM string // NCRYPT11_TPM: a device, swtpm:unix:PATH, swtpm:HOST:PORT, none; empty: the machine's own
}

// MachineSocket is where the machine's guard listens, and MachineState where it counts wrong PINs.
const (
	MachineSocket = "/run/ncrypt11/guard.sock"
	MachineState  = "/var/lib/ncrypt11-guard"

	socketName = "guard.sock"
)

// guardSettings is what config.toml may say of guards.
type guardSettings struct {
	// MinIsolation is the least that counts as isolated: "process" (the default), "service" or "vm".
	MinIsolation string `toml:"min_isolation"`
	// GuardIdle is how long a guard that was started on demand stays when nobody uses it: "10m" is the default.
	GuardIdle string `toml:"guard_idle"`
	// GuardProgram is the ncrypt11 command that is started as the guard. The default is the one that belongs to the library.
	GuardProgram string `toml:"guard_program"`
	// LogUses has the guard log each use of a key. Off, uses are counted.
	LogUses bool `toml:"log_uses"`
}

const defaultIdle = 10 * time.Minute

// Idle is GuardIdle as a time.
func (s *guardSettings) Idle() time.Duration {
	if d, err := time.ParseDuration(s.GuardIdle); err == nil {
		return d
	}
	return defaultIdle
}

// isolations are what MinIsolation may say, from the least on.
var isolations = []string{"process", "service", "vm"}

// stronger is the one of two that asks for more. What is no isolation is left for check to refuse.
func stronger(before, after string) string {
	if slices.Contains(isolations, after) && slices.Index(isolations, after) < slices.Index(isolations, before) {
		return before
	}
	return after
}

func (s *guardSettings) check() error {
	if s.MinIsolation == "" {
		s.MinIsolation = "process"
	}
	if !slices.Contains(isolations, s.MinIsolation) {
		return fmt.Errorf("min_isolation is %q, but must be process, service or vm", s.MinIsolation)
	}
	if s.GuardIdle != "" {
		if d, err := time.ParseDuration(s.GuardIdle); err != nil || d < time.Second {
			return fmt.Errorf("guard_idle is %q, but must be a time of at least a second, like 10m", s.GuardIdle)
		}
	}
	if s.GuardProgram != "" && !filepath.IsAbs(s.GuardProgram) {
		return fmt.Errorf("guard_program is %q, but must be an absolute path", s.GuardProgram)
	}
	return nil
}

// loadGuard reads the environment.
func loadGuard(getenv Getenv) (Guard, error) {
	g := Guard{TPM: getenv("NCRYPT11_TPM")}
	if err := checkTPM(g.TPM); err != nil {
		return g, err
	}
	g.Sockets = []string{MachineSocket}
	if home := getenv("NCRYPT11_HOME"); home != "" {
		g.Own, g.State = filepath.Join(home, socketName), filepath.Join(home, "guard")
		g.Sockets = []string{g.Own}
	} else if runtime := runtimeDir(getenv); runtime != "" {
		g.Own = filepath.Join(runtime, "ncrypt11", socketName)
		g.Sockets = append(g.Sockets, g.Own)
		if state := xdg(getenv, "XDG_STATE_HOME", ".local/state"); state != "" {
			g.State = filepath.Join(state, "ncrypt11", "guard")
		} else {
			g.Own = ""
		}
	}
	switch setting := getenv("NCRYPT11_GUARD"); {
	case setting == "" || setting == "auto":
	case setting == "none":
		g.Off = true
	default:
		g.Address = setting
		return g, checkGuardAddress(setting)
	}
	return g, nil
}

// runtimeDir is the user's directory for sockets: XDG_RUNTIME_DIR, or where it is on machines with systemd, since daemons and sudo lose the variable.
func runtimeDir(getenv Getenv) string {
	if dir := getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return dir
	}
	dir := "/run/user/" + strconv.Itoa(os.Geteuid())
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return dir
	}
	return xdg(getenv, "XDG_STATE_HOME", ".local/state")
}

func checkGuardAddress(address string) error {
	kind, rest, _ := strings.Cut(address, ":")
	switch kind {
	case "unix":
		if filepath.IsAbs(rest) {
			return nil
		}
	case "vsock":
		if _, _, err := VsockAddress(rest); err == nil {
			return nil
		}
	}
	return fmt.Errorf("NCRYPT11_GUARD is %q, but must be auto, none, unix:/PATH or vsock:CID:PORT", address)
}

// VsockAddress reads CID:PORT.
func VsockAddress(text string) (cid, port uint32, err error) {
	first, second, _ := strings.Cut(text, ":")
	c, err1 := strconv.ParseUint(first, 10, 32)
	p, err2 := strconv.ParseUint(second, 10, 32)
	if err1 != nil || err2 != nil {
		return 0, 0, fmt.Errorf("%q is not CID:PORT", text)
	}
	return uint32(c), uint32(p), nil
}

func checkTPM(address string) error {
	if address == "" || address == "none" || filepath.IsAbs(address) || strings.HasPrefix(address, "swtpm:") {
		return nil
	}
	return fmt.Errorf("NCRYPT11_TPM is %q, but must be a device, swtpm:unix:PATH, swtpm:HOST:PORT or none", address)
}

// TPMDevices are where the kernel has a TPM, the one that several may use at once first.
var TPMDevices = []string{"/dev/tpmrm0", "/dev/tpm0"}

// HasTPM says whether there seems to be a TPM, without touching it.
func (g *Guard) HasTPM() bool {
	if g.TPM != "" {
		return g.TPM != "none"
	}
	return slices.ContainsFunc(TPMDevices, func(path string) bool { _, err := os.Stat(path); return err == nil })
}
