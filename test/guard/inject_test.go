package guard_test

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestInjectedKeysAreNotInTheProgram: the program that opens a package has nothing of the keys in its memory. The one that sealed it has them, which shows that they
// would be found.
func TestInjectedKeysAreNotInTheProgram(t *testing.T) {
	t.Parallel()
	s, _ := newSite(t)
	s.newToken()
	target, sealed := filepath.Join(s.home, "target.json"), filepath.Join(s.home, "package")
	made := s.run("inject", "target", "--pin", userPIN, "--output", target)
	fingerprint := regexp.MustCompile(`Fingerprint: +([0-9a-f]{64})`).FindStringSubmatch(made)
	if fingerprint == nil {
		t.Fatalf("there is no fingerprint in %q", made)
	}
	seal := append([]string{"inject", "seal", "--min-isolation", "process", "--to", target, "--fingerprint", fingerprint[1]}, keyFiles(s)...)
	all := importedSecrets(t)
	delete(all, "imported AES key") // no file has it

	pid, end := s.stuck(seal...)
	found := scanMemory(t, pid, all)
	for _, name := range []string{"imported RSA first prime", "imported EC scalar", "imported Ed25519 seed"} {
		if found[name] == 0 {
			t.Errorf("%s is not found in the program that seals it, so the search shows nothing", name)
		}
	}
	end()

	s.run(append(seal, "--output", sealed)...)
	pid, end = s.stuck("inject", "import", "--pin", userPIN, sealed)
	scanMemory(t, pid, all).none(t, "after the import")
	scanCore(t, pid, all).none(t, "in a core file")
	end()
	if listed := s.run("list", "--pin", userPIN, "--type", "private", "--json"); strings.Count(listed, `"isolated": true`) != len(keyFiles(s)) {
		t.Errorf("not all keys were imported: %s", listed)
	}
}

// keyFiles writes the tests' private keys into files.
func keyFiles(s *site) []string {
	s.t.Helper()
	var names []string
	k := testKeys()
	for name, key := range map[string]any{"rsa": k.rsa, "ec": k.ec, "ed25519": k.edwards} {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			s.t.Fatal(err)
		}
		path := filepath.Join(s.home, name+".pem")
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
			s.t.Fatal(err)
		}
		names = append(names, path)
	}
	return names
}

// stuck runs the command line until it prints: nobody reads that, so it stays as it is then. end ends it.
func (s *site) stuck(args ...string) (pid int, end func()) {
	s.t.Helper()
	from, to := fullPipe(s.t)
	cmd := s.program("ncrypt11", args...)
	cmd.Stdout = to
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	to.Close()
	end = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
		from.Close()
	}
	s.t.Cleanup(end)
	for deadline := time.Now().Add(patience); !printing(cmd); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("ncrypt11 %s does not print", strings.Join(args, " "))
		}
	}
	return cmd.Process.Pid, end
}

// fullPipe is a pipe that takes nothing more.
func fullPipe(t *testing.T) (from, to *os.File) {
	t.Helper()
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fd := int(to.Fd()) // blocking from here on, as programs know their standard output
	size, err := unix.FcntlInt(uintptr(fd), unix.F_GETPIPE_SZ, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := to.Write(make([]byte, size)); err != nil {
		t.Fatalf("the pipe took %d bytes: %v", n, err)
	}
	return from, to
}

// printing says whether one of a program's threads waits in write(2) to its standard output (proc_pid_syscall(5)).
func printing(cmd *exec.Cmd) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/syscall", cmd.Process.Pid))
	for _, path := range threads {
		call, _ := os.ReadFile(path) // the thread may have ended
		if strings.HasPrefix(string(call), fmt.Sprintf("%d 0x1 ", unix.SYS_WRITE)) {
			return true
		}
	}
	return false
}
