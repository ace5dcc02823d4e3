package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ncrypt11/ncrypt11/cmd/ncrypt11/snippet"
)

// configFlags choose the token and what else a program has to be told.
type configFlags struct {
	token                tokenFlag
	pinFile, certificate string
}

func (a *app) configCommand() *cobra.Command {
	var flags configFlags
	programs := snippet.Programs()
	cmd := &cobra.Command{
		Use:   "config PROGRAM [KEY]",
		Short: "Show how a program is set up to use a key",
		Long: "Shows what goes into which file of a program, and what is to be run, for the program to use a key. KEY is a label or a URI; it need not be\n" +
			"given where there is only one. Nothing is changed.\n\nPrograms:\n" + programTable(programs),
		Example: `  ncrypt11 config nginx site
  ncrypt11 config ssh`,
		Args: arguments(cobra.RangeArgs(1, 2)),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return programNames(programs), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			i := slices.IndexFunc(programs, func(p snippet.Program) bool { return p.Name == args[0] })
			if i < 0 {
				return usagef("there is no snippet for %q; there is: %s", args[0], strings.Join(programNames(programs), ", "))
			}
			return a.config(&programs[i], args[1:], &flags)
		},
	}
	flags.token.register(a, cmd)
	cmd.Flags().StringVar(&flags.pinFile, "pin-file", "", "the `FILE` that the program will read the user's PIN from")
	cmd.Flags().StringVar(&flags.certificate, "certificate", "", "the `FILE` with the key's certificate, for programs that read it from a file (default: /etc/ssl/certs/KEY.pem)")
	return cmd
}

func programTable(programs []snippet.Program) string {
	var lines strings.Builder
	for _, p := range programs {
		fmt.Fprintf(&lines, "  %-12s %s\n", p.Name, p.Summary)
	}
	return lines.String()
}

func programNames(programs []snippet.Program) []string {
	names := make([]string, len(programs))
	for i, p := range programs {
		names[i] = p.Name
	}
	return names
}

// setup is the JSON of config.
type setup struct {
	Program  string            `json:"program"`
	Sections []snippet.Section `json:"sections"`
}

func (a *app) config(p *snippet.Program, key []string, flags *configFlags) error {
	d, err := a.configData(p, key, flags)
	if err != nil {
		return err
	}
	sections, err := p.Sections(d)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(setup{p.Name, sections})
	}
	for i, s := range sections {
		if i > 0 {
			fmt.Fprintln(a.stdout)
		}
		fmt.Fprintf(a.stdout, "# %s\n%s", sectionTitle(s), s.Text)
	}
	return nil
}

func sectionTitle(s snippet.Section) string {
	title := map[snippet.Action]string{snippet.File: "Write ", snippet.Add: "Add to ", snippet.Run: "Run as "}[s.Action] + s.Where
	if s.Action == snippet.Run && s.Where == "user" {
		title = "Run as yourself"
	}
	if s.Note != "" {
		title += " (" + s.Note + ")"
	}
	return title + ":"
}

// configData is what the program's snippet is made from.
func (a *app) configData(p *snippet.Program, key []string, flags *configFlags) (*snippet.Data, error) {
	if len(key) > 0 && p.Key == snippet.None {
		return nil, usagef("%s is not told of a key: it finds them by itself", p.Name)
	}
	for flag, path := range map[string]string{"pin-file": flags.pinFile, "certificate": flags.certificate} {
		if path != "" && !filepath.IsAbs(path) {
			return nil, usagef("--%s %s: the program needs the absolute path", flag, path)
		}
	}
	d := &snippet.Data{
		Module: a.library, Home: a.getenv("NCRYPT11_HOME"), PINFile: flags.pinFile, CertificateFile: flags.certificate, OpenSSLProvider: a.root.openSSLProvider(),
	}
	if d.Module == "" {
		return nil, fmt.Errorf("%s is not installed beside this command: install both from the same package, or build both: make build", libraryName)
	}
	if err := a.configKey(p, key, flags.token, d); err != nil {
		return nil, err
	}
	if d.CertificateFile == "" {
		d.CertificateFile = "/etc/ssl/certs/" + d.Key.Name + ".pem"
	}
	if p.PIN == snippet.FromFile && d.Token.Login && d.PINFile == "" {
		return nil, usagef("nobody is there to type the PIN of token %q: write it to a file that only %s can read, without a newline at its end, and name it with --pin-file",
			d.Token.Label, p.Name)
	}
	if !d.Token.Login {
		d.PINFile = ""
	}
	return d, nil
}
