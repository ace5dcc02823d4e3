package main

import (
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// worthABar is how many steps a command has at least that shows how far it is: fewer are done before one has read it.
const worthABar = 200

// progress shows on standard error how far a long command is; nothing where that is no terminal, so that scripts and logs have only what is of use to them.
type progress struct{ bar *progressbar.ProgressBar }

func (a *app) progress(what string, steps int) *progress {
	stderr, ok := a.stderr.(*os.File)
	if !ok || steps < worthABar || !term.IsTerminal(int(stderr.Fd())) {
		return &progress{}
	}
	return &progress{progressbar.NewOptions(steps, progressbar.OptionSetWriter(stderr), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("keys"),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())}
}

// step tells of one more.
func (p *progress) step() {
	if p.bar != nil {
		_ = p.bar.Add(1) // a terminal that takes nothing stops nothing
	}
}

// end takes the bar away, so that what is said next begins a line.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
