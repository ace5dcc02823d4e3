package kit

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/machine"
)

// row is a line of the compatibility table, as tools/compatibility reads it.
type row struct {
	Program string `json:"program"` // as people call it
	Version string `json:"version"`
	System  string `json:"system"` // Debian's release
	Did     string `json:"did"`
	Kind    string `json:"kind"` // software, guarded
	Result  string `json:"result"`
	Reason  string `json:"reason,omitempty"`
}

// Row records what this test does, and how it ends, in a row of docs/COMPATIBILITY.md. The program is named as people call it; the version is that of
// a Debian package, or follows a '=' ("crypto11=v1.2.5"). Rows of both kinds of tokens with the same program and the same words are one.
func Row(t *testing.T, k *Token, program, version, did string) {
	t.Helper()
	recordLater(t, &row{Program: program, Version: versionOf(t, version), System: codename(t), Did: did, Kind: k.Kind()})
}

// NotRun records what the program cannot do, as the test has found out, and skips the rest of the test.
func NotRun(t *testing.T, k *Token, program, version, did, reason string) {
	t.Helper()
	recordLater(t, &row{Program: program, Version: versionOf(t, version), System: codename(t), Did: did, Kind: k.Kind(), Reason: reason})
	t.Skip(reason)
}

func recordLater(t *testing.T, r *row) {
	t.Cleanup(func() {
		r.Result = "passed"
		switch {
		case t.Failed():
			r.Result = "failed"
		case t.Skipped():
			r.Result = "not run"
			if r.Reason == "" {
				t.Error("a row says that this was not run, and not why: use NotRun")
			}
		}
		if err := record(r); err != nil {
			t.Error(err)
		}
	})
}

func versionOf(t *testing.T, version string) string {
	t.Helper()
	if strings.HasPrefix(version, "=") {
		return version[1:]
	}
	out, err := exec.Command("dpkg-query", "--show", "--showformat", "${Version}", version).Output()
	if err != nil {
		t.Fatalf("dpkg-query %s: %v", version, err)
	}
	return string(out)
}

// Required is the version of a library in Go that the tests themselves use, as Row wants it: Go does not write it into test programs.
func Required(t *testing.T, library string) string {
	t.Helper()
	repository, err := machine.Repository()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(repository, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) >= 2 && words[0] == library {
			return "=" + words[1]
		}
	}
	t.Fatalf("go.mod does not require %s", library)
	return ""
}

func codename(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/etc/os-release")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VERSION_CODENAME=")
	name, _, _ := strings.Cut(rest, "\n")
	return name
}

var recording sync.Mutex

// Artefacts is a directory outside of the machine for what people may want to look at.
func Artefacts(t testing.TB) string {
	t.Helper()
	dir, err := artefacts()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func artefacts() (string, error) {
	repository, err := machine.Repository()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(repository, "build", "programs")
	return dir, os.MkdirAll(dir, 0o755)
}

// record appends the row to a file of this package's, which tools/compatibility makes the table of.
func record(r *row) error {
	recording.Lock()
	defer recording.Unlock()
	dir, err := artefacts()
	if err != nil {
		return err
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(dir, "rows.jsonl"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	if _, err := file.Write(append(line, '\n')); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}
