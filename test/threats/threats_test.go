// Package threats_test keeps THREATS.md and the tests in step: nothing is called stopped there that no test shows. It also has the tests of claims that
// belong to no package.
package threats_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

// fewest is how many rows the document has at least: a table that is not recognized would have none.
const fewest = 25

func TestDocument(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "THREATS.md"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range d.check(exists) {
		t.Error(err)
	}
	if len(d.threats) < fewest {
		t.Errorf("%d rows, want %d at least", len(d.threats), fewest)
	}
}

// exists looks for a test in its file. "TestX/name" is a subtest, whose name stands there as a string.
func exists(e evidence) error {
	if !strings.HasSuffix(e.path, "_test.go") {
		return fmt.Errorf("%s is no file of tests", e.path)
	}
	source, err := os.ReadFile(filepath.Join(root, e.path))
	if err != nil {
		return err
	}
	name, sub, _ := strings.Cut(e.test, "/")
	argument, ok := map[bool]string{true: "(t *testing.T)", false: "(f *testing.F)"}[strings.HasPrefix(name, "Test")]
	if !ok || !strings.Contains(string(source), "\nfunc "+name+argument) {
		return fmt.Errorf("%s has no %s", e.path, name)
	}
	if sub != "" && !strings.Contains(string(source), `"`+sub+`"`) {
		return fmt.Errorf("%s has no %q in it", e.path, sub)
	}
	return nil
}

const sound = `
| who, or what | software | process | service | vm |
|---|---|---|---|---|
| **heading** | | | | |
| a thief (1) | not | stopped [shown] | partly [shown] | – |

| test | what it does |
|---|---|
| [shown] | shows it |

1. Not a burglar.

[shown]: x_test.go "TestShown"
`

// TestRules changes a sound document in one place each, and expects to be told.
func TestRules(t *testing.T) {
	for name, test := range map[string]struct{ old, new, want string }{
		"sound":              {"", "", ""},
		"no test":            {"stopped [shown]", "stopped", "no test shows it"},
		"partly, no test":    {"partly [shown]", "partly", "no test shows it"},
		"unknown verdict":    {"| not |", "| hardly |", "no verdict"},
		"words in a cell":    {"| not |", "| not really |", "no verdict with names"},
		"unknown in a note":  {"\n[shown]: ", "\nSee [hidden].\n[shown]: ", "in the text: there is no test [hidden]"},
		"unknown name":       {"stopped [shown]", "stopped [hidden]", "there is no test [hidden]"},
		"a cell too few":     {" – |", "", "4 cells"},
		"no note":            {"1. ", "", "notes [1]"},
		"not described":      {"| [shown] | shows it |", "", "does not say what"},
		"not used":           {"x_test.go \"TestShown\"", "x_test.go \"TestShown\"\n[idle]: x_test.go \"TestShown\"", "shows nothing"},
		"defined twice":      {"x_test.go \"TestShown\"", "x_test.go \"TestShown\"\n[shown]: x_test.go \"TestShown\"", "twice"},
		"no such test":       {"\"TestShown\"", "\"TestGone\"", "no such test"},
		"no name of a test":  {" \"TestShown\"", "", "is not [name]"},
		"a table of another": {"who, or what", "who", "rows"},
	} {
		text := strings.Replace(sound, test.old, test.new, 1)
		d, err := parse(text)
		wrong := []error{err}
		if err == nil {
			wrong = d.check(func(e evidence) error {
				if e != (evidence{"x_test.go", "TestShown"}) {
					return errors.New("no such test")
				}
				return nil
			})
			if len(d.threats) != 1 {
				wrong = append(wrong, fmt.Errorf("%d rows", len(d.threats)))
			}
		}
		all := errors.Join(wrong...)
		if (all == nil) != (test.want == "") || all != nil && !strings.Contains(all.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, all, test.want)
		}
	}
}

func TestExists(t *testing.T) {
	const self = "test/threats/threats_test.go"
	for test, want := range map[evidence]bool{
		{self, "TestExists"}:                      true,
		{self, "TestRules/not described"}:         true,
		{self, "TestExists" + "/not in here"}:     false,
		{self, "TestOf" + "Nothing"}:              false,
		{self, "exists"}:                          false,
		{"test/threats/gone_test.go", "TestX"}:    false,
		{"THREATS.md", "TestExists"}:              false,
		{"token/seal/tpmseal/gone.go", "TestBus"}: false,
	} {
		if err := exists(test); (err == nil) != want {
			t.Errorf("%v: %v", test, err)
		}
	}
}
