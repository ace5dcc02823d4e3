package kit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Section is what `ncrypt11 config --json` prints of one thing to do.
type Section struct{ Action, Where, Note, Text string }

// Config is what `ncrypt11 config` prints for a program and a key of the token, with that file for the PIN where the token has one and the program
// is attended by nobody. Args may add options.
func (k *Token) Config(t testing.TB, program, key string, args ...string) []Section {
	t.Helper()
	line := append([]string{"config", program}, args...)
	if key != "" {
		line = append(line, k.URI(key, ""))
	}
	var printed struct{ Sections []Section }
	k.decode(t, &printed, append(line, "--token", k.Serial, "--json")...)
	return printed.Sections
}

// Apply does what the sections say: root does, and what is to be run as oneself that user runs. It gives what the commands printed.
func Apply(t testing.TB, user string, sections []Section) string {
	t.Helper()
	var printed strings.Builder
	for _, s := range sections {
		where := s.Where
		as := "root"
		if rest, ok := strings.CutPrefix(where, "~/"); ok {
			as = user
			where = filepath.Join(Lookup(t, user).Home, rest)
		}
		switch s.Action {
		case "file":
			write(t, as, where, s.Text, os.O_TRUNC)
		case "add":
			write(t, as, where, s.Text, os.O_APPEND)
		case "run":
			if s.Where == "user" {
				as = user
			}
			printed.WriteString(Shell(t, as, s.Text))
		default:
			t.Fatalf("nobody knows how to do %q", s.Action)
		}
	}
	return printed.String()
}

// write makes or extends a file, and the directories above it, as that user. When the test ends, what was there before is there again.
func write(t testing.TB, as, path, text string, how int) {
	t.Helper()
	before, err := os.ReadFile(path)
	t.Cleanup(func() {
		if err != nil {
			os.Remove(path)
		} else {
			Write(t, as, path, string(before))
		}
	})
	if how == os.O_APPEND {
		text = string(before) + text
	}
	Write(t, as, path, text)
}

// Write makes a file that belongs to a user, and the directories above it. Everybody may read it.
func Write(t testing.TB, as, path, text string) {
	t.Helper()
	account := Lookup(t, as)
	var missing []string
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		missing = append(missing, dir)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, made := range append(missing, path) {
		if err := os.Lchown(made, int(account.UID), int(account.GID)); err != nil {
			t.Fatal(err)
		}
	}
}

// Fresh removes what a program keeps at a path, now and when the test ends.
func Fresh(t testing.TB, path string) {
	t.Helper()
	remove := func() {
		if err := os.RemoveAll(path); err != nil {
			t.Error(err)
		}
	}
	remove()
	t.Cleanup(remove)
}
