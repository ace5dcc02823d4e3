package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const manPage = "../../docs/man/ncrypt11.1"

var flagInText = regexp.MustCompile(`--[a-z][a-z-]*`)

// manSections gives the page's section on each command, and what stands before and after them.
func manSections(t *testing.T) (commands map[string]string, rest string) {
	t.Helper()
	source, err := os.ReadFile(manPage)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(source), `\-`, "-")
	before, after, ok := strings.Cut(text, ".SH COMMANDS\n")
	middle, after, ok2 := strings.Cut(after, "\n.SH ")
	if !ok || !ok2 {
		t.Fatal("the page has no section COMMANDS")
	}
	commands = map[string]string{}
	for _, section := range strings.Split(middle, ".SS ")[1:] {
		name, body, _ := strings.Cut(section, "\n")
		commands[name] = body
	}
	return commands, before + after
}

// TestManPage: every command and every flag stands in the manual page, and nothing else does.
func TestManPage(t *testing.T) {
	sections, rest := manSections(t)
	root := (&app{}).rootCommand()
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	everywhere := []string{"--json", "--help"}
	known := slices.Clone(everywhere)
	for _, cmd := range root.Commands() {
		section, ok := sections[cmd.Name()]
		if !ok {
			t.Errorf("%s has no section", cmd.Name())
		}
		delete(sections, cmd.Name())
		want := append(flagsOf(cmd), everywhere...)
		written := flagInText.FindAllString(section, -1)
		for _, flag := range want {
			if !slices.Contains(written, flag) && !slices.Contains(everywhere, flag) {
				t.Errorf("%s: %s is not explained", cmd.Name(), flag)
			}
		}
		for _, flag := range written {
			if !slices.Contains(want, flag) {
				t.Errorf("%s: the page tells of %s, which there is not", cmd.Name(), flag)
			}
		}
		known = append(known, want...)
	}
	for name := range sections {
		t.Errorf("the page tells of %s, which there is not", name)
	}
	for _, flag := range flagInText.FindAllString(rest, -1) {
		if !slices.Contains(known, flag) {
			t.Errorf("the page tells of %s, which no command has", flag)
		}
	}
	for _, word := range append(everywhere, "NCRYPT11_HOME", "NCRYPT11_GUARD", "NCRYPT11_TPM", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "min_isolation", "guard_idle", "guard_program", "log_uses") {
		if !strings.Contains(rest, word) {
			t.Errorf("%s is not explained", word)
		}
	}
}

// flagsOf gives the flags of a command and of the commands below it.
func flagsOf(cmd *cobra.Command) []string {
	var names []string
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, "--"+f.Name)
		}
	})
	for _, sub := range cmd.Commands() {
		names = append(names, flagsOf(sub)...)
	}
	return names
}
