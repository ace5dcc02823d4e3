package attack

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// Result is what became of an attempt.
type Result struct {
	Name        string
	Stopped     bool
	Unavailable bool
	Detail      string
}

// Run makes all attempts as the user that this process runs as.
func Run(pid int) []Result {
	results := make([]Result, 0, len(Attempts))
	for _, a := range Attempts {
		result := Result{Name: a.Name}
		if err := a.Try(pid); err != nil {
			result.Stopped, result.Unavailable, result.Detail = true, errors.Is(err, ErrUnavailable), err.Error()
		}
		results = append(results, result)
	}
	return results
}

// Attacker builds the command that attacks, where every user may start it.
func Attacker(t testing.TB) string {
	t.Helper()
	program := filepath.Join(PublicDir(t), "attacker")
	cmd := exec.Command("go", "build", "-o", program, "github.com/ncrypt11/ncrypt11/test/attack/attacker")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// PublicDir is a directory, until the test ends, that every user may enter.
func PublicDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "attack")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// User gives a command another user, without groups. It takes root.
func User(cmd *exec.Cmd, uid uint32) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid, Groups: []uint32{}}}
}

// RunAs makes all attempts as another user, with the program from Attacker.
func RunAs(t testing.TB, attacker string, uid uint32, pid int) []Result {
	t.Helper()
	cmd := exec.Command(attacker, strconv.Itoa(pid))
	cmd.Stderr = os.Stderr
	User(cmd, uid)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var results []Result
	if err := json.Unmarshal(out, &results); err != nil || len(results) != len(Attempts) {
		t.Fatalf("%d of %d results: %v\n%s", len(results), len(Attempts), err, out)
	}
	return results
}

// Check fails for each attempt that went otherwise than expected, and logs those that could not be made.
func Check(t testing.TB, results []Result, stopped bool) {
	t.Helper()
	for _, r := range results {
		switch {
		case r.Unavailable:
			t.Logf("%s: %s", r.Name, r.Detail)
		case r.Stopped && !stopped:
			t.Errorf("%s: stopped, so the test shows nothing: %s", r.Name, r.Detail)
		case !r.Stopped && stopped:
			t.Errorf("%s: came through", r.Name)
		}
	}
}
