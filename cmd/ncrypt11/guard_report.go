package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ncrypt11/ncrypt11/token/guard/harden"
	"github.com/ncrypt11/ncrypt11/token/guard/server"
	"github.com/ncrypt11/ncrypt11/token/seal/tpmseal"
)

// guardReport is what a guard says of itself.
type guardReport struct {
	server.Report
	TPM *tpmReport `json:"tpm,omitempty"` // in place of the guard's own, which has Go's names
}

// tpmReport is what a guard says of its TPM.
type tpmReport struct {
	Manufacturer string `json:"manufacturer"`
	Vendor       string `json:"vendor"`
	Firmware     string `json:"firmware"`
	Revision     string `json:"revision"` // of the specification
	Failures     uint32 `json:"failures"` // wrong PINs that it remembers
	MaxFailures  uint32 `json:"max_failures"`
	ForgiveEvery int    `json:"forgive_every"` // seconds; 0: never
	LockedOut    bool   `json:"locked_out"`
	StorageKey   string `json:"storage_key"` // what is at 0x81000001: standard, other, none
}

// UnmarshalJSON reads a guard's words.
func (t *tpmReport) UnmarshalJSON(text []byte) error {
	var told tpmseal.Info
	if err := json.Unmarshal(text, &told); err != nil {
		return err
	}
	*t = tpmReport{
		Manufacturer: told.Manufacturer, Vendor: told.Vendor, Firmware: told.Firmware, Revision: told.Revision, Failures: told.Failures,
		MaxFailures: told.MaxFailures, ForgiveEvery: int(told.ForgiveEvery / time.Second), LockedOut: told.LockedOut, StorageKey: told.StorageKey,
	}
	return nil
}

// levelWords say what a level is worth.
var levelWords = map[string]string{
	"process": "process: another process of the same user; it stops every program but one that starts the guard itself, under a debugger",
	"service": "service: a process of another user, started by the init system",
	"vm":      "vm: another machine",
}

// printer prints lines with a name and a value each, under headings.
type printer struct {
	w     io.Writer
	width int // of names
}

func (p *printer) heading(text string) { fmt.Fprintf(p.w, "\n%s\n", text) }

// line leaves out what has no value.
func (p *printer) line(name, value string) {
	if value != "" {
		fmt.Fprintf(p.w, "  %-*s %s\n", p.width, name+":", value)
	}
}

func (g *guardStatus) print(p *printer, startable bool) {
	p.heading("Guard")
	p.line("Where", g.Where)
	r := g.Report
	if r == nil {
		p.line("State", g.words(startable))
		return
	}
	p.line("Process", fmt.Sprintf("%d, of %s, version %s, since %s", r.PID, userName(r.UID), display(r.Version), r.Since.Local().Format(time.DateTime)))
	p.line("Level", levelWords[r.Level])
	p.line("Isolates", g.isolates())
	p.line("In use", fmt.Sprintf("%d sessions, %d keys, %d uses", r.Sessions, r.Keys, r.Uses))
	p.heading("Hardening of the guard")
	for _, m := range r.Hardening {
		p.line(display(m.Name), measureWords(&m))
	}
	p.heading("TPM")
	p.line("Error", display(r.TPMError))
	if r.TPM != nil {
		r.TPM.print(p)
	}
}

// words say why there is no report.
func (g *guardStatus) words(startable bool) string {
	switch {
	case startable:
		return "not running (started at first use)"
	case g.absent:
		return "not running"
	}
	return display(g.Reason)
}

func (g *guardStatus) isolates() string {
	if g.Report.Unavailable == "" {
		return "yes"
	}
	return "no: " + display(g.Report.Unavailable)
}

// measureWords say what became of a measure, in a word and what the guard adds to it.
func measureWords(m *harden.Measure) string {
	word := "NO"
	if m.Achieved {
		word = "yes"
	}
	return strings.TrimSuffix(word+": "+display(m.Detail), ": ")
}

func (t *tpmReport) print(p *printer) {
	p.line("Maker", display(oneLine(t.Manufacturer+" "+t.Vendor)))
	p.line("Firmware", display(t.Firmware))
	p.line("TPM 2.0", "revision "+display(t.Revision))
	p.line("Wrong PINs", t.lockout())
}

func (t *tpmReport) lockout() string {
	words := fmt.Sprintf("%d, and %d lock it", t.Failures, t.MaxFailures)
	if t.ForgiveEvery > 0 {
		words += fmt.Sprintf("; it forgets one every %v", t.forgiveEvery())
	}
	if t.LockedOut {
		return "LOCKED, " + words
	}
	return words
}

func (t *tpmReport) forgiveEvery() time.Duration { return time.Duration(t.ForgiveEvery) * time.Second }
