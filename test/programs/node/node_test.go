// Package node_test has programs in JavaScript use keys in tokens, by pkcs11js and graphene-pk11. Both come from npm's registry, with the versions and
// sums of package-lock.json; pkcs11js is compiled in the machine.
package node_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/machine"
	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// The versions in package-lock.json, for the table.
const (
	pkcs11jsVersion = "=2.1.7"
	grapheneVersion = "=2.3.6"
)

func TestMain(m *testing.M) {
	if machine.Outside() {
		if err := fetch(); err != nil {
			fmt.Fprintln(os.Stderr, "npm ci:", err)
			os.Exit(1)
		}
	}
	kit.Main(m, "bookworm")
}

// sources is where the packages are put, before the machine is there: that has no network.
func sources() (string, error) {
	repository, err := machine.Repository()
	return filepath.Join(repository, "build", "programs", "node"), err
}

// fetch gets the packages as they are in package-lock.json. It runs nothing of theirs. Without npm there are none, and the tests are skipped.
func fetch() error {
	dir, err := sources()
	if err != nil {
		return err
	}
	lock, err := os.ReadFile("package-lock.json")
	if err != nil {
		return err
	}
	got, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if _, errModules := os.Stat(filepath.Join(dir, "node_modules", ".package-lock.json")); err == nil && errModules == nil && bytes.Equal(got, lock) {
		return nil
	}
	if _, err := exec.LookPath("npm"); err != nil {
		return nil
	}
	description, err := os.ReadFile("package.json")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range map[string][]byte{"package.json": description, "package-lock.json": lock} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return err
		}
	}
	cmd := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// compiled is where the packages are in the machine, compiled, beside the programs of testdata.
const compiled = "/usr/local/lib/programs"

var compile = sync.OnceValue(func() error {
	from, err := sources()
	if err != nil {
		return err
	}
	scripts, err := filepath.Abs("testdata")
	if err != nil {
		return err
	}
	cmd := exec.Command("sh", "-euc", `mkdir -p "$0"; cp -r "$1/node_modules" "$2" "$0"; cd "$0/node_modules/pkcs11js"; node-gyp rebuild`, compiled, from, scripts)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
})

// programs is the directory of the programs.
func programs(t *testing.T) string {
	t.Helper()
	machine.Need(t)
	from, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(from, "node_modules")); errors.Is(err, os.ErrNotExist) {
		t.Skip("the packages were not fetched: outside of the machine there is no npm")
	}
	if err := compile(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(compiled, "testdata")
}

func TestPackages(t *testing.T) {
	dir := programs(t)
	for _, p := range []struct{ program, script, version, did string }{
		{"pkcs11js", "pkcs11js.js", pkcs11jsVersion, "lists, generates, signs, decrypts, encrypts with AES, wraps, digests; sixteen sessions at once"},
		{"graphene-pk11", "graphene.js", grapheneVersion, "lists, generates, signs, encrypts with AES, wraps, digests"},
	} {
		t.Run(p.program, func(t *testing.T) {
			kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
				kit.Row(t, k, p.program, p.version, p.did)
				k.Generate(t, "p256", kit.SignerLabel)
				kit.Contains(t, kit.Run(t, k.Owner, "node", filepath.Join(dir, p.script), kit.Module, k.Label, k.PIN), "all is well")
			})
		})
	}
}

// Programs end as they should, and none crashes or hangs.
func TestEnds(t *testing.T) {
	dir := programs(t)
	times := kit.Count(5, 200)
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		k.Generate(t, "p256", kit.SignerLabel)
		for _, end := range []struct {
			how    string
			code   int
			signal syscall.Signal
		}{{"finalize", 0, 0}, {"return", 0, 0}, {"exit", 9, 0}, {"signing", 9, 0}, {"exception", 1, 0}, {"abort", -1, syscall.SIGABRT}} {
			t.Run(end.how, func(t *testing.T) {
				t.Parallel()
				kit.Row(t, k, "pkcs11js", pkcs11jsVersion, fmt.Sprintf("started and ended %d times, by %s", times, end.how))
				for range times {
					cmd := kit.Command(t, k.Owner, "node", filepath.Join(dir, "ends.js"), kit.Module, k.Label, k.PIN, end.how)
					out, _ := kit.Output(cmd)
					status := cmd.ProcessState.Sys().(syscall.WaitStatus)
					if cmd.ProcessState.ExitCode() != end.code || end.signal != 0 && status.Signal() != end.signal {
						t.Fatalf("it ended by %v\n%s", cmd.ProcessState, out)
					}
					kit.Contains(t, out, "signed")
				}
			})
		}
	})
}
