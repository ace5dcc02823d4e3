package failure_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Errors of the module are shown to people and kept in a file, so what goes into them must be no secret: text, names and numbers, and other errors. Bytes are none
// of it, and nothing that has bytes in it.

// bytesAllowed are places that put bytes into an error, and why they may.
var bytesAllowed = map[string]string{
	"token/pubkey/curve.go": "the object identifier of a curve that is not known",
	"token/pubkey/spki.go":  "a key's type",
	"token/names.go":        "a key's name",
}

const module = "github.com/ncrypt11/ncrypt11/"

// makers are the functions that make errors of a format and values.
var makers = map[string]bool{
	"fmt.Errorf": true, module + "token/ck.Errorf": true, module + "token/guard/local.damaged": true, module + "token/guard/remote.unavailable": true,
}

// source is a package as go list tells of it.
type source struct {
	ImportPath, Dir, Export string
	CompiledGoFiles         []string
	DepOnly                 bool
	ImportMap               map[string]string
}

func TestReasonsHaveNoBytes(t *testing.T) {
	list := sources(t, "../../token/...", "../../wire", "../../cabi")
	exports := map[string]string{}
	for _, s := range list {
		exports[s.ImportPath] = s.Export
	}
	checked := 0
	for _, s := range list {
		if !s.DepOnly {
			checked += check(t, s, exports)
		}
	}
	if checked < 300 {
		t.Errorf("only %d errors were found", checked)
	}
}

func sources(t *testing.T, patterns ...string) []source {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list", "-export", "-compiled", "-deps", "-json=ImportPath,Dir,Export,CompiledGoFiles,DepOnly,ImportMap"}, patterns...)...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Logf("%s", exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	var list []source
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var s source
		if err := decoder.Decode(&s); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
}

// check looks at a package's errors, and gives their number.
func check(t *testing.T, s source, exports map[string]string) (checked int) {
	t.Helper()
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range s.CompiledGoFiles {
		if !filepath.IsAbs(name) {
			name = filepath.Join(s.Dir, name)
		}
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	lookup := func(path string) (io.ReadCloser, error) {
		if mapped := s.ImportMap[path]; mapped != "" {
			path = mapped
		}
		return os.Open(exports[path])
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{}}
	config := types.Config{Importer: importer.ForCompiler(fset, "gc", lookup), FakeImportC: true, Error: func(error) {}}
	_, _ = config.Check(s.ImportPath, fset, files, info) // what cgo makes has errors; calls of ours are found all the same
	for _, file := range files {
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			inMaker := ok && makers[fullName(info.Defs[f.Name])]
			ast.Inspect(decl, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || !makers[calls(call, info)] {
					return true
				}
				checked++
				if call.Ellipsis.IsValid() && inMaker {
					return true // its own callers are looked at
				}
				checkValues(t, s, fset, call, info)
				return true
			})
		}
	}
	return checked
}

// checkValues looks at what is put into one error.
func checkValues(t *testing.T, s source, fset *token.FileSet, call *ast.CallExpr, info *types.Info) {
	t.Helper()
	signature := info.Types[call.Fun].Type.(*types.Signature)
	for _, arg := range call.Args[min(len(call.Args), signature.Params().Len()-1):] {
		where := fset.Position(arg.Pos())
		name := strings.TrimPrefix(s.ImportPath, module) + "/" + filepath.Base(where.Filename)
		if typ := info.Types[arg].Type; (typ == nil || hasBytes(typ)) && bytesAllowed[name] == "" {
			t.Errorf("%s:%d: %v in an error", name, where.Line, typ)
		}
	}
}

// calls names the function that is called, if it is one of a package.
func calls(call *ast.CallExpr, info *types.Info) string {
	var name *ast.Ident
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		name = f.Sel
	case *ast.Ident:
		name = f
	default:
		return ""
	}
	return fullName(info.Uses[name])
}

func fullName(object types.Object) string {
	if f, ok := object.(*types.Func); ok {
		return f.FullName()
	}
	return ""
}

// hasBytes says whether a value of that type may print as more than a name or a number. Errors print what errors were made of.
func hasBytes(typ types.Type) bool {
	if isError(typ) {
		return false
	}
	if named, ok := types.Unalias(typ).(*types.Named); ok && has(named, "String") {
		return false
	}
	switch u := typ.Underlying().(type) {
	case *types.Basic:
		return false
	case *types.Interface:
		return u.NumMethods() == 0 // anything
	}
	return true
}

func isError(typ types.Type) bool {
	return types.Implements(typ, types.Universe.Lookup("error").Type().Underlying().(*types.Interface))
}

func has(named *types.Named, method string) bool {
	found, _, _ := types.LookupFieldOrMethod(named, true, nil, method)
	_, ok := found.(*types.Func)
	return ok
}
