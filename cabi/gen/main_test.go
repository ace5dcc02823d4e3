package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUpToDate holds the generated files of this repository against p11.h and the //export lines in cabi.
func TestUpToDate(t *testing.T) {
	if err := run("../..", "p11.h", true); err != nil {
		t.Error(err)
	}
}

func TestCheckNamesStaleFiles(t *testing.T) {
	root := newRoot(t)
	err := run(root, "p11.h", true)
	if err == nil || !strings.Contains(err.Error(), "cabi/stubs_gen.c") {
		t.Fatalf("nothing is generated yet: %v", err)
	}
	if err := run(root, "p11.h", false); err != nil {
		t.Fatal(err)
	}
	if err := run(root, "p11.h", true); err != nil {
		t.Fatalf("just generated: %v", err)
	}
	write(t, filepath.Join(root, "cabi", "session.go"), "package cabi\n\n//export goC_OpenSession\nfunc goC_OpenSession() {}\n")
	err = run(root, "p11.h", true)
	if err == nil || !strings.Contains(err.Error(), "[cabi/stubs_gen.c]") {
		t.Errorf("only the stubs depend on the Go bodies: %v", err)
	}
}

func TestBodies(t *testing.T) {
	tests := []struct{ name, export, message string }{
		{"no such function", "goC_Nonsense", "there is no C_Nonsense"},
		{"answered in C", "goC_CancelFunction", "C_CancelFunction is answered in C"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			root := newRoot(t)
			write(t, filepath.Join(root, "cabi", "x.go"), "package cabi\n\n//export "+test.export+"\n")
			err := run(root, "p11.h", false)
			if err == nil || !strings.Contains(err.Error(), test.message) {
				t.Errorf("got %v, want an error with %q", err, test.message)
			}
		})
	}
}

// newRoot is a repository with the real headers and nothing else.
func newRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	headers, err := filepath.Glob("../../include/*.h")
	if err != nil || len(headers) == 0 {
		t.Fatalf("no headers: %v", err)
	}
	for _, path := range append(headers, "../../p11.h") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(root, strings.TrimPrefix(path, "../../")), string(text))
	}
	for _, dir := range []string{"cabi", "module", "token/ck"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
