package events_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/events"
)

const sound = `{"time":"2026-01-01T00:00:00Z","kind":"unlock"}` + "\n"

// Damaged lines are told of, and hide no other.
func TestDamage(t *testing.T) {
	for _, test := range []struct {
		name, text     string
		events, damage int
	}{
		{"nothing", "", 0, 0},
		{"sound", sound + sound, 2, 0},
		{"later kind and field", `{"time":"2026-01-01T00:00:00Z","kind":"later","more":1}` + "\n", 1, 0},
		{"no JSON", "x\n" + sound, 1, 1},
		{"empty line", "\n" + sound, 1, 1},
		{"not an object", "[1]\n" + sound, 1, 1},
		{"no kind", `{"time":"2026-01-01T00:00:00Z"}` + "\n" + sound, 1, 1},
		{"no time", `{"kind":"unlock"}` + "\n" + sound, 1, 1},
		{"time before there was any", `{"time":"0001-01-01T00:00:00Z","kind":"unlock"}` + "\n" + sound, 1, 1},
		{"wrong type", `{"time":"2026-01-01T00:00:00Z","kind":"unlock","pid":"x"}` + "\n" + sound, 1, 1},
		{"too long", strings.Repeat("x", 1<<20) + "\n" + sound, 1, 1},
		{"too long, at the end", sound + strings.Repeat("x", 1<<20), 1, 1},
		{"no end", sound + sound[:20], 1, 1},
		{"torn", sound[:20] + sound + sound, 2, 1},
		{"torn at once", sound[:9] + sound, 1, 1},
		{"NULs of a crash", strings.Repeat("\x00", 900) + sound, 1, 1},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, events.FileName), []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		list, errs := read(dir)
		if len(list) != test.events || len(errs) != test.damage {
			t.Errorf("%s: %+v, %v", test.name, list, errs)
		}
		for _, err := range errs {
			var damage *events.Damage
			if !errors.As(err, &damage) || damage.Line != 1 && damage.Line != 2 || !strings.Contains(err.Error(), events.FileName) {
				t.Errorf("%s: %v", test.name, err)
			}
		}
	}
}

// Both files are read, the older one first; one file with two names is read once.
func TestOldFile(t *testing.T) {
	dir := t.TempDir()
	path, old := filepath.Join(dir, events.FileName), filepath.Join(dir, events.OldName)
	if err := errors.Join(os.WriteFile(old, []byte(sound), 0o600), os.WriteFile(path, []byte(strings.Replace(sound, "unlock", "create", 1)), 0o600)); err != nil {
		t.Fatal(err)
	}
	if got := all(t, dir); len(got) != 2 || got[0].Kind != events.Unlock || got[1].Kind != events.Create {
		t.Errorf("%+v", got)
	}
	if err := errors.Join(os.Remove(old), os.Link(path, old)); err != nil {
		t.Fatal(err)
	}
	if got := all(t, dir); len(got) != 1 {
		t.Errorf("%+v", got)
	}
}

// Who reads others' logs is not led elsewhere, nor kept waiting.
func TestReadRefuses(t *testing.T) {
	for name, put := range map[string]func(path string) error{
		"symbolic link": func(path string) error { return os.Symlink("/etc/passwd", path) },
		"pipe":          func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"directory":     func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		dir := t.TempDir()
		if err := errors.Join(put(filepath.Join(dir, events.FileName)), os.WriteFile(filepath.Join(dir, events.OldName), []byte(sound), 0o600)); err != nil {
			t.Fatal(err)
		}
		if list, errs := read(dir); len(list) != 1 || len(errs) != 1 {
			t.Errorf("%s: %+v, %v", name, list, errs)
		}
	}
	if list, errs := read(filepath.Join(t.TempDir(), "nothing")); list != nil || errs != nil {
		t.Errorf("%+v, %v", list, errs)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(sound))
	f.Add([]byte(sound[:30] + sound))
	f.Add([]byte("\x00\n\n{}\n" + sound[:40]))
	f.Add([]byte(`{"time":"2026-01-01T00:00:00Z","kind":"\u001b[2J","reason":"\ud800\u202e","count":18446744073709551615}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, events.FileName), text, 0o600); err != nil {
			t.Fatal(err)
		}
		list, _ := read(dir)
		for _, e := range list {
			checkLine(t, e.Text())
			events.OpenAt(filepath.Join(dir, "again"), true, nowhere).Write(e)
		}
		if len(list) > 0 && len(list) <= 10 { // as many as are not summed up
			for i, e := range all(t, filepath.Join(dir, "again")) {
				if e != list[i] {
					t.Errorf("%+v became %+v", list[i], e)
				}
			}
		}
	})
}
