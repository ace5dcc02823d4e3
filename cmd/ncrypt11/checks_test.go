package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/guard/harden"
	"github.com/ncrypt11/ncrypt11/token/guard/server"
)

// wellFacts are of a machine on which there is nothing to say but of what a test changes.
func wellFacts() *facts {
	return &facts{
		status: status{
			Library: "/usr/lib/libncrypt11.so", VBS: vbs{Available: true, State: vbsAvailable},
			Guard: &guardStatus{Running: true, Where: "unix:" + config.MachineSocket, Report: &guardReport{
				Report: server.Report{Level: "service", Hardening: hardened()},
				TPM:    &tpmReport{Manufacturer: "INTC", Failures: 0, MaxFailures: 32, ForgiveEvery: 600},
			}},
			Machine: machine{
				SecureBoot: "on", Lockdown: "integrity", PtraceScope: "1", Memlock: "unlimited", TPM: tpmDevice{Device: "/dev/tpmrm0", Usable: true},
			},
			Tokens: []tokenStatus{{Label: "web", Policy: "vbs-required", Protection: protectionIsolated, UserPIN: "set", SOPIN: "set"}},
		},
		cfg:          &config.Config{Guard: config.Guard{Sockets: []string{config.MachineSocket}}},
		service:      service{Systemd: true, Unit: "/usr/lib/systemd/system/" + guardUnit, Enabled: true},
		registration: registration{File: "/usr/share/p11-kit/modules/ncrypt11.module"},
	}
}

// hardened is a guard's report where nothing is missing.
func hardened() (all harden.Report) {
	for _, name := range []string{harden.Tracer, harden.Dumpable, harden.Core, harden.NoNewPrivs, harden.Seccomp, harden.Mlock} {
		all = append(all, harden.Measure{Name: name, Achieved: true})
	}
	return all
}

// missing takes one measure away.
func (f *facts) missing(name, why string) {
	for i := range f.Guard.Report.Hardening {
		if m := &f.Guard.Report.Hardening[i]; m.Name == name {
			m.Achieved, m.Detail = false, why
		}
	}
}

func TestAllIsWell(t *testing.T) {
	for _, found := range wellFacts().findings() {
		if found.Result != resultOK || found.Advice != "" {
			t.Errorf("%+v", found)
		}
	}
}

// noGuard is a machine without one, for a reason.
func noGuard(f *facts, why string) {
	f.Guard = &guardStatus{Reason: why}
	f.VBS = vbs{State: vbsUnavailable, Reason: why}
	f.Tokens[0].Protection = protectionUnavailable
}

// TestChecks changes one thing, and says what must be found for it.
func TestChecks(t *testing.T) {
	for name, test := range map[string]struct {
		change              func(*facts)
		check, result, says string
	}{
		"isolated tokens without a guard": {func(f *facts) { noGuard(f, "the sun shines") }, "isolation", resultProblem, "web. Why: the sun shines."},
		"no guard, no such token": {func(f *facts) { noGuard(f, "the sun shines"); f.Tokens = nil },
			"isolation", resultWarning, "Why: the sun shines."},
		"a guard that fails":    {func(f *facts) { noGuard(f, "the sun shines") }, "guard", resultProblem, "cannot be used: the sun shines."},
		"a guard that is none":  {func(f *facts) { f.Guard.Report.Unavailable = "seccomp: no" }, "guard", resultProblem, "isolates nothing: seccomp: no."},
		"level process":         {func(f *facts) { f.Guard.Report.Level = "process" }, "guard-level", resultWarning, "under a debugger"},
		"level vm":              {func(f *facts) { f.Guard.Report.Level = "vm" }, "guard-level", resultOK, "another machine"},
		"no systemd":            {func(f *facts) { f.elsewhere(); f.service = service{} }, "guard-service", resultWarning, "does not run systemd"},
		"no unit":               {func(f *facts) { f.elsewhere(); f.service.Unit = "" }, "guard-service", resultWarning, "not installed"},
		"unit not switched on":  {func(f *facts) { f.elsewhere(); f.service.Enabled = false }, "guard-service", resultWarning, "not switched on"},
		"unit does not listen":  {func(f *facts) { f.elsewhere() }, "guard-service", resultProblem, "nobody listens"},
		"mlock is missing":      {func(f *facts) { f.missing(harden.Mlock, "ENOMEM") }, "hardening", resultWarning, "but for: mlock (ENOMEM)."},
		"dumpable":              {func(f *facts) { f.missing(harden.Dumpable, "EPERM") }, "hardening", resultProblem, "dumpable: EPERM"},
		"the guard has no TPM":  {func(f *facts) { f.Guard.Report.TPM, f.Guard.Report.TPMError = nil, "it is away" }, "tpm", resultProblem, "it is away"},
		"a TPM in software":     {func(f *facts) { f.own(); f.Machine.TPM = tpmDevice{Setting: "swtpm:unix:/s"} }, "tpm", resultWarning, "TPM in software"},
		"no TPM":                {func(f *facts) { noGuard(f, ""); f.Machine.TPM = tpmDevice{} }, "tpm", resultProblem, "shows no TPM"},
		"a TPM for others":      {func(f *facts) { noGuard(f, ""); f.Machine.TPM.Usable = false }, "tpm", resultProblem, "may not open /dev/tpmrm0"},
		"a TPM for one":         {func(f *facts) { f.own(); f.Machine.TPM.Device = "/dev/tpm0" }, "tpm", resultWarning, "one program at a time"},
		"lockout is near":       {func(f *facts) { f.Guard.Report.TPM.Failures = 16 }, "tpm-lockout", resultWarning, "one every 10m0s"},
		"lockout":               {func(f *facts) { f.Guard.Report.TPM.LockedOut = true }, "tpm-lockout", resultProblem, "is locked"},
		"lockout for ever":      {func(f *facts) { f.Guard.Report.TPM.LockedOut, f.Guard.Report.TPM.ForgiveEvery = true, 0 }, "tpm-lockout", resultProblem, "none by itself"},
		"a broken token":        {func(f *facts) { f.Tokens[0].Error = "torn" }, "tokens", resultProblem, "web: it cannot be used: torn."},
		"a directory":           {func(f *facts) { f.Problems = []string{"/x: everybody may write it"} }, "tokens", resultProblem, "everybody may write it"},
		"a boot that is over":   {func(f *facts) { f.Tokens[0].KeysAlive = new(bool) }, "tokens", resultProblem, "its boot is over"},
		"a locked PIN":          {func(f *facts) { f.Tokens[0].UserPIN = "locked" }, "tokens", resultProblem, "pin --unlock"},
		"a PIN that is nearly":  {func(f *facts) { f.Tokens[0].UserPIN = "final-try" }, "tokens", resultWarning, "one more wrong PIN"},
		"second best":           {func(f *facts) { f.Tokens[0].Protection, f.Tokens[0].Policy = protectionSoftware, "vbs-preferred" }, "tokens", resultWarning, "stays without"},
		"chosen software":       {func(f *facts) { f.Tokens[0].Protection, f.Tokens[0].Policy = protectionSoftware, "software" }, "tokens", resultOK, "All tokens"},
		"no library":            {func(f *facts) { f.Library = "" }, "library", resultWarning, "not beside"},
		"no registration":       {func(f *facts) { f.registration = registration{} }, "p11-kit", resultWarning, "does not know"},
		"broken registration":   {func(f *facts) { f.registration.Broken = true }, "p11-kit", resultProblem, "there is none"},
		"Secure Boot off":       {func(f *facts) { f.Machine.SecureBoot = "off" }, "secure-boot", resultWarning, "is off"},
		"Secure Boot not told":  {func(f *facts) { f.Machine.SecureBoot = factUnknown }, "secure-boot", resultUnknown, ""},
		"ptrace for everybody":  {func(f *facts) { f.Machine.PtraceScope = "0" }, "ptrace", resultWarning, ""},
		"NCRYPT11_GUARD=none":   {func(f *facts) { f.cfg.Guard.Off = true }, "guard", resultWarning, "unset"},
		"a software token dies": {func(f *facts) { f.Tokens[0].Protection, f.Machine.CorePattern = protectionSoftware, "core" }, "core-dumps", resultWarning, "web"},
	} {
		f := wellFacts()
		test.change(f)
		all := f.findings()
		i := slices.IndexFunc(all, func(found finding) bool { return found.Name == test.check })
		if i < 0 {
			t.Errorf("%s: no finding %s", name, test.check)
			continue
		}
		text := all[i].Meaning + " To do: " + all[i].Advice
		if all[i].Result != test.result || !strings.Contains(text, test.says) {
			t.Errorf("%s: %s %q, want %s and %q", name, all[i].Result, text, test.result, test.says)
		}
		if all[i].Result != resultOK && all[i].Advice == "" {
			t.Errorf("%s: there is no advice", name)
		}
	}
}

// elsewhere makes the guard another one than the machine's.
func (f *facts) elsewhere() { f.Guard.Where = "unix:/run/user/1/ncrypt11/guard.sock" }

// own makes the guard the user's own.
func (f *facts) own() { f.Guard.Report.Level = "process" }

func TestReach(t *testing.T) {
	top := t.TempDir() // 0700, or like it: it is of no one else
	if err := os.Chmod(top, 0o700); err != nil {
		t.Fatal(err)
	}
	f := wellFacts()
	f.Tokens[0].Scope, f.Tokens[0].Path, f.Tokens[0].Allow = string(config.Machine), filepath.Join(top, "t"), []string{"user:33"}
	if found := checkReach(f); found.Result != resultWarning || !strings.Contains(found.Meaning, top) {
		t.Errorf("behind a closed door: %+v", found)
	}
	f.root = tree(top) // as if that were the root directory
	f.Tokens[0].Path = "/t"
	if found := checkReach(f); found.Result != resultWarning || !strings.Contains(found.Meaning, "no guard but each user's own") {
		t.Errorf("with all doors open, and no socket: %+v", found)
	}
	socket := f.root.path(config.MachineSocket)
	if err := errors.Join(os.MkdirAll(filepath.Dir(socket), 0o755), os.WriteFile(socket, nil, 0o600), os.Chmod(socket, 0o666)); err != nil {
		t.Fatal(err)
	}
	if found := checkReach(f); found.Result != resultOK {
		t.Errorf("with all doors open: %+v", found)
	}
}

func TestReadReport(t *testing.T) {
	const text = `{"version":"1","pid":7,"uid":0,"since":"2026-01-02T03:04:05Z","level":"service","unavailable":"","hardening":[{"name":"a","achieved":true}],
		"new_field":1,"tpm":{"Manufacturer":"INTC","Failures":3,"MaxFailures":32,"ForgiveEvery":600000000000,"LockedOut":true}}`
	g := readReport("unix:/s", []byte(text), nil)
	r := g.Report
	if !g.Running || r == nil || r.PID != 7 || r.Level != "service" || len(r.Hardening) != 1 || r.TPM == nil {
		t.Fatalf("%+v", g)
	}
	if tpm := r.TPM; tpm.Manufacturer != "INTC" || tpm.Failures != 3 || tpm.forgiveEvery() != 10*time.Minute || !tpm.LockedOut {
		t.Errorf("%+v", tpm)
	}
	if g := readReport("unix:/s", []byte("nonsense"), nil); g.Report != nil || !g.Running || !strings.Contains(g.Reason, "cannot be read") {
		t.Errorf("%+v", g)
	}
}
