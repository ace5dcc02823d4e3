package main

import (
	"fmt"
	"strings"

	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/guard"
)

// facts are what doctor judges.
type facts struct {
	status
	cfg          *config.Config
	service      service
	registration registration
	root         tree
}

// finding is what a check came to. Without a result, the check does not apply here.
type finding struct {
	Name    string `json:"name"`
	Result  string `json:"result"`
	Meaning string `json:"meaning"`          // what it means, in one sentence or two
	Advice  string `json:"advice,omitempty"` // what to do
}

// The results.
const (
	resultOK      = "ok"
	resultWarning = "warning" // something could be better
	resultProblem = "problem" // something does not work, or does not protect what it is to protect
	resultUnknown = "unknown" // this user, or this kernel, is not told
)

// check looks at one thing.
type check struct {
	name string
	look func(*facts) finding
}

// checks are all of them, in the order in which one would look: what isolates keys, then tokens, then how programs find them, then the machine.
var checks = []check{
	{"isolation", checkIsolation},
	{"guard", checkGuard},
	{"guard-level", checkLevel},
	{"guard-service", checkService},
	{"hardening", checkHardening},
	{"tpm", checkTPM},
	{"tpm-lockout", checkLockout},
	{"tokens", checkTokens},
	{"token-access", checkReach},
	{"library", checkLibrary},
	{"p11-kit", checkRegistration},
	{"secure-boot", checkSecureBoot},
	{"lockdown", checkLockdown},
	{"ptrace", checkPtrace},
	{"swap", checkSwap},
	{"core-dumps", checkCoreDumps},
	{"locked-memory", checkMemlock},
}

// findings are what applies here.
func (f *facts) findings() []finding {
	all := []finding{}
	for _, c := range checks {
		if found := c.look(f); found.Result != "" {
			found.Name = c.name
			all = append(all, found)
		}
	}
	return all
}

func ok(format string, args ...any) finding {
	return finding{Result: resultOK, Meaning: fmt.Sprintf(format, args...)}
}

func warning(advice, format string, args ...any) finding {
	return finding{Result: resultWarning, Meaning: fmt.Sprintf(format, args...), Advice: advice}
}

func problem(advice, format string, args ...any) finding {
	return finding{Result: resultProblem, Meaning: fmt.Sprintf(format, args...), Advice: advice}
}

func unknownFact(advice, format string, args ...any) finding {
	return finding{Result: resultUnknown, Meaning: fmt.Sprintf(format, args...), Advice: advice}
}

// isolated lists the tokens that cannot be used without a guard.
func (f *facts) isolated() []string {
	return f.labels(func(t *tokenStatus) bool { return t.needsGuard() })
}

// inSoftware lists the tokens whose keys are in the memory of programs.
func (f *facts) inSoftware() []string {
	return f.labels(func(t *tokenStatus) bool { return t.Protection == protectionSoftware })
}

func (f *facts) labels(which func(*tokenStatus) bool) (labels []string) {
	for i := range f.Tokens {
		if which(&f.Tokens[i]) {
			labels = append(labels, display(f.Tokens[i].Label))
		}
	}
	return labels
}

// checkIsolation is the verdict on all that the guard's checks look at one by one.
func checkIsolation(f *facts) finding {
	const advice = "see what is said below of the guard and of the TPM"
	needed := f.isolated()
	switch {
	case f.VBS.State == vbsAvailable:
		return ok("Keys can be isolated: a guard process keeps them, sealed to the TPM, and programs only use them.")
	case f.VBS.State == vbsStartable:
		return unknownFact("run it without --no-start, which starts a guard as a login would", "No guard runs. One would be started when a token needs it; whether that works was not tried.")
	case len(needed) > 0:
		return problem(advice, "Keys cannot be isolated now, and the keys of these tokens are used with nothing less: %s. Why: %s.", strings.Join(needed, ", "), f.VBS.Reason)
	}
	return warning(advice, "Keys cannot be isolated now. A new token keeps them in the memory of the programs that use them, unless its policy refuses that. Why: %s.", f.VBS.Reason)
}

func checkGuard(f *facts) finding {
	g := f.Guard
	switch {
	case f.cfg.Guard.Off:
		return warning("unset NCRYPT11_GUARD", "NCRYPT11_GUARD is none: no guard is used.")
	case g.Report != nil && g.Report.Unavailable != "":
		return problem("see what is said below of hardening and of the TPM", "A guard runs at %s, and says that it isolates nothing: %s.", g.Where, g.Report.Unavailable)
	case g.Report != nil:
		return ok("A guard runs at %s, as %s.", g.Where, userName(g.Report.UID))
	case f.VBS.State == vbsStartable, g.absent:
		return finding{} // the check of isolation has said so
	}
	return problem("see what it says of itself: ncrypt11 events --kind guard-start,guard-stop,unavailable; or run it by hand: ncrypt11 guard",
		"The guard at %s cannot be used: %s.", g.Where, g.Reason)
}

func checkLevel(f *facts) finding {
	const better = "have systemd start one guard for the machine: systemctl enable --now " + guardUnit
	switch f.Guard.level() {
	case guard.Process:
		return warning(better, "The guard runs as the same user as the programs that use keys (level process). It keeps its memory from them, but a program that "+
			"itself starts the guard, under a debugger, can have it give keys away.")
	case guard.Service:
		return ok("The guard runs as another user than the programs that use keys (level service): they can neither look into it nor start it in their own way.")
	case guard.VM:
		return ok("The guard runs on another machine (level vm): not even this machine's kernel can look into it.")
	}
	return finding{}
}

func checkService(f *facts) finding {
	const enable = "systemctl enable --now " + guardUnit
	s := &f.service
	switch {
	case f.cfg.Guard.Address != "" || f.cfg.Guard.Off || !f.usesMachineGuard():
		return finding{} // the environment says where the guard is
	case f.Guard.Where == "unix:"+config.MachineSocket:
		return ok("The machine's guard answers at %s; the init system starts it, and nobody else.", config.MachineSocket)
	case !s.Systemd:
		return warning("have the init system start `ncrypt11 guard` as a user of its own", "This machine does not run systemd, and nobody listens at %s.", config.MachineSocket)
	case s.Unit == "":
		return warning("install the package that has it, then: "+enable, "The machine's guard is not installed: systemd has no unit %s.", guardUnit)
	case !s.Enabled:
		return warning(enable, "The machine's guard is installed and not switched on: %s.", s.Unit)
	}
	return problem("see why: systemctl status "+guardUnit, "The machine's guard is switched on, and nobody listens at %s.", config.MachineSocket)
}

func (f *facts) usesMachineGuard() bool {
	for _, path := range f.cfg.Guard.Sockets {
		if path == config.MachineSocket {
			return true
		}
	}
	return false
}

func checkHardening(f *facts) finding {
	if f.Guard.Report == nil {
		return finding{}
	}
	var missing []string
	for i := range f.Guard.Report.Hardening {
		if m := &f.Guard.Report.Hardening[i]; !m.Achieved {
			missing = append(missing, fmt.Sprintf("%s (%s)", display(m.Name), display(m.Detail)))
		}
	}
	text := strings.Join(missing, ", ")
	switch enough, why := f.Guard.Report.Hardening.Hardened(); {
	case !enough:
		return problem("update the kernel, or take away what keeps the guard from it (a container's rules?)", "The guard could not protect itself: %s.", display(why))
	case text != "":
		return warning("have systemd start the machine's guard: its unit gives it what it needs", "The guard protects itself, but for: %s.", text)
	}
	return ok("The guard protects itself with all measures that it knows.")
}
