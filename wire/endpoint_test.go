package wire_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/wire"
)

// startFrom has a library start a guard, with the command in the working directory, and gives the program that was started.
func startFrom(t *testing.T, library string) string {
	t.Helper()
	_, inHome := home(t)
	getenv := func(name string) string {
		if name == "NCRYPT11_TPM" {
			return "/dev/null"
		}
		return inHome(name)
	}
	cfg, err := config.Load(getenv)
	if err != nil {
		t.Fatal(err)
	}
	started := ""
	wire.InHost = &wire.Host{
		Library: func() string { return library },
		Spawn:   func(program string, _, _ []string) error { started = program; return nil },
	}
	defer func() { wire.InHost = nil }()
	_ = wire.Endpoint(cfg, getenv).Start() // it may well find no program
	return started
}

func command(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "ncrypt11")
	if err := os.WriteFile(path, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// A library that does not know where it is starts nothing that lies in the host's working directory.
func TestTheWorkingDirectoryNamesNoGuard(t *testing.T) {
	dir := t.TempDir()
	command(t, dir)
	t.Chdir(dir)
	for _, library := range []string{"", "libncrypt11.so", "./libncrypt11.so"} {
		if program := startFrom(t, library); program != "" && filepath.Dir(program) != "/usr/bin" && filepath.Dir(program) != "/usr/local/bin" {
			t.Errorf("a library at %q starts %s", library, program)
		}
	}
}

func TestTheGuardIsBesideTheLibrary(t *testing.T) {
	dir := t.TempDir()
	want := command(t, dir)
	if program := startFrom(t, filepath.Join(dir, "libncrypt11.so")); program != want {
		t.Errorf("started %q, want %q", program, want)
	}
}
