package guard_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// target makes a target of a token, and gives its file and what the server believes it by.
func (s *site) target(token string) (file, fingerprint string) {
	s.t.Helper()
	file = filepath.Join(s.home, token+".json")
	made := regexp.MustCompile(`Fingerprint: +([0-9a-f]{64})`).FindStringSubmatch(s.run("inject", "target", "--token", token, "--pin", userPIN, "--output", file))
	if made == nil {
		s.t.Fatal("there is no fingerprint in what inject target prints")
	}
	return file, made[1]
}

// TestTargetsOfLevels: a server that asks for more seals nothing to a guard that its user started; and a token of such a guard's stays one when the machine has a guard of
// its own, whose tokens are sealed to.
func TestTargetsOfLevels(t *testing.T) {
	t.Parallel()
	root(t)
	tpm := newTPM(t)
	s, guard := newSiteOf(t, owner, tpm.Address()), newSiteOf(t, keeper, tpm.Address())
	s.newToken()
	file, fingerprint := s.target(label)
	server := s.as(os.Getuid())
	sealTo := func(file string, more ...string) []string {
		return append(append([]string{"inject", "seal", "--to", file, "--fingerprint", fingerprint, "--output", filepath.Join(s.home, "package")}, more...), keyFiles(s)...)
	}
	server.refused([]string{"its guard is of level process", "--min-isolation"}, sealTo(file, "--min-isolation", "service")...)
	server.run(sealTo(file)...)

	s.stopGuards()
	s.tpm, s.guard = "none", guard.serve()
	if out := s.run("inject", "show", file, "--json"); !strings.Contains(out, `"isolation": "process"`) {
		t.Errorf("the target says %s", out)
	}
	s.refused([]string{"lower level than service", "make another token"}, "inject", "target", "--token", label, "--pin", userPIN, "--output", file)
	s.refused([]string{"lower level than service"}, "inject", "import", "--token", label, "--pin", userPIN, filepath.Join(s.home, "package"))

	s.newToken("--label", "apart")
	file, fingerprint = s.target("apart")
	server.run(sealTo(file, "--min-isolation", "service")...)
	s.run("inject", "import", "--token", "apart", "--pin", userPIN, filepath.Join(s.home, "package"))
	if n := s.privateKeys("apart"); n != len(keyFiles(s)) {
		t.Errorf("%d keys were imported", n)
	}
}

// privateKeys counts a token's.
func (s *site) privateKeys(token string) int {
	s.t.Helper()
	var listed struct{ Objects []struct{} }
	if err := json.Unmarshal([]byte(s.run("list", "--token", token, "--pin", userPIN, "--type", "private", "--json")), &listed); err != nil {
		s.t.Fatal(err)
	}
	return len(listed.Objects)
}

// TestKilledImports: whenever a program that imports is killed, the token has all keys of the package or none, and knows which.
func TestKilledImports(t *testing.T) {
	t.Parallel()
	const keys, own = 200, 2 // of the package, and the target's
	s, _ := newSite(t)
	s.newToken()
	dir, sealed := filepath.Join(s.home, "keys"), filepath.Join(s.home, "package")
	someKeys(t, dir, keys)
	file, fingerprint := s.target(label)
	seal := []string{"inject", "seal", "--min-isolation", "process", "--to", file, "--fingerprint", fingerprint, "--output", sealed, dir}
	args := []string{"inject", "import", "--keep-target", "--pin", userPIN, sealed}
	s.run(seal...)
	began := time.Now()
	s.run(args...)
	whole := time.Since(began)

	const steps = 12
	had, begun, killed := own+keys, false, 0
	for i := 1; i <= 3*steps; i++ {
		if !begun {
			s.run(seal...) // another package of the same keys
			begun = true
		}
		cmd := s.program("ncrypt11", args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(whole*time.Duration(i)/steps, func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		if kill.Stop(); err != nil {
			killed++
		}
		now := s.privateKeys(label)
		switch {
		case now == had && err != nil: // the package is good still
		case now == had+keys:
			s.refused([]string{"imported before"}, args...)
			had, begun = now, false
		default:
			t.Fatalf("killed after %v: %d keys, and there were %d; %v", whole*time.Duration(i)/steps, now, had, err)
		}
		if err == nil && killed > 0 {
			break
		}
	}
	if killed < 3 || had == own+keys {
		t.Errorf("%d imports were killed, and the token has %d keys: that shows nothing", killed, had)
	}
}

// someKeys writes keys into a directory.
func someKeys(t *testing.T, dir string, n int) {
	t.Helper()
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d.pem", i)), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
