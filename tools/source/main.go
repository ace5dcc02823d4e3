// Command source checks what no linter does: the size of files and functions, and words that say that something is not done or that name
// the machine it was written on.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Limits of a file and of a function, in lines, for sources that people write.
const (
	maxFile     = 400
	maxFunction = 60
)

// larger are files that may be longer, and why.
var larger = map[string]string{
	"p11.h": "the whole of PKCS #11 v3.2 in one header",
}

// forbidden is written so that it does not find itself.
var forbidden = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X|HA` + `CK)\b|/ro` + `ot/`)

var checked = map[string]bool{".go": true, ".c": true, ".h": true, ".sh": true, ".py": true, ".md": true, ".map": true, "": true}

func main() {
	problems := 0
	report := func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, format+"\n", args...)
		problems++
	}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name := entry.Name(); name == "build" || name == ".git" || name == "testdata" {
				return fs.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() || !checked[filepath.Ext(path)] {
			return nil
		}
		return check(path, report)
	})
	if err != nil {
		report("%v", err)
	}
	if problems > 0 {
		os.Exit(1)
	}
}

func check(path string, report func(string, ...any)) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		if word := forbidden.FindString(line); word != "" {
			report("%s:%d: %q", path, i+1, word)
		}
	}
	if generated(path) {
		return nil
	}
	if len(lines) > maxFile+1 && larger[path] == "" && filepath.Ext(path) != ".md" {
		report("%s: %d lines, more than %d", path, len(lines)-1, maxFile)
	}
	if filepath.Ext(path) == ".go" && !strings.HasSuffix(path, "_test.go") { // a test may hold a long table
		return checkFunctions(path, text, report)
	}
	return nil
}

func generated(path string) bool {
	return strings.Contains(filepath.Base(path), "_gen.") || filepath.Ext(path) == ".map"
}

func checkFunctions(path string, text []byte, report func(string, ...any)) error {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, text, 0)
	if err != nil {
		return err
	}
	for _, declaration := range file.Decls {
		f, ok := declaration.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if n := files.Position(f.End()).Line - files.Position(f.Pos()).Line + 1; n > maxFunction {
			report("%s: %s has %d lines, more than %d", files.Position(f.Pos()), f.Name.Name, n, maxFunction)
		}
	}
	return nil
}
