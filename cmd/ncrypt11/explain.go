package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ncrypt11/ncrypt11/cmd/ncrypt11/meaning"
	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/failure"
)

// lastFailure is the argument that stands for what failed last.
const lastFailure = "last"

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain CODE|last",
		Short: "Say what an error means, and what to do",
		Long: "Says what a number or a name means that a program got from a call: a return value of PKCS #11 (CKR_...), a status of NCrypt (NTE_...) or of a\n" +
			"smart card (SCARD_...). `last` is the last call of this user's programs that failed: which program, which call, and why. That is known of programs that\n" +
			"use the module, and not of what they live with, like a buffer that is too small.",
		Example: `  ncrypt11 explain last
  ncrypt11 explain CKR_TEMPLATE_INCONSISTENT
  ncrypt11 explain 0x8009000B`,
		Args: arguments(cobra.ExactArgs(1)),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return append([]string{lastFailure}, meaning.Names()...), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if strings.EqualFold(args[0], lastFailure) {
				return a.explainLast()
			}
			return a.explainCode(args[0])
		},
	}
}

// explained is the JSON of a code.
type explained struct {
	Code    string `json:"code"`
	Number  uint64 `json:"number"`
	Meaning string `json:"meaning"`
	Todo    string `json:"todo,omitempty"`
	Other   string `json:"other,omitempty"` // what the other interface calls it
}

func explainedCode(c meaning.Code) explained {
	return explained{Code: c.Name, Number: c.Number, Meaning: c.Meaning, Todo: c.Todo, Other: c.Other}
}

func (a *app) explainCode(text string) error {
	c, ok := meaning.Find(text)
	if !ok {
		return unknown("code", text, similarCodes(text), "ncrypt11 help explain")
	}
	if a.json {
		return a.printJSON(explainedCode(c))
	}
	a.printCode(c)
	return nil
}

// maxSimilar is how many names may have been meant.
const maxSimilar = 5

// similarCodes are the names with the text in them.
func similarCodes(text string) []string {
	upper := strings.ToUpper(text)
	similar := slices.DeleteFunc(meaning.Names(), func(name string) bool { return len(text) < 3 || !strings.Contains(name, upper) })
	if len(similar) > maxSimilar {
		return nil
	}
	return similar
}

// fact prints a line, and leaves out what is not known.
func (a *app) fact(name, value string) {
	if value != "" {
		fmt.Fprintf(a.stdout, "%-11s %s\n", name+":", value)
	}
}

func (a *app) printCode(c meaning.Code) {
	a.fact("Code", c.String())
	a.fact("Meaning", c.Meaning)
	a.fact("What to do", c.Todo)
	if strings.HasPrefix(c.Other, "CKR_") {
		a.fact("PKCS #11", c.Other)
	} else {
		a.fact("NCrypt", c.Other)
	}
}

// explainedFailure is the JSON of `last`.
type explainedFailure struct {
	Time     string `json:"time"`
	Program  string `json:"program"`
	PID      int    `json:"pid"`
	Function string `json:"function"`
	Reason   string `json:"reason,omitempty"`
	explained
}

func (a *app) explainLast() error {
	path := config.FailureFile(a.getenv)
	if path == "" {
		return errors.New("there is no place where failures are kept: set XDG_RUNTIME_DIR, HOME or NCRYPT11_HOME")
	}
	f, err := failure.Read(path)
	if errors.Is(err, failure.ErrNone) {
		return fmt.Errorf("%w: there is no %s; NCRYPT11_TRACE=FILE shows all calls of a program", err, path)
	}
	if err != nil {
		return err
	}
	c, ok := meaning.ByNumber(f.Code)
	if !ok {
		c = meaning.Code{Name: "unknown", Number: f.Code, Meaning: "a code that is not known here"}
	}
	if a.json {
		return a.printJSON(explainedFailure{f.Time.Format(time.RFC3339Nano), f.Program, f.PID, f.Function, f.Reason, explainedCode(c)})
	}
	a.fact("Time", f.Time.Local().Format(time.DateTime))
	a.fact("Program", fmt.Sprintf("%s (process %d)", display(f.Program), f.PID))
	a.fact("Function", display(f.Function))
	a.fact("Reason", display(oneLine(f.Reason)))
	a.printCode(c)
	return nil
}
