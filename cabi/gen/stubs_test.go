package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

// TestGeneratedC builds the generated C into a library, with everything hand-written replaced by testdata/library.c, and runs
// testdata/program.c against it.
func TestGeneratedC(t *testing.T) {
	root := newRoot(t)
	cabi := filepath.Join(root, "cabi")
	write(t, filepath.Join(cabi, "signing.go"), "package cabi\n\n//export goC_Sign\n")
	if err := run(root, "p11.h", false); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		"testdata/front.h":   "front.h",
		"testdata/library.c": "library.c",
		"testdata/program.c": "program.c",
		"../shim/shim.h":     "shim/shim.h",
		"../digest.h":        "digest.h",
		"../enter.h":         "enter.h",
		"testdata/ncrypt.c":  "ncrypt.c",
		"../ncrypt_enter.h":  "ncrypt_enter.h",
		"../card_enter.h":    "card_enter.h",
	} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(cabi, to), string(text))
	}
	strict := []string{"-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1"}
	command(t, cabi, "gcc", append(strict, "-shared", "-fPIC", "-Wl,--version-script=../module/exports.map",
		"-o", "library.so", "lists_gen.c", "stubs_gen.c", "ncrypt_stubs_gen.c", "card_stubs_gen.c", "library.c", "ncrypt.c")...)
	command(t, cabi, "gcc", append(strict, "-rdynamic", "-o", "program", "program.c", "-ldl")...)

	command(t, cabi, "./program", "./library.so")
	checkExports(t, command(t, cabi, "nm", "--dynamic", "--defined-only", "--format=just-symbols", "library.so"))
}

// checkExports wants the names of the functions in p11.h and include/ncrypt.h, and no other.
func checkExports(t *testing.T, symbols string) {
	s, err := readSource("../..", "p11.h")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, f := range s.header.functions {
		want = append(want, f.name)
	}
	for _, f := range s.ncrypt {
		want = append(want, f.name)
	}
	have := strings.Fields(symbols)
	sort.Strings(want)
	sort.Strings(have)
	if strings.Join(have, " ") != strings.Join(want, " ") {
		t.Errorf("exported: %v\nwant: %v", have, want)
	}
	if len(want) != 104+25 {
		t.Errorf("%d functions, want 129", len(want))
	}
}

func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return string(out)
}
