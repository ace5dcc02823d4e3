// Command suites runs the tests, suite by suite, and counts them:
//
//	go run ./tools/suites all
//	go run ./tools/suites clients shim
//
// It prints what failed and what was skipped, one line for each package, and at the end one line that counts, which it also leaves in
// build/summary.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A suite is some calls of go test. Tests of the built library run it in other programs, where the race detector sees nothing.
type suite struct {
	name string
	all  bool // part of "all"
	runs func() ([]run, error)
}

// run is one call of go test.
type run struct{ args, packages []string }

var suites = []suite{
	{"race", true, func() ([]run, error) { return packages(inside, "-race") }},
	{"unit", false, func() ([]run, error) { return packages(inside) }},
	{"abi", true, fixed("./test/abi", "./test/ncrypt", "./test/vectors", "./test/wrapping", "./test/floors")},
	{"asan", false, func() ([]run, error) {
		return []run{{[]string{"-count=1", "-run=Sanitized"}, []string{"./test/abi", "./test/ncrypt"}}}, nil
	}},
	{"clients", true, fixed("./test/demo")},
	{"programs", true, programs},
	{"shim", true, fixed("./test/shim")},
	{"guard", true, fixed("./test/guard", "./test/injection")},
	{"threats", true, fixed("./test/attack", "./test/swtpm", "./test/threats")},
	{"fuzz", true, fuzzTargets},
}

func main() {
	var total counts
	for _, name := range os.Args[1:] {
		if !known(name) {
			fmt.Fprintf(os.Stderr, "suites: there is no suite %q\n", name)
			os.Exit(2)
		}
	}
	for _, s := range suites {
		if !slices.Contains(os.Args[1:], s.name) && !(s.all && slices.Contains(os.Args[1:], "all")) {
			continue
		}
		fmt.Printf("== %s\n", s.name)
		runs, err := s.runs()
		if err != nil {
			fmt.Fprintln(os.Stderr, "suites:", err)
			total.failed++
		}
		for _, r := range runs {
			total.add(tried(r))
		}
	}
	fmt.Println(total)
	if err := leave(total); err != nil {
		fmt.Fprintln(os.Stderr, "suites:", err)
		os.Exit(1)
	}
	if total.failed > 0 || total.passed == 0 {
		os.Exit(1)
	}
}

// tried is one call of go test, and another one where a fuzz target ended late: on a busy machine the fuzzer sometimes takes its own end for a failure
// ("context deadline exceeded"), and has no input to show for it.
func tried(r run) counts {
	c := goTest(r)
	if c.failed == 1 && c.late == 1 {
		fmt.Println("suites: the fuzzer did not end in time; once more")
		return goTest(r)
	}
	return c
}

func known(name string) bool {
	return name == "all" || slices.ContainsFunc(suites, func(s suite) bool { return s.name == name })
}

func leave(total counts) error {
	if err := os.MkdirAll("build", 0o755); err != nil {
		return err
	}
	return os.WriteFile("build/summary", []byte(total.String()+"\n"), 0o644)
}

// fixed is for packages that test what was built: Go does not know that their result depends on it, so it is never taken from a cache.
func fixed(packages ...string) func() ([]run, error) {
	return func() ([]run, error) { return []run{{[]string{"-count=1"}, packages}}, nil }
}

// programs are one after the other: each is several programs, and there are daemons among them.
func programs() ([]run, error) {
	return []run{{[]string{"-count=1", "-p=1"}, []string{"./test/machine", "./test/programs/..."}}}, nil
}

// inside says whether a package has its tests beside its code.
func inside(pkg string) bool { return !strings.Contains(pkg, "/test/") }

func packages(want func(string) bool, args ...string) ([]run, error) {
	list, err := output("go", "list", "./...")
	if err != nil {
		return nil, err
	}
	selected := slices.DeleteFunc(strings.Fields(list), func(pkg string) bool { return !want(pkg) })
	return []run{{args, selected}}, nil
}

// fuzzTargets finds every fuzz target and tries each for some seconds.
func fuzzTargets() ([]run, error) {
	var runs []run
	err := filepath.WalkDir(".", func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, target := range fuzzNames(string(source)) {
			runs = append(runs, run{[]string{"-run=^$", "-fuzz=^" + target + "$", "-fuzztime=5s"}, []string{"./" + filepath.Dir(path)}})
		}
		return err
	})
	return runs, err
}

func fuzzNames(source string) (names []string) {
	for line := range strings.Lines(source) {
		if rest, ok := strings.CutPrefix(line, "func Fuzz"); ok {
			name, _, _ := strings.Cut(rest, "(")
			names = append(names, "Fuzz"+name)
		}
	}
	return names
}
