package failure_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/failure"
)

func TestKeep(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n", "last-error")
	k := failure.NewKeeper(path, nil)
	if _, err := failure.Read(path); !errors.Is(err, failure.ErrNone) {
		t.Fatalf("before: %v", err)
	}
	k.Keep("C_GenerateKey", nil)
	k.Keep("C_Encrypt", ck.CKR_BUFFER_TOO_SMALL)
	if _, err := failure.Read(path); !errors.Is(err, failure.ErrNone) {
		t.Fatalf("after success and what is ordinary: %v", err)
	}
	before := time.Now().Truncate(time.Millisecond)
	k.Keep("C_GenerateKey", fmt.Errorf("here: %w", ck.Errorf(ck.CKR_TEMPLATE_INCOMPLETE, "CKA_VALUE_LEN is missing")))
	f, err := failure.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if f.Function != "C_GenerateKey" || f.Code != uint64(ck.CKR_TEMPLATE_INCOMPLETE) || f.Reason != "here: CKA_VALUE_LEN is missing" ||
		f.PID != os.Getpid() || !filepath.IsAbs(f.Program) || f.Time.Before(before) || f.Time.After(time.Now()) {
		t.Errorf("%+v", f)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	k.Keep("C_Login", ck.CKR_PIN_INCORRECT)
	if f, err := failure.Read(path); err != nil || f.Function != "C_Login" || f.Reason != "" {
		t.Errorf("the next one: %+v, %v", f, err)
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

// Nobody who has no place for them is in need of one.
func TestKeepNowhere(t *testing.T) {
	var none *failure.Keeper
	none.Keep("C_Login", ck.CKR_PIN_INCORRECT)
	failure.NewKeeper("", nil).Keep("C_Login", ck.CKR_PIN_INCORRECT)
	path := filepath.Join(t.TempDir(), "no", "such", "last-error")
	failure.NewKeeper(path, nil).Keep("C_Login", ck.CKR_PIN_INCORRECT)
	failure.NewKeeper(filepath.Join(filepath.Dir(path), "..", "..", "last-error"), func() bool { return false }).Keep("C_Login", ck.CKR_PIN_INCORRECT)
	if files, err := os.ReadDir(filepath.Dir(filepath.Dir(filepath.Dir(path)))); err != nil || len(files) > 0 {
		t.Errorf("written by who may not: %v, %v", files, err)
	}
	if _, err := os.Stat(filepath.Dir(filepath.Dir(path))); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it made more than the file's directory: %v", err)
	}
}

// A program that fails in a loop writes ten times a second.
func TestLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "last-error")
	k := failure.NewKeeper(path, nil)
	start := time.Now()
	for i := range 1000 {
		k.Keep(fmt.Sprint(i), ck.CKR_PIN_INCORRECT)
	}
	if time.Since(start) > time.Second {
		t.Skip("the machine is too slow to see one window by itself")
	}
	if f, err := failure.Read(path); err != nil || f.Function != "9" {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestTextsAreBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "last-error")
	for _, text := range []string{strings.Repeat("é", 5000), strings.Repeat("x", 1023) + "é", strings.Repeat("\x01", 100000), "\xff\xfe", "line\nline"} {
		if err := failure.Write(path, &failure.Failure{Function: "C_Sign", Reason: text, Program: text}); err != nil {
			t.Fatal(err)
		}
		f, err := failure.Read(path)
		if err != nil || len(f.Reason) > 1100 || strings.HasSuffix(f.Reason, "\uFFFD…") {
			t.Errorf("%.20q: %.20q, %v", text, f.Reason, err)
		}
	}
}

// What others had a hand in is neither read nor written.
func TestOthersFiles(t *testing.T) {
	for name, prepare := range map[string]func(dir, path string) error{
		"a link":        func(dir, path string) error { return os.Symlink("/etc/passwd", path) },
		"not a failure": func(dir, path string) error { return os.WriteFile(path, []byte("{}"), 0o600) },
		"not JSON":      func(dir, path string) error { return os.WriteFile(path, []byte("C_Sign"), 0o600) },
		"too long": func(dir, path string) error {
			return os.WriteFile(path, []byte(`{"function":"`+strings.Repeat("x", 64<<10)+`"}`), 0o600)
		},
		"a directory": func(dir, path string) error { return os.Mkdir(path, 0o700) },
		"others may write it": func(dir, path string) error {
			return errors.Join(os.WriteFile(path, []byte(`{"function":"C_Sign"}`), 0o600), os.Chmod(path, 0o666))
		},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "last-error")
		if err := prepare(dir, path); err != nil {
			t.Fatal(err)
		}
		if f, err := failure.Read(path); err == nil || errors.Is(err, failure.ErrNone) {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
	for name, prepare := range map[string]func(dir string) error{
		"others may write the directory": func(dir string) error { return errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o777)) },
		"the directory is a link":        func(dir string) error { return os.Symlink(t.TempDir(), dir) },
		"the directory is a file":        func(dir string) error { return os.WriteFile(dir, nil, 0o600) },
	} {
		dir := filepath.Join(t.TempDir(), "n")
		if err := prepare(dir); err != nil {
			t.Fatal(err)
		}
		if err := failure.Write(filepath.Join(dir, "last-error"), &failure.Failure{Function: "C_Sign"}); err == nil {
			t.Errorf("%s: written", name)
		}
	}
}

// A link in the file's place is replaced, and not followed.
func TestLinkIsReplaced(t *testing.T) {
	dir := t.TempDir()
	path, victim := filepath.Join(dir, "last-error"), filepath.Join(dir, "victim")
	if err := errors.Join(os.WriteFile(victim, []byte("mine"), 0o600), os.Symlink(victim, path)); err != nil {
		t.Fatal(err)
	}
	if err := failure.Write(path, &failure.Failure{Function: "C_Sign"}); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(victim); err != nil || string(content) != "mine" {
		t.Errorf("%q, %v", content, err)
	}
	if _, err := failure.Read(path); err != nil {
		t.Error(err)
	}
}

func TestReason(t *testing.T) {
	for want, err := range map[string]error{
		"":            ck.CKR_PIN_INCORRECT,
		"a":           ck.Errorf(ck.CKR_PIN_LOCKED, "a"),
		"b: a":        fmt.Errorf("b: %w", ck.Errorf(ck.CKR_PIN_LOCKED, "a")),
		"other":       errors.New("other"),
		"x: y (z: 1)": ck.Errorf(ck.CKR_PIN_LOCKED, "x: %w", errors.New("y (z: 1)")),
	} {
		if got := failure.Reason(err); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

func TestOrdinary(t *testing.T) {
	for _, test := range []struct {
		function string
		rv       ck.RV
		want     bool
	}{
		{"C_Sign", ck.CKR_BUFFER_TOO_SMALL, true},
		{"C_GetAttributeValue", ck.CKR_ATTRIBUTE_TYPE_INVALID, true},
		{"C_CreateObject", ck.CKR_ATTRIBUTE_TYPE_INVALID, false},
		{"C_GenerateKey", ck.CKR_TEMPLATE_INCOMPLETE, false},
		{"C_Login", ck.CKR_PIN_INCORRECT, false},
		{"C_OpenSession", ck.CKR_TOKEN_NOT_RECOGNIZED, false}, // the token may be damaged
	} {
		if got := failure.Ordinary(test.function, test.rv); got != test.want {
			t.Errorf("%s %v: %v", test.function, test.rv, got)
		}
	}
}

// Whatever is in the file, reading it ends, and what is read can be written and read again.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"time":"2026-01-31T15:04:05Z","program":"/bin/p","pid":1,"function":"C_Sign","code":7,"reason":"r"}`, `{"function":"C_Sign","code":-1}`,
		`{"function":"C_Sign","time":"yesterday"}`, `{"function":"C_Sign","reason":"\ud800\u0000"}`, `[]`, ``, `{"function":{}}`,
	} {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), "last-error") // one for all: what is tried takes little time next to making a directory
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		read, err := failure.Read(path)
		if err != nil {
			return
		}
		if read.Time.Year() > 9999 || read.Time.Year() < 0 {
			return // JSON has no such times
		}
		if err := failure.Write(path, read); err != nil {
			t.Fatalf("%+v: %v", read, err)
		}
		if again, err := failure.Read(path); err != nil || again.Code != read.Code || again.PID != read.PID || !again.Time.Equal(read.Time) {
			t.Errorf("%+v became %+v, %v", read, again, err)
		}
	})
}
