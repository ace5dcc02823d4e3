// Package signing_test has programs sign mails, documents, programs and commits with keys in tokens. Who verifies has the certificate or the public
// key only.
package signing_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

func TestMain(m *testing.M) { kit.Main(m, "bookworm") }

// mine is a token that its owner types a PIN for.
var mine = kit.Spec{Owner: kit.User}

// certified brings a key of a kind into the token, with a certificate.
func certified(t *testing.T, k *kit.Token, ca *kit.CA, kind, label string) {
	t.Helper()
	key, certificate := ca.Pair(t, kind, label)
	kit.Shell(t, "root", "chown "+k.Owner+" "+key)
	k.Import(t, label, key, certificate)
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
}

// section gives the one section that has some text in it.
func section(t *testing.T, sections []kit.Section, text string) kit.Section {
	t.Helper()
	i := slices.IndexFunc(sections, func(s kit.Section) bool { return strings.Contains(s.Text, text) })
	if i < 0 {
		t.Fatalf("no section has %q: %v", text, sections)
	}
	return sections[i]
}

// in is a command of the user's in a directory.
func in(t *testing.T, dir, script string) *exec.Cmd {
	t.Helper()
	cmd := kit.Command(t, kit.User, "sh", "-euc", script)
	cmd.Dir = dir
	return cmd
}

// run gives what a command prints.
func run(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := kit.Output(cmd)
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return out
}

// dirWith is a directory of the user's with a file.
func dirWith(t *testing.T, name, text string) string {
	t.Helper()
	dir := kit.Dir(t, kit.User)
	kit.Write(t, kit.User, filepath.Join(dir, name), text)
	return dir
}
