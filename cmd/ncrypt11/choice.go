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
	cmd.Flags().StringVar(c.to, c.name, c.words[0], c.what+": "+strings.Join(c.words, ", "))
	complete(cmd, c.name, func() []string { return c.words })
}

func (c choice) check() error {
	if !slices.Contains(c.words, *c.to) {
		return usagef("--%s is one of %s, not %q", c.name, strings.Join(c.words, ", "), *c.to)
	}
	return nil
}
