package events_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/events"
)

// all reads a log's directory, and fails for damage.
func all(t testing.TB, dir string) []events.Event {
	t.Helper()
	list, errs := read(dir)
	for _, err := range errs {
		t.Error(err)
	}
	return list
}

func read(dir string) (list []events.Event, errs []error) {
	for e, err := range events.Read(dir, time.Time{}, nil) {
		if err != nil {
			errs = append(errs, err)
		} else {
			list = append(list, e)
		}
	}
	return list, errs
}

func lines(t testing.TB, dir string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, events.FileName))
	if err != nil {
		t.Fatal(err)
	}
	return strings.SplitAfter(strings.TrimSuffix(string(text), "\n"), "\n")
}

func self() string { return fmt.Sprintf("user:%d", os.Geteuid()) }

func TestWriteAndRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "log")
	wrong := ck.Errorf(ck.CKR_PIN_INCORRECT, "the PIN is wrong")
	written := []events.Event{
		{Kind: events.GuardStart, PID: 7, Guard: "service"},
		events.Event{Kind: events.PINWrong, Token: "0123456789abcdef", User: "user:33", PID: 12, NTE: "NTE_PERM"}.Because(wrong),
		{Kind: events.Used, Key: "ab01", KeyType: "CKK_EC", Mechanism: "CKM_ECDSA", Count: 1 << 63},
	}
	log := events.OpenAt(dir, true, nowhere)
	for _, e := range written {
		e.LoggedBy = "user:0" // not for a writer to say
		log.Write(e)
	}
	got := all(t, dir)
	if len(got) != len(written) {
		t.Fatalf("%d events, want %d", len(got), len(written))
	}
	for i, want := range written {
		if age := time.Since(got[i].Time); age < -time.Second || age > time.Minute {
			t.Errorf("time %v", got[i].Time)
		}
		want.Time, want.LoggedBy = got[i].Time, self()
		if got[i] != want {
			t.Errorf("%+v, want %+v", got[i], want)
		}
	}
	if line := lines(t, dir)[1]; !strings.HasPrefix(line, `{"time":"`) || !strings.HasSuffix(line,
		`"kind":"pin-wrong","token":"0123456789abcdef","user":"user:33","pid":12,"code":"CKR_PIN_INCORRECT","nte":"NTE_PERM","reason":"the PIN is wrong"}`+"\n") {
		t.Errorf("line %s", line)
	}
	if info, err := os.Stat(filepath.Join(dir, events.FileName)); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory's mode is %v, %v", info.Mode(), err)
	}
}

func TestSinceAndKeep(t *testing.T) {
	dir := t.TempDir()
	log := events.OpenAt(dir, true, nowhere)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, kind := range []events.Kind{events.Unlock, events.Create, events.Unlock, events.Create} {
		log.Write(events.Event{Time: start.Add(time.Duration(i) * time.Hour), Kind: kind})
	}
	count := 0
	for e, err := range events.Read(dir, start.Add(2*time.Hour), func(e *events.Event) bool { return e.Kind == events.Create }) {
		if err != nil || !e.Time.Equal(start.Add(3*time.Hour)) {
			t.Errorf("%+v, %v", e, err)
		}
		count++
	}
	if count != 1 {
		t.Errorf("%d events", count)
	}
	for range events.Read(dir, time.Time{}, nil) {
		break // a reader may stop
	}
}

func TestBecause(t *testing.T) {
	for _, test := range []struct {
		err          error
		code, reason string
	}{
		{nil, "", ""},
		{ck.CKR_PIN_LOCKED, "CKR_PIN_LOCKED", "CKR_PIN_LOCKED"},
		{errors.New("torn"), "CKR_GENERAL_ERROR", "torn"},
		{fmt.Errorf("key: %w", ck.Errorf(ck.CKR_DEVICE_ERROR, "damaged")), "CKR_DEVICE_ERROR", "damaged"},
	} {
		if e := (events.Event{}).Because(test.err); e.Code != test.code || e.Reason != test.reason {
			t.Errorf("%v: %s, %s", test.err, e.Code, e.Reason)
		}
	}
}

func TestText(t *testing.T) {
	for _, test := range []struct {
		e    events.Event
		want string
	}{
		{events.Event{Kind: events.GuardStart, Guard: "vm"}, "the guard has started, guard vm"},
		{events.Event{Kind: events.Used, Token: "01", Key: "ab", User: "user:33", PID: 9, Count: 12}, "uses of a key, token 01, key ab, user:33 pid 9, (12×)"},
		{events.Event{Kind: events.Refused, PID: 9, Code: "CKR_X", Reason: "no\nno"}, `a key's policy refused a use, pid 9, no\u000ano (CKR_X)`},
		{events.Event{Kind: "later", User: "vm:3"}, "later, vm:3"},
	} {
		if got := test.e.Text(); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
	kinds := events.Kinds()
	for i, kind := range kinds {
		if e := (events.Event{Kind: kind}); e.Text() == string(kind) || slices.Contains(kinds[:i], kind) {
			t.Errorf("%s has no text, or is there twice", kind)
		}
	}
}

// hostile are strings that would show as something else, end a line, or fill it.
var hostile = []string{
	"a\nb", "\x00\x1b[2J\x7f", "\u0085\u009b31m", "\u202eexe.txt\u2028\U000e0001", "\xff\xfe", `"}` + "\n" + `{"time":"2026-01-01T00:00:00Z","kind":"unlock"}`, `<&>\`,
	strings.Repeat("x", 5000), strings.Repeat("\x01", 5000), strings.Repeat("\U000e0001", 5000), strings.Repeat(`"`, 5000), strings.Repeat("é\xff", 5000),
}

func checkLine(t testing.TB, line string) {
	t.Helper()
	if len(line) > events.MaxLine {
		t.Errorf("a line of %d bytes", len(line))
	}
	if i := strings.IndexFunc(strings.TrimSuffix(line, "\n"), func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
		t.Errorf("%q is not printed as itself", line[i:])
	}
}

func TestHostileStrings(t *testing.T) {
	dir := t.TempDir()
	log := events.OpenAt(dir, true, nowhere)
	for _, s := range hostile {
		log.Write(events.Event{Kind: events.Kind(s), Token: s, Key: s, KeyType: s, Mechanism: s, User: s, Code: s, NTE: s, Reason: s, Guard: s, PID: 1 << 62, Count: 1 << 63})
	}
	written := lines(t, dir)
	if len(written) != len(hostile) {
		t.Fatalf("%d lines, want %d", len(written), len(hostile))
	}
	for _, line := range written {
		checkLine(t, line)
	}
	for i, e := range all(t, dir) {
		checkLine(t, e.Text())
		short := string([]rune(hostile[i])) // one sign for each byte that is no text
		if len(short) < 20 && (e.Reason != short || e.Token != short) {
			t.Errorf("%q became %q", short, e.Reason)
		}
		if len(short) > 3000 && (!strings.HasSuffix(e.Reason, "…") || len(e.Reason) < 150) {
			t.Errorf("%q… became %q", short[:9], e.Reason)
		}
	}
}

func FuzzWrite(f *testing.F) {
	for _, s := range hostile {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, name, reason string) {
		dir := t.TempDir()
		events.OpenAt(dir, true, nowhere).Write(events.Event{Kind: "k", Token: name, Key: name, KeyType: name, Mechanism: name, User: name, Code: name, NTE: name, Guard: name, Reason: reason})
		written := lines(t, dir)
		if len(written) != 1 {
			t.Fatalf("%d lines", len(written))
		}
		checkLine(t, written[0])
		if got := all(t, dir); len(got) != 1 {
			t.Fatalf("%d events", len(got))
		}
	})
}
