package main

import (
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/ncrypt11/ncrypt11/inject/target"
)

func (a *app) injectListCommand() *cobra.Command {
	var flags sessionFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the targets of a token",
		Long: "Lists the targets that a token has: those that inject target made, and no import or inject remove has ended. One that has expired takes no package any more,\n" +
			"and is there until it is removed.",
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withSession(cmd, &flags, access{login: true}, a.listTargets)
		},
	}
	flags.register(a, cmd)
	return cmd
}

func (a *app) listTargets(s *session) error {
	targets, err := target.List(s.Session)
	if err != nil {
		return err
	}
	list := []*shownTarget{}
	for _, t := range targets {
		list = append(list, describeTarget(t, nil))
	}
	slices.SortFunc(list, func(x, y *shownTarget) int { return x.Expires.Compare(y.Expires) })
	if a.json {
		return a.printJSON(map[string]any{"token": s.token.info.Label, "serial": s.token.info.SerialNumber, "targets": list})
	}
	if len(list) == 0 {
		fmt.Fprintln(a.stderr, "There is no target.")
		return nil
	}
	rows := make([][]string, len(list))
	for i, t := range list {
		rows[i] = []string{t.ID, t.Suite, t.Expires.Format(time.RFC3339)}
	}
	return printTable(a.stdout, []string{"TARGET", "SUITE", "EXPIRES"}, rows)
}

func (a *app) injectRemoveCommand() *cobra.Command {
	var flags sessionFlags
	cmd := &cobra.Command{
		Use:   "remove TARGET...",
		Short: "Take targets back",
		Long:  "Removes targets, by their ids, and the keys that were made for them. Packages for them can never be opened again.",
		Args:  arguments(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			var ids [][16]byte
			for _, text := range args {
				id, err := hex.DecodeString(text)
				if err != nil || len(id) != 16 {
					return usagef("%q is not a target's id: 16 bytes in hexadecimal, as ncrypt11 inject list shows them", text)
				}
				ids = append(ids, [16]byte(id))
			}
			return a.withSession(cmd, &flags, access{write: true, login: true}, func(s *session) error { return a.removeTargets(s, ids) })
		},
	}
	flags.register(a, cmd)
	return cmd
}

// removeTargets removes those that are there, after it has seen that all are.
func (a *app) removeTargets(s *session, ids [][16]byte) error {
	targets, err := target.List(s.Session)
	if err != nil {
		return err
	}
	there := map[[16]byte]bool{}
	for _, t := range targets {
		there[t.ID] = true
	}
	for _, id := range ids {
		if !there[id] {
			return fmt.Errorf("token %s has no target %x; see: ncrypt11 inject list", s.token.name(), id)
		}
	}
	for _, id := range ids {
		if err := target.Remove(s.Session, id); err != nil {
			return err
		}
	}
	return nil
}
