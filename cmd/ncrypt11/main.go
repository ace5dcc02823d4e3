// Command ncrypt11 makes tokens, brings keys into them and shows what is there. It is a client of the same engine that the library offers to
// programs; what it may do, they may do.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ncrypt11/ncrypt11/token/config"
)

func main() {
	a := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, library: libraryPath()}
	os.Exit(a.run(os.Args[1:]))
}

// app is one run of the command.
type app struct {
	stdin          *os.File
	stdout, stderr io.Writer
	getenv         config.Getenv
	root           tree   // of the file system that facts about the machine are read from
	library        string // path of the PKCS #11 module; empty: it is not where it belongs
	json           bool   // --json
}

// The exit codes, which scripts rely on.
const (
	exitOK = iota
	exitFailure
	exitUsage
)

func (a *app) run(args []string) int {
	printed := &checkedWriter{to: a.stdout}
	a.stdout = printed
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	err := root.Execute()
	if err == nil {
		err = printed.err
	}
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(a.stderr, "ncrypt11:", oneLine(explain(err)))
	if isUsage(err) {
		return exitUsage
	}
	return exitFailure
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "ncrypt11",
		Short: "Keys that cannot leave",
		Long: "ncrypt11 keeps private and secret keys in tokens, which programs use through the PKCS #11 module libncrypt11.so.\n" +
			"Where a command is given a token or a key, a PKCS #11 URI (RFC 7512) will do.",
		Example: `  ncrypt11 init --label web
  ncrypt11 import --label site server.key server.crt
  ncrypt11 list`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknown("command", args[0], cmd.SuggestionsFor(args[0]), "ncrypt11 help")
		},
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 2,
	}
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print JSON")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%v; see %s --help", err, cmd.CommandPath())
	})
	root.AddCommand(
		a.initCommand(), a.importCommand(), a.generateCommand(), a.listCommand(), a.exportCommand(), a.requestCommand(), a.deleteCommand(),
		a.pinCommand(), a.statusCommand(), a.doctorCommand(), a.explainCommand(), a.eventsCommand(), a.configCommand(), a.injectCommand(), a.versionCommand(), a.guardCommand(),
	)
	refuseStrangers(root)
	return root
}

// refuseStrangers has cobra's own commands fail where they are asked for what there is not. They would print their help and call it success.
func refuseStrangers(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Args = func(cmd *cobra.Command, args []string) error {
				_, rest, err := root.Find(args)
				if err != nil || len(rest) > 0 {
					return unknown("command", strings.Join(args, " "), root.SuggestionsFor(args[0]), "ncrypt11 help")
				}
				return nil
			}
		case "completion":
			cmd.Args = cobra.ArbitraryArgs
			cmd.RunE = func(cmd *cobra.Command, args []string) error {
				if len(args) == 0 {
					return cmd.Help()
				}
				return unknown("shell", args[0], cmd.SuggestionsFor(args[0]), "ncrypt11 help completion")
			}
		}
	}
}
