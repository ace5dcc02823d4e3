package meaning_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/cmd/ncrypt11/meaning"
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

const top = "../../../"

// constants are the CK_RVs of the specification and of this module: of the generated file, all.
func constants(t *testing.T) map[string]bool {
	t.Helper()
	source, err := os.ReadFile(top + "token/ck/constants_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\t(CKR_[A-Z0-9_]+) +RV = `).FindAllStringSubmatch(string(source), -1) {
		names[m[1]] = true
	}
	if len(names) < 100 {
		t.Fatalf("only %d constants were found", len(names))
	}
	return names
}

// Each CK_RV has one row, and a row has all that a person needs.
func TestEveryRV(t *testing.T) {
	rows := map[string]int{}
	for _, name := range meaning.Names() {
		rows[name]++
	}
	for name := range constants(t) {
		c, ok := meaning.Find(name)
		if rows[name] != 1 || !ok || c.Name != name || c.Meaning == "" {
			t.Errorf("%s: %d rows, %+v", name, rows[name], c)
		}
	}
	for name, n := range rows {
		if n != 1 {
			t.Errorf("%s has %d rows", name, n)
		}
	}
}

// wordless are codes about which nothing is to be done.
var wordless = map[string]bool{
	"CKR_OK": true, "CKR_NO_EVENT": true, "CKR_FUNCTION_NOT_PARALLEL": true, "CKR_CRYPTOKI_ALREADY_INITIALIZED": true, "CKR_USER_ALREADY_LOGGED_IN": true,
	"ERROR_SUCCESS": true, "NTE_NO_MORE_ITEMS": true,
}

// named finds the codes that sources name, tests and lists of all codes apart.
func named(t *testing.T, pattern string, dirs ...string) map[string]string {
	t.Helper()
	word := regexp.MustCompile(`\b` + pattern + `[A-Z0-9_]*[A-Z0-9]\b`)
	found := map[string]string{}
	for _, dir := range dirs {
		err := filepath.WalkDir(top+dir, func(path string, d fs.DirEntry, err error) error {
			switch base := filepath.Base(path); {
			case err != nil:
				return err
			case d.IsDir() && (base == "testdata" || base == "failure" || base == "nte" || base == "gen"):
				return fs.SkipDir
			case d.IsDir() || strings.HasSuffix(base, "_test.go") || strings.Contains(base, "_gen.") || filepath.Ext(base) != ".go" && filepath.Ext(base) != ".c":
				return nil
			}
			source, err := os.ReadFile(path)
			for _, name := range word.FindAllString(string(source), -1) {
				found[name] = path
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// Of what the module can return, each says what to do; and nobody is sent to another module for it.
func TestWhatIsReturnedHasRemedies(t *testing.T) {
	all := constants(t)
	returned := named(t, "CKR_", "cabi", "token", "wire")
	if len(returned) < 50 {
		t.Fatalf("only %d codes were found", len(returned))
	}
	for name, path := range returned {
		c, _ := meaning.Find(name)
		if all[name] && (c.Todo == "") != wordless[name] {
			t.Errorf("%s, of %s: what to do is %q", name, path, c.Todo)
		}
		if all[name] && strings.Contains(c.Todo, "does not return it") {
			t.Errorf("%s is said not to be returned, but %s names it", name, path)
		}
	}
	for name := range all {
		if c, _ := meaning.Find(name); returned[name] == "" && c.Todo == "" && !wordless[name] {
			t.Errorf("%s: what to do is %q", name, c.Todo)
		}
	}
}

// So it is with statuses, those included that a CK_RV becomes.
func TestStatusesHaveRemedies(t *testing.T) {
	returned := named(t, "(?:NTE|SCARD|RPC_X)_", "ncryptmap")
	for name := range constants(t) {
		c, _ := meaning.Find(name)
		if s := nte.FromRV(ck.RV(c.Number)); s != nte.ERROR_SUCCESS {
			returned[s.String()] = name
		}
	}
	if len(returned) < 20 {
		t.Fatalf("only %d statuses were found", len(returned))
	}
	for name, where := range returned {
		if c, ok := meaning.Find(name); !ok || (c.Todo == "") != wordless[name] {
			t.Errorf("%s, of %s: %+v", name, where, c)
		}
	}
}

// A number says which code it is of: PKCS #11 and NCrypt share none but that of success.
func TestNumbersAreApart(t *testing.T) {
	seen := map[uint64]string{}
	for _, name := range meaning.Names() {
		c, ok := meaning.Find(name)
		if !ok {
			t.Fatalf("%s is not found", name)
		}
		if other := seen[c.Number]; other != "" && c.Number != 0 {
			t.Errorf("%s and %s are both %#x", name, other, c.Number)
		}
		seen[c.Number] = name
	}
}

func TestFind(t *testing.T) {
	for text, want := range map[string]string{
		"CKR_PIN_LOCKED": "CKR_PIN_LOCKED", "ckr_pin_locked": "CKR_PIN_LOCKED", "pin_locked": "CKR_PIN_LOCKED", "0xA4": "CKR_PIN_LOCKED", "0xa4": "CKR_PIN_LOCKED",
		"0x000000A4": "CKR_PIN_LOCKED", "164": "CKR_PIN_LOCKED", "CKR_0x000000A4": "CKR_PIN_LOCKED", "0": "CKR_OK",
		"NTE_EXISTS": "NTE_EXISTS", "exists": "NTE_EXISTS", "0x8009000F": "NTE_EXISTS", "8009000f": "NTE_EXISTS", "-2146893809": "NTE_EXISTS", "2148073487": "NTE_EXISTS",
		"SCARD_W_WRONG_CHV": "SCARD_W_WRONG_CHV", "wrong_chv": "SCARD_W_WRONG_CHV", "0x8010006B": "SCARD_W_WRONG_CHV", "1306": "ERROR_REVISION_MISMATCH",
		"0x80434e02": "CKR_NCRYPT_EXISTS", "bad_flags": "NTE_BAD_FLAGS",
	} {
		if c, ok := meaning.Find(text); !ok || c.Name != want {
			t.Errorf("%s: %+v, want %s", text, c, want)
		}
	}
	for _, text := range []string{"", "CKR_", "0x", "0xZZ", "99999", "-5", "0x18009000F", "99999999999999999999", "NTE_", "a b"} {
		if c, ok := meaning.Find(text); ok {
			t.Errorf("%q: %+v", text, c)
		}
	}
	if c, _ := meaning.Find("CKR_PIN_INCORRECT"); c.Other != "NTE_INCORRECT_PASSWORD" || fmt.Sprint(c) != "CKR_PIN_INCORRECT (0xA0)" {
		t.Errorf("%v: %+v", c, c.Other)
	}
	if c, _ := meaning.Find("NTE_EXISTS"); c.Other != "CKR_TEMPLATE_INCONSISTENT" {
		t.Errorf("%+v", c)
	}
}
