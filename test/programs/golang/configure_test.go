package golang_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"testing"

	"github.com/ThalesIgnite/crypto11"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// configured is what the lines that config prints for crypto11 do: a context, logged in, and the key.
func configured(t *testing.T, k *kit.Token, label string) (*crypto11.Context, crypto11.Signer) {
	t.Helper()
	sections := k.Config(t, "crypto11", label, "--pin-file", k.PINFile(t, k.Owner))
	if len(sections) != 1 {
		t.Fatalf("config prints %+v", sections)
	}
	said := literals(t, "package p\nfunc f() error {\n"+sections[0].Text+"return err\n}\n")
	pin, err := os.ReadFile(said["ReadFile"])
	if err != nil {
		t.Fatal(err)
	}
	c, err := crypto11.Configure(&crypto11.Config{Path: said["Path"], TokenSerial: said["TokenSerial"], Pin: string(pin)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	key, err := c.FindKeyPair(nil, []byte(said["byte"]))
	if err != nil || key == nil {
		t.Fatalf("key %v, %v", key, err)
	}
	return c, key
}

// literals gives the literals of a program by what they are for: a field's name, or that of a function that they are given to.
func literals(t *testing.T, source string) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "config", source, 0)
	if err != nil {
		t.Fatalf("config prints what is no Go: %v\n%s", err, source)
	}
	found := map[string]string{}
	note := func(name ast.Expr, value ast.Expr) {
		literal, ok := value.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return
		}
		text, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		switch name := name.(type) {
		case *ast.Ident:
			found[name.Name] = text
		case *ast.SelectorExpr:
			found[name.Sel.Name] = text
		case *ast.ArrayType: // []byte("label")
			found["byte"] = text
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			note(n.Key, n.Value)
		case *ast.CallExpr:
			if len(n.Args) == 1 {
				note(n.Fun, n.Args[0])
			}
		}
		return true
	})
	return found
}
