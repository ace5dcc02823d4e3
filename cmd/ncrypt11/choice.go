package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// choice is a flag that takes one of a few words, the first one by default.
type choice struct {
	to    *string
	name  string
	words []string
	what  string // for --help
}

func (c choice) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(c.to, c.name, c.words[0], c.what+", one of "+strings.Join(c.words, ", "))
	complete(cmd, c.name, func() []string { return c.words })
}

func (c choice) check() error {
	if !slices.Contains(c.words, *c.to) {
		return usagef("--%s is one of %s, not %q", c.name, strings.Join(c.words, ", "), *c.to)
	}
	return nil
}

// filled refuses flags that are given without a value. What a script has in no variable is not what it asked for: no nonce, no sender.
func filled(cmd *cobra.Command, names ...string) error {
	for _, name := range names {
		if flag := cmd.Flags().Lookup(name); flag.Changed && flag.Value.String() == "" {
			return usagef("--%s is empty; leave it away if nothing is meant", name)
		}
	}
	return nil
}

// atMostOne refuses a command line with more than one of the flags. Cobra can do this too, but does not tell its complaint from a failure.
func atMostOne(cmd *cobra.Command, names ...string) {
	earlier := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		given := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !cmd.Flags().Changed(name) })
		if len(given) > 1 {
			return usagef("give --%s, but not both", strings.Join(given, " or --"))
		}
		if earlier != nil {
			return earlier(cmd, args)
		}
		return nil
	}
}
