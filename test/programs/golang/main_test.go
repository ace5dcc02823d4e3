// Package golang_test has programs in Go use tokens: a program in Go with this module has two Go runtimes. The tests are such a program themselves,
// and those in hosts are others, with libraries that this module should not depend on.
package golang_test

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/machine"
	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

func TestMain(m *testing.M) {
	if machine.Outside() {
		if err := buildHosts(); err != nil {
			fmt.Fprintln(os.Stderr, "golang:", err)
			os.Exit(1)
		}
	}
	kit.Main(m, "bookworm")
}

// buildHosts builds the programs, which takes Go and the network, and neither is in the machine.
func buildHosts() error {
	dir, err := hosts()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-C", "hosts", "-tags", "pkcs11key", "-trimpath", "-buildvcs=false", "-o", dir+"/", "./...")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the programs in hosts: %w\n%s", err, out)
	}
	return nil
}

func hosts() (string, error) {
	repository, err := machine.Repository()
	return filepath.Join(repository, "build", "programs", "hosts"), err
}

// host is the path of a program, where everybody may run it.
func host(t *testing.T, name string) string {
	t.Helper()
	dir, err := hosts()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(kit.Dir(t, kit.User), name)
	kit.Run(t, "root", "install", "-m", "755", filepath.Join(dir, name), path)
	return path
}

// version is that of a library in a program.
func version(t *testing.T, program, library string) string {
	t.Helper()
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	for _, dep := range info.Deps {
		if dep.Path == library {
			return "=" + dep.Version
		}
	}
	t.Fatalf("%s was built without %s", program, library)
	return ""
}
