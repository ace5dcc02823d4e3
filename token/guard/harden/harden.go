// Package harden makes the process that calls it a place for keys: one that other processes of the same user cannot look into, that
// leaves no core dump, and that can do little else than serve. It is for the guard process alone, and most of it cannot be undone.
//
//	report, err := harden.Early(descriptors...) // first of all; may start the program anew
//	...                                         // sockets and directories are opened
//	report = harden.Confine(report, needs)
//
// What it does not stop: the kernel, root with CAP_SYS_PTRACE, and whoever starts the process under a tracer that hides well. The last is
// why a guard that another user starts is worth more.
package harden

import "slices"

// The measures.
const (
	Tracer      = "tracer"       // nobody traces the process
	Dumpable    = "dumpable"     // PR_SET_DUMPABLE 0: /proc/PID/mem and ptrace(2) are closed to the same user
	Core        = "core"         // RLIMIT_CORE 0
	NoNewPrivs  = "no-new-privs" // PR_SET_NO_NEW_PRIVS
	Descriptors = "descriptors"  // none that came with the process but those that were asked for
	Arena       = "arena"        // secrets have memory of their own (secret.UseArena)
	Mlock       = "mlock"        // nothing is swapped out
	Landlock    = "landlock"     // files, devices and TCP ports that are named, and no others
	Seccomp     = "seccomp"      // system calls that a server needs, and no others
)

// required is what makes a guard isolating, wherever it runs.
var required = []string{Tracer, Dumpable, Core, NoNewPrivs, Seccomp}

// Measure is what became of one measure.
type Measure struct {
	Name     string `json:"name"`
	Achieved bool   `json:"achieved"`
	Needed   bool   `json:"needed"` // a guard without it does not count as isolating
	Detail   string `json:"detail,omitempty"`
}

// Report lists the measures that were taken.
type Report []Measure

// Hardened says whether the process counts as isolating, and if not, why.
func (r Report) Hardened() (bool, string) {
	for _, name := range required {
		if !slices.ContainsFunc(r, func(m Measure) bool { return m.Name == name }) {
			return false, name + ": not even tried"
		}
	}
	for _, m := range r {
		if !m.Achieved && (m.Needed || slices.Contains(required, m.Name)) {
			return false, m.Name + ": " + m.Detail
		}
	}
	return true, ""
}

// achieved adds a measure that was taken.
func (r *Report) achieved(name, detail string) { r.add(name, true, detail) }

// failed adds a measure that was not.
func (r *Report) failed(name string, needed bool, err error) {
	*r = append(*r, Measure{Name: name, Needed: needed || slices.Contains(required, name), Detail: err.Error()})
}

func (r *Report) add(name string, needed bool, detail string) {
	*r = append(*r, Measure{Name: name, Achieved: true, Needed: needed, Detail: detail})
}
