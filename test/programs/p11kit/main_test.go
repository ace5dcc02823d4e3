// Package p11kit_test has p11-kit, GnuTLS and programs in Python use tokens.
package p11kit_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

func TestMain(m *testing.M) { kit.Main(m, "bookworm") }

// tokens runs a test on a token of each kind and records it.
func tokens(t *testing.T, program, from, did string, test func(t *testing.T, k *kit.Token)) {
	t.Helper()
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, program, from, did)
		test(t, k)
	})
}

// only gives the one section that config prints.
func only(t *testing.T, sections []kit.Section) string {
	t.Helper()
	if len(sections) != 1 {
		t.Fatalf("config prints %+v", sections)
	}
	return sections[0].Text
}

// login is a command in a session as logind makes it, which has a directory for sockets.
func login(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	account := kit.Lookup(t, kit.User)
	dir := filepath.Join("/run/user", strconv.Itoa(int(account.UID)))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, int(account.UID), int(account.GID)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := kit.Command(t, kit.User, name, args...)
	cmd.Env = append(cmd.Env, "XDG_RUNTIME_DIR="+dir)
	return cmd
}

// must gives what a command prints, which has to succeed.
func must(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := kit.Output(cmd)
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return out
}
