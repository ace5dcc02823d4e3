package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ncrypt11/ncrypt11/token/config"
)

// tree is the root of the file system that facts are read from: "" for this machine's, and others in tests.
type tree string

func (t tree) path(name string) string { return filepath.Join(string(t), name) }

func (t tree) exists(name string) bool {
	_, err := os.Stat(t.path(name))
	return err == nil
}

// maxFact bounds what is read of one file.
const maxFact = 64 << 10

func (t tree) read(name string) (string, bool) {
	f, err := os.Open(t.path(name))
	if err != nil {
		return "", false
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFact))
	return string(text), err == nil
}

// line reads a file that has one line.
func (t tree) line(name string) string {
	text, _ := t.read(name) // what cannot be read says nothing
	return strings.TrimSpace(text)
}

// unknown stands for what this user, or this kernel, does not tell.
const factUnknown = "unknown"

// machine is what protects keys on this machine beyond a guard, as far as the kernel tells this user.
type machine struct {
	SecureBoot  string      `json:"secure_boot"`   // on, off, no-uefi, unknown
	Lockdown    string      `json:"lockdown"`      // none, integrity, confidentiality, unknown
	PtraceScope string      `json:"ptrace_scope"`  // of Yama: 0 to 3; none where there is no Yama
	Swap        []swapSpace `json:"swap"`          // what memory may be written to
	CorePattern string      `json:"core_pattern"`  // where the memory of a program that crashed goes
	Memlock     string      `json:"memlock_limit"` // how many bytes a guard of this user's own may lock: a number or unlimited
	TPM         tpmDevice   `json:"tpm"`
}

func (t tree) machine(guard *config.Guard) machine {
	return machine{
		SecureBoot: t.secureBoot(), Lockdown: t.lockdown(), PtraceScope: t.ptraceScope(), Swap: t.swap(), CorePattern: t.line("/proc/sys/kernel/core_pattern"),
		Memlock: t.memlock(), TPM: t.tpm(guard),
	}
}

// secureBootVariable is UEFI's (UEFI specification, section 3.3): four bytes of attributes, and one that is 1 where Secure Boot is on.
const secureBootVariable = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

func (t tree) secureBoot() string {
	if !t.exists("/sys/firmware/efi") {
		return "no-uefi"
	}
	variable, ok := t.read(secureBootVariable)
	switch {
	case !ok || len(variable) != 5:
		return factUnknown
	case variable[4] == 1:
		return "on"
	}
	return "off"
}

// lockdown is the word in brackets of kernel_lockdown(7).
func (t tree) lockdown() string {
	_, rest, _ := strings.Cut(t.line("/sys/kernel/security/lockdown"), "[")
	if word, _, ok := strings.Cut(rest, "]"); ok {
		return word
	}
	return factUnknown
}

func (t tree) ptraceScope() string {
	if scope := t.line("/proc/sys/kernel/yama/ptrace_scope"); scope != "" {
		return scope
	}
	return "none"
}

// memlock is the hard limit: a guard raises the soft one itself.
func (t tree) memlock() string {
	limits, _ := t.read("/proc/self/limits")
	for line := range strings.Lines(limits) {
		if rest, ok := strings.CutPrefix(line, "Max locked memory"); ok {
			if fields := strings.Fields(rest); len(fields) >= 2 {
				return fields[1]
			}
		}
	}
	return factUnknown
}

// bootOver says whether a boot is not this one.
func (t tree) bootOver(boot string) bool { return boot != t.line("/proc/sys/kernel/random/boot_id") }

// tpmDevice is the TPM that a guard of this user's own would use.
type tpmDevice struct {
	Setting string `json:"setting,omitempty"` // NCRYPT11_TPM
	Device  string `json:"device,omitempty"`  // in /dev; none where the setting names no device, or there is none
	Usable  bool   `json:"device_usable"`     // this user may open the device
}

func (t tree) tpm(guard *config.Guard) tpmDevice {
	d := tpmDevice{Setting: guard.TPM}
	candidates := config.TPMDevices
	if guard.TPM != "" {
		candidates = []string{guard.TPM}
	}
	for _, device := range candidates {
		if !filepath.IsAbs(device) || !t.exists(device) {
			continue
		}
		d.Device = device
		d.Usable = unix.Faccessat(unix.AT_FDCWD, t.path(device), unix.R_OK|unix.W_OK, unix.AT_EACCESS) == nil
		break
	}
	return d
}
