package injection_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What docs/MINIDRIVER.md has for C programs compiles as it stands, and finds no card where there is none.
func TestDocumentedProgram(t *testing.T) {
	document, err := os.ReadFile("../../docs/MINIDRIVER.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```c\n(.*?)```").FindAllStringSubmatch(string(document), -1)
	if len(blocks) != 1 {
		t.Fatalf("%d programs", len(blocks))
	}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "ncrypt11"), 0o755); err != nil {
		t.Fatal(err)
	}
	headers, err := filepath.Glob("../../include/*.h")
	if err != nil || len(headers) == 0 {
		t.Fatalf("no headers: %v", err)
	}
	for _, header := range append(headers, "../../p11.h") {
		content, err := os.ReadFile(header)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "ncrypt11", filepath.Base(header)), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	includes, statements, _ := strings.Cut(blocks[0][1], "\n\n")
	source := includes + "\nint main(void)\n{\n" + statements + "\treturn status == (DWORD)SCARD_E_NO_SMARTCARD ? 0 : 1;\n}\n"
	program := filepath.Join(built, "documented")
	cmd := exec.Command("gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-I", dir, "-x", "c", "-", "-o", program, "-L", built, "-l:libncrypt11.so", "-Wl,-rpath,"+built)
	cmd.Stdin = strings.NewReader(source)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := newPlace(t, "none", "none").program("documented").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
