package threats_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/test/swtpm"
)

// The users, none of whom exists: the guard's, and one whom the token lets use its keys.
const (
	guardUser = 12345
	permitted = 12346
)

// place is a machine with a guard of a user of its own, who alone may open the TPM.
type place struct {
	t   *testing.T
	dir string
	tpm string // NCRYPT11_TPM
}

// TestPastTheGuard has a user who may use a token's keys through the machine's guard try it with the token's files and a guard of his own.
func TestPastTheGuard(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can be several users")
	}
	p := newPlace(t)
	socket := p.serve(guardUser, "guard", 0o666, "--machine")
	p.run(0, "machine", socket, "init", "--label", "site", "--scope", "machine", "--policy", "vbs-required", "--login", "none", "--allow", fmt.Sprintf("user:%d", permitted))
	p.run(0, "machine", socket, "generate", "p256", "--token", "site", "--label", "key")
	p.run(permitted, "machine", socket, "list", "--token", "site")
	p.sign(permitted, socket)

	p.copyHome("machine", "own", permitted)
	p.serve(permitted, "own", 0o600)
	generate := []string{"generate", "p256", "--token", "site", "--label", "other"}
	p.refused("TPM", permitted, generate...)
	p.openTPM(0o666)
	p.refused("of level process, and service is asked for", permitted, generate...)
	mine := []string{"init", "--label", "mine", "--policy", "vbs-required", "--login", "none"}
	settings := filepath.Join(p.dir, "own", "config.toml")
	if err := os.WriteFile(settings, []byte("min_isolation = \"service\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.refused("of level process, and service is asked for", permitted, mine...)
	if err := os.Remove(settings); err != nil {
		t.Fatal(err)
	}
	p.run(permitted, "own", "", mine...) // his guard works
}

func newPlace(t *testing.T) *place {
	tpm := swtpm.Start(t)
	p := &place{t: t, tpm: tpm.Address()}
	var err error
	if p.dir, err = os.MkdirTemp("/tmp", "n11past"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(p.dir) })
	p.chmod(p.dir, 0o755)
	for name, owner := range map[string]int{"machine": 0, "guard": guardUser} {
		p.mkdir(name, owner)
	}
	for _, name := range []string{"ncrypt11", "libncrypt11.so"} {
		text, err := os.ReadFile(filepath.Join(root, "build", name))
		if err != nil {
			t.Fatalf("%v: run make build first", err)
		}
		if err := os.WriteFile(filepath.Join(p.dir, name), text, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	p.openTPM(0o600)
	return p
}

func (p *place) chmod(path string, mode fs.FileMode) {
	p.t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) mkdir(name string, owner int) string {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := errors.Join(os.Mkdir(path, 0o755), os.Chown(path, owner, owner)); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// openTPM gives the TPM to the guard's user, with a mode that may let others have it, too.
func (p *place) openTPM(mode fs.FileMode) {
	p.t.Helper()
	socket := strings.TrimPrefix(p.tpm, "swtpm:unix:")
	p.chmod(filepath.Dir(socket), 0o755)
	p.chmod(socket, mode)
	if err := os.Chown(socket, guardUser, guardUser); err != nil {
		p.t.Fatal(err)
	}
}

// command is a program of this place, of a user with a home.
func (p *place) command(uid uint32, home, guard, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "NCRYPT11_HOME=" + filepath.Join(p.dir, home), "NCRYPT11_TPM=" + p.tpm, "NCRYPT11_GUARD=" + guard}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid, Groups: []uint32{}}}
	return cmd
}

// serve starts a guard in a home, as the init system does, until the test ends. Its socket has the mode when it is ready.
func (p *place) serve(uid uint32, home string, mode fs.FileMode, flags ...string) (address string) {
	p.t.Helper()
	socket := filepath.Join(p.dir, home, "guard.sock")
	cmd := p.command(uid, home, "", filepath.Join(p.dir, "ncrypt11"), append([]string{"guard", "--socket", socket}, flags...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if info, err := os.Stat(socket); err == nil && info.Mode().Perm() == mode {
			return "unix:" + socket
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	p.t.Fatalf("the guard does not start: %s", &out)
	return ""
}

func (p *place) run(uid uint32, home, guard string, args ...string) {
	p.t.Helper()
	if out, err := p.command(uid, home, guard, filepath.Join(p.dir, "ncrypt11"), args...).CombinedOutput(); err != nil {
		p.t.Fatalf("user %d: ncrypt11 %s: %v\n%s", uid, strings.Join(args, " "), err, out)
	}
}

// refused expects a command of a user without the machine's guard to fail, and to say why before long: a guard believes for a second what it knows of
// its TPM.
func (p *place) refused(why string, uid uint32, args ...string) {
	p.t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		out, err := p.command(uid, "own", "", filepath.Join(p.dir, "ncrypt11"), args...).CombinedOutput()
		switch {
		case err == nil:
			p.t.Fatalf("ncrypt11 %s went well", strings.Join(args, " "))
		case bytes.Contains(out, []byte(why)):
			return
		case time.Now().After(end):
			p.t.Fatalf("ncrypt11 %s: %v, without %q in\n%s", strings.Join(args, " "), err, why, out)
		}
	}
}

// sign has a stranger's program sign through the machine's guard.
func (p *place) sign(uid uint32, guard string) {
	p.t.Helper()
	cmd := p.command(uid, "machine", guard, "pkcs11-tool", "--module", filepath.Join(p.dir, "libncrypt11.so"), "--token-label", "site",
		"--sign", "--mechanism", "ECDSA-SHA256", "--label", "key")
	cmd.Stdin = strings.NewReader("to be signed")
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Errorf("pkcs11-tool: %v\n%s", err, out)
	}
}

// copyHome gives a user all files of a home, as his own.
func (p *place) copyHome(from, to string, uid int) {
	p.t.Helper()
	path := p.mkdir(to, uid)
	if err := os.CopyFS(path, os.DirFS(filepath.Join(p.dir, from))); err != nil {
		p.t.Fatal(err)
	}
	err := filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
		mode := fs.FileMode(0o600)
		if entry.IsDir() {
			mode = 0o700
		}
		return errors.Join(err, os.Chown(path, uid, uid), os.Chmod(path, mode))
	})
	if err != nil {
		p.t.Fatal(err)
	}
}
