// Package openssh is what OpenSSH is made to do with keys in tokens, in whichever release of Debian it is run.
package openssh

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// The package that rows of clients, and of servers, take their version from.
const (
	client = "openssh-client"
	server = "openssh-server"
)

// mine is a token that its owner types a PIN for.
var mine = kit.Spec{Owner: kit.User}

// generateAll makes a key of each kind, labelled with it.
func generateAll(t *testing.T, k *kit.Token) {
	t.Helper()
	for _, x := range kinds(t) {
		k.Generate(t, x.kind, x.kind)
	}
}

// section gives the text of the one section that has some text in it.
func section(t *testing.T, sections []kit.Section, text string) kit.Section {
	t.Helper()
	i := slices.IndexFunc(sections, func(s kit.Section) bool { return strings.Contains(s.Text, text) })
	if i < 0 {
		t.Fatalf("no section has %q: %v", text, sections)
	}
	return sections[i]
}

// publicKeys gives the lines of what ssh-keygen prints of the token, by the first word.
func publicKeys(t *testing.T, k *kit.Token) map[string]string {
	t.Helper()
	printed := kit.Apply(t, kit.User, []kit.Section{section(t, k.Config(t, "ssh", ""), "ssh-keygen -D")})
	keys := map[string]string{}
	for line := range strings.Lines(printed) {
		if name, _, ok := strings.Cut(line, " AAAA"); ok {
			keys[name] = line
		}
	}
	return keys
}

// home gives the user's ~/.ssh a file, which goes when the test ends.
func home(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(kit.Home, ".ssh", name)
	kit.Write(t, kit.User, path, text)
	t.Cleanup(func() { os.Remove(path) })
	return path
}

// askpass has a command get PINs from a program that shows no prompt, as it does on a desktop.
func askpass(t *testing.T, cmd *exec.Cmd, pin string) *exec.Cmd {
	t.Helper()
	script := filepath.Join(kit.Dir(t, kit.User), "askpass")
	kit.Write(t, kit.User, script, "#!/bin/sh\necho "+pin+"\n")
	if err := os.Chmod(script, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(cmd.Env, "SSH_ASKPASS="+script, "SSH_ASKPASS_REQUIRE=force")
	return cmd
}

// run is kit.Run of a command that has been changed.
func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := kit.Output(cmd)
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return out
}
