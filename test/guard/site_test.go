package guard_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/test/swtpm"
)

const (
	userPIN = "1234"
	soPIN   = "12345678"
	label   = "guarded"
)

// site is where one user's programs run: a home, a TPM, and how the guard is found.
type site struct {
	t     *testing.T
	dir   string // that is removed at the end
	home  string
	uid   int
	gids  []uint32
	tpm   string          // NCRYPT11_TPM
	guard string          // NCRYPT11_GUARD
	wrap  func(*exec.Cmd) // has programs run in another world; nil: in this one
}

// newSite makes an empty home of the test's own user, with a TPM that has it for its own.
func newSite(t *testing.T) (*site, *swtpm.TPM) {
	t.Helper()
	tpm := newTPM(t)
	return newSiteOf(t, os.Getuid(), tpm.Address()), tpm
}

// newTPM starts a TPM that every user can reach. It tolerates what a test does: a guard that is killed may have had a PIN object in use.
func newTPM(t *testing.T) *swtpm.TPM {
	t.Helper()
	tpm := swtpm.Start(t)
	tpm.Tolerate(32, 1000)
	openTPM(t, tpm)
	return tpm
}

// openTPM lets every user reach a TPM that was just started.
func openTPM(t *testing.T, tpm *swtpm.TPM) {
	t.Helper()
	socket := strings.TrimPrefix(tpm.Address(), "swtpm:unix:")
	for path, mode := range map[string]os.FileMode{filepath.Dir(socket): 0o755, socket: 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
}

// newSiteOf makes an empty home of a user. Guards that are started there end with the test.
func newSiteOf(t *testing.T, uid int, tpm string) *site {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "n11site")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, dir: dir, home: filepath.Join(dir, "home"), uid: uid, tpm: tpm}
	t.Cleanup(func() {
		s.stopGuards()
		if t.Failed() {
			s.showEvents()
		}
		os.RemoveAll(dir)
	})
	if err := os.Mkdir(s.home, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, owner := range map[string]int{dir: os.Getuid(), s.home: uid} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, owner, -1); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// as is the same place as another user sees it.
func (s *site) as(uid int, gids ...uint32) *site {
	other := *s
	other.uid, other.gids = uid, gids
	return &other
}

// at is another home of the same user, with the same TPM.
func (s *site) at(home string) *site {
	other := *s
	other.home = home
	return &other
}

// configure writes config.toml.
func (s *site) configure(lines ...string) {
	s.t.Helper()
	path := filepath.Join(s.home, "config.toml")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// program prepares a program of what was built. Nothing of the tests' own environment reaches it.
func (s *site) program(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(built, name), args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "NCRYPT11_HOME=" + s.home, "NCRYPT11_TPM=" + s.tpm, "NCRYPT11_GUARD=" + s.guard}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if s.uid != os.Getuid() || s.gids != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(s.uid), Gid: uint32(s.uid), Groups: s.gids}
	}
	if s.wrap != nil {
		s.wrap(cmd)
	}
	return cmd
}

// patience is how long anything may take that has no limit of its own. A TPM may take 60 s.
const patience = 100 * time.Second

// try runs the command line and gives what it prints, on standard error too.
func (s *site) try(args ...string) (string, error) {
	cmd := s.program("ncrypt11", args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Second
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	if err := cmd.Start(); err != nil {
		return "", err
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	err := cmd.Wait()
	if ctx.Err() != nil {
		err = fmt.Errorf("not ended after %v: %w", patience, ctx.Err())
	}
	return out.String(), err
}

// run is a try that has to go well.
func (s *site) run(args ...string) string {
	s.t.Helper()
	out, err := s.try(args...)
	if err != nil {
		s.t.Fatalf("ncrypt11 %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// refused is a try that has to fail, with one line that contains each text.
func (s *site) refused(texts []string, args ...string) {
	s.t.Helper()
	out, err := s.try(args...)
	if err == nil {
		s.t.Errorf("ncrypt11 %s: went well\n%s", strings.Join(args, " "), out)
		return
	}
	for _, text := range texts {
		if !strings.Contains(out, text) {
			s.t.Errorf("ncrypt11 %s: there is no %q in %s", strings.Join(args, " "), text, out)
		}
	}
	if strings.Count(out, "\n") != 1 {
		s.t.Errorf("ncrypt11 %s: not one line: %s", strings.Join(args, " "), out)
	}
}

// newToken makes the token that a test uses.
func (s *site) newToken(flags ...string) {
	s.t.Helper()
	s.run(append(initArgs(), flags...)...)
}

// initArgs make a token that must be guarded, under a PIN. Flags that follow win.
func initArgs() []string {
	return []string{"init", "--label", label, "--policy", "vbs-required", "--login", "pin", "--pin", userPIN, "--so-pin", soPIN}
}

// tokenDirs are the directories of tokens, half-made ones included.
func (s *site) tokenDirs() []string {
	var dirs []string
	for _, scope := range []string{"tokens", "machine"} {
		entries, _ := os.ReadDir(filepath.Join(s.home, scope)) // there may be none
		for _, e := range entries {
			if e.IsDir() {
				dirs = append(dirs, filepath.Join(s.home, scope, e.Name()))
			}
		}
	}
	return dirs
}

// showEvents logs what the guard has written down.
func (s *site) showEvents() {
	logs, _ := filepath.Glob(filepath.Join(s.home, "log", "*"))
	for _, path := range logs {
		if text, err := os.ReadFile(path); err == nil {
			s.t.Logf("%s:\n%s", path, tail(string(text), 4000))
		}
	}
}

func tail(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return "..." + text[len(text)-n:]
}
