package shim_test

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	// Linked into a program, as this test is one, the shim must leave Go
	// alone; every test here would fail if it did not.
	_ "github.com/ncrypt11/ncrypt11/cabi/shim"
)

type builtFiles struct {
	directory string
	library   string
}

// build makes the test library, with the ways open that only tests take, and
// the host programs.
func build(t *testing.T) builtFiles {
	t.Helper()
	b := builtFiles{directory: t.TempDir()}
	b.library = buildLibrary(t, b.directory, "-DSHIM_TEST")
	sources, err := filepath.Glob("hosts/*.c")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no host programs: %v", err)
	}
	for _, source := range sources {
		program := filepath.Join(b.directory, strings.TrimSuffix(filepath.Base(source), ".c"))
		command(t, nil, "gcc", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-O1", "-g", "-pthread",
			"-o", program, source, "-ldl")
	}
	return b
}

func buildLibrary(t *testing.T, directory, define string) string {
	t.Helper()
	library := filepath.Join(directory, "testlib.so")
	command(t, []string{"CGO_ENABLED=1", "CGO_CFLAGS=-g -O2 -Werror " + define},
		"go", "build", "-buildmode=c-shared", "-o", library, "./testlib")
	return library
}

func command(t *testing.T, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, output)
	}
}

// The library as users get it: nothing of the shim can be seen or switched from
// outside, nothing runs after main, and it asks for nothing but the C library.
func TestLibraryAsBuilt(t *testing.T) {
	path := buildLibrary(t, t.TempDir(), "")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte("NCRYPT11_TEST_SHIM")) {
		t.Error("test switch present in an ordinary build")
	}
	file, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	symbols, err := file.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, symbol := range symbols {
		if strings.HasPrefix(symbol.Name, "shim_") && symbol.Section != elf.SHN_UNDEF {
			t.Errorf("%s is visible", symbol.Name)
		}
		if slices.Contains([]string{"atexit", "on_exit", "__cxa_atexit", "__cxa_thread_atexit_impl"}, symbol.Name) {
			t.Errorf("%s is used", symbol.Name)
		}
	}
	if size := file.Section(".fini_array").Size; size != 8 {
		t.Errorf(".fini_array has %d bytes, more than the C library's own entry", size)
	}
	libraries, err := file.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	for _, library := range libraries {
		if !strings.HasPrefix(library, "libc.so") && !strings.HasPrefix(library, "ld-linux") {
			t.Errorf("needs %s", library)
		}
	}
}
