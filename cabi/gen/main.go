// Command gen writes what follows from p11.h, include/ncrypt.h and include/cardmod.h, and would otherwise be typed twice: the Go constants and their names, the C_*
// and NCrypt stubs, the function lists and the export map. It runs from anywhere in the repository:
//
//	go run ./cabi/gen           writes the files
//	go run ./cabi/gen -check    names the files that are out of date, and fails if there are any
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// outputs are the generated files, by their path below the root.
var outputs = []struct {
	path     string
	generate func(*source) ([]byte, error)
}{
	{"token/ck/constants_gen.go", func(s *source) ([]byte, error) { return goConstants(s.header) }},
	{"token/ck/names_gen.go", func(s *source) ([]byte, error) { return goNames(s.header) }},
	{"cabi/functions_gen.h", func(s *source) ([]byte, error) { return cFunctions(s.header), nil }},
	{"cabi/lists_gen.c", func(s *source) ([]byte, error) { return cLists(s.header) }},
	{"cabi/stubs_gen.c", func(s *source) ([]byte, error) { return cStubs(s.header, s.bodies) }},
	{"cabi/ncrypt_stubs_gen.c", func(s *source) ([]byte, error) { return ncryptInterface.stubs(s.ncrypt), nil }},
	{"cabi/card_stubs_gen.c", func(s *source) ([]byte, error) { return append(cardInterface.stubs(s.card), fill(s.card)...), nil }},
	{"module/exports.map", func(s *source) ([]byte, error) { return exportMap(s.header, s.ncrypt), nil }},
}

// source is all that the generated files depend on.
type source struct {
	header *header
	bodies map[string]bool // the functions that have a Go body in cabi
	ncrypt []vendorFunction
	card   []vendorFunction
}

func main() {
	root := flag.String("root", "", "the root of the repository; where not given, the directory above that holds go.mod")
	headerPath := flag.String("header", "p11.h", "the header, below the root")
	check := flag.Bool("check", false, "write nothing; fail if a generated file is out of date")
	flag.Parse()
	if *root == "" {
		*root = findRoot()
	}
	if err := run(*root, *headerPath, *check); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// findRoot goes up to the directory of go.mod, because go generate runs in the package's directory. Where there is none, opening
// the header fails with a clear message.
func findRoot() string {
	root := "."
	for range 8 {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			return root
		}
		root = filepath.Join(root, "..")
	}
	return "."
}

func run(root, headerPath string, check bool) error {
	s, err := readSource(root, headerPath)
	if err != nil {
		return err
	}
	var stale []string
	for _, o := range outputs {
		want, err := o.generate(s)
		if err != nil {
			return fmt.Errorf("%s: %w", o.path, err)
		}
		path := filepath.Join(root, o.path)
		if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, want) {
			continue // an unchanged file keeps its time, so that nothing is built anew
		}
		if check {
			stale = append(stale, o.path)
		} else if err := os.WriteFile(path, want, 0o644); err != nil {
			return err
		}
	}
	if len(stale) > 0 {
		return fmt.Errorf("out of date, run go run ./cabi/gen: %v", stale)
	}
	return nil
}

func readSource(root, headerPath string) (*source, error) {
	file, err := os.Open(filepath.Join(root, headerPath))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	h, err := parseHeader(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", headerPath, err)
	}
	bodies, err := findBodies(filepath.Join(root, "cabi"), h)
	if err != nil {
		return nil, err
	}
	ncrypt, err := ncryptInterface.read(root)
	if err != nil {
		return nil, err
	}
	card, err := cardInterface.read(root)
	if err != nil {
		return nil, err
	}
	return &source{h, bodies, ncrypt, card}, nil
}
