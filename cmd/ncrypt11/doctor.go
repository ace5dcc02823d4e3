package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ncrypt11/ncrypt11/token/config"
)

func (a *app) doctorCommand() *cobra.Command {
	var noStart bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find out what is wrong, and what to do",
		Long: "Looks at all that protects keys on this machine, and says of each thing whether it is well, what that means, and what to do. Where no guard runs it\n" +
			"starts one, as a login would, to see what that achieves. It changes nothing else. It fails where it finds a problem; warnings are none.",
		Args: arguments(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error { return a.doctor(noStart) },
	}
	cmd.Flags().BoolVar(&noStart, "no-start", false, "start no guard")
	return cmd
}

// diagnosis is the JSON of `doctor`.
type diagnosis struct {
	Checks   []finding `json:"checks"`
	Problems int       `json:"problems"`
	Warnings int       `json:"warnings"`
}

func (a *app) doctor(noStart bool) error {
	f, err := a.facts(noStart)
	if err != nil {
		return err
	}
	d := diagnosis{Checks: f.findings()}
	for _, found := range d.Checks {
		switch found.Result {
		case resultProblem:
			d.Problems++
		case resultWarning:
			d.Warnings++
		}
	}
	if a.json {
		err = a.printJSON(d)
	} else {
		a.printFindings(d.Checks)
	}
	if err == nil && d.Problems > 0 {
		err = fmt.Errorf("problems that were found: %d", d.Problems)
	}
	return err
}

// facts gathers what there is to judge.
func (a *app) facts(noStart bool) (*facts, error) {
	cfg, err := config.Load(a.getenv)
	if err != nil {
		return nil, err
	}
	find := startedGuard
	if noStart {
		find = findGuard
	}
	s, err := a.survey(cfg, find(cfg, a.getenv))
	if err != nil {
		return nil, err
	}
	return &facts{status: *s, cfg: cfg, service: a.root.service(), registration: a.root.registration(a.getenv), root: a.root}, nil
}

// resultWords are the results for people, the loud ones in capitals.
var resultWords = map[string]string{resultOK: "ok", resultWarning: "WARNING", resultProblem: "PROBLEM", resultUnknown: "unknown"}

func (a *app) printFindings(all []finding) {
	for _, found := range all {
		fmt.Fprintf(a.stdout, "%-8s %-14s %s\n", resultWords[found.Result], found.Name, display(oneLine(found.Meaning)))
		if found.Advice != "" && found.Result != resultOK {
			fmt.Fprintf(a.stdout, "%-23s To do: %s.\n", "", oneLine(found.Advice))
		}
	}
}
