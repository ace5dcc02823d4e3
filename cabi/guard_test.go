package cabi_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/cabi"
)

// What the host sees of a start, and the program of the host, is tested in test/shim. Here: what crosses from Go to C.
func TestSpawn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report")
	script := `printf '%s|' "$0" "$@" "$EMPTY" "$FULL" > "$FILE.unfinished" && mv "$FILE.unfinished" "$FILE"`
	args := []string{"sh", "-c", script, "name", "", "two words", "ümläut"}
	env := []string{"PATH=" + os.Getenv("PATH"), "FILE=" + file, "EMPTY=", "FULL=" + strings.Repeat("x", 100_000)}
	if err := cabi.Spawn("/bin/sh", args, env); err != nil {
		t.Fatal(err)
	}
	want := "name||two words|ümläut||" + strings.Repeat("x", 100_000) + "|"
	if got := waitFor(t, file); got != want {
		t.Errorf("the program was given %.200q", got)
	}
	if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != syscall.ECHILD {
		t.Errorf("wait found %d, %v", pid, err)
	}
}

func waitFor(t *testing.T, file string) string {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		data, err := os.ReadFile(file)
		if err == nil {
			return string(data)
		}
		if !errors.Is(err, os.ErrNotExist) || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func TestSpawnRefused(t *testing.T) {
	for _, test := range []struct {
		name, program string
		args, env     []string
		want          error
	}{
		{"no program", "/nowhere/ncrypt11", []string{"ncrypt11"}, nil, syscall.ENOENT},
		{"a directory", "/", []string{"ncrypt11"}, nil, syscall.EACCES},
		{"no path", "sh", []string{"sh"}, nil, syscall.EINVAL},
		{"empty path", "", nil, nil, syscall.EINVAL},
		{"no arguments at all", "/nowhere", nil, nil, syscall.ENOENT},
		{"NUL in path", "/bin/sh\x00", []string{"sh"}, nil, syscall.EINVAL},
		{"NUL in argument", "/bin/sh", []string{"sh", "-c\x00"}, nil, syscall.EINVAL},
		{"NUL in environment", "/bin/sh", []string{"sh"}, []string{"A=\x00"}, syscall.EINVAL},
		{"too long", "/bin/true", []string{strings.Repeat("x", 1<<20)}, nil, syscall.E2BIG},
	} {
		if err := cabi.Spawn(test.program, test.args, test.env); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
}

func TestKeptDescriptors(t *testing.T) {
	if cabi.KeepFD(-1) {
		t.Error("a descriptor that is not open is kept")
	}
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fd := int(file.Fd())
	for range 3000 { // more than there is room for
		if !cabi.KeepFD(fd) {
			t.Fatal("not kept")
		}
		cabi.DropFD(fd)
	}
	cabi.DropFD(fd) // twice does no harm
}

func TestNoLibraryInAProgram(t *testing.T) {
	if path := cabi.LibraryPath(); path != "" {
		t.Errorf("this program is the library %s", path)
	}
}
