package ncryptmap_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// behaviours are the numbers of BEHAVIOURS.md, in order.
func behaviours() []string {
	letters := map[int]string{77: "abcdefghi", 81: "abcde", 87: "abcdefghij"}
	var all []string
	for n := 1; n <= 114; n++ {
		if n > 96 && n < 108 {
			continue // those of smart cards into which keys are injected: package minidriver
		}
		all = append(all, fmt.Sprintf("B%02d", n))
		for _, letter := range letters[n] {
			all = append(all, fmt.Sprintf("B%02d%c", n, letter))
		}
	}
	return all
}

// written are the tests that there are: Go's by their functions, the C driver's by its tables.
func written(t *testing.T) (tests []string) {
	t.Helper()
	for pattern, name := range map[string]*regexp.Regexp{
		"*_test.go": regexp.MustCompile(`(?m)^func (Test\w+)\(`), "blob/*_test.go": regexp.MustCompile(`(?m)^func (Test\w+)\(`),
		"../test/ncrypt/driver/*.c": regexp.MustCompile(`(?m)^\t\{"([\w-]+)",`),
	} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files, %v", pattern, err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range name.FindAllStringSubmatch(string(content), -1) {
				tests = append(tests, found[1])
			}
		}
	}
	return tests
}

// BEHAVIOURS.md has each behaviour once, names tests that there are, and all those that are named by a behaviour.
func TestBehavioursAreWhole(t *testing.T) {
	document, err := os.ReadFile("BEHAVIOURS.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := written(t)
	var numbers, named []string
	for _, line := range strings.Split(string(document), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || !strings.HasPrefix(cells[1], " B") {
			continue
		}
		number := strings.TrimSpace(cells[1])
		numbers = append(numbers, number)
		for _, test := range strings.Split(cells[3], ",") {
			test = strings.TrimSpace(test)
			named = append(named, test)
			if !slices.Contains(tests, test) {
				t.Errorf("%s: there is no test %q", number, test)
			}
		}
	}
	if want := behaviours(); !slices.Equal(numbers, want) {
		t.Errorf("the numbers are %v, want %v", numbers, want)
	}
	for _, test := range tests {
		if regexp.MustCompile(`^(Test)?B\d\d`).MatchString(test) && !slices.Contains(named, test) {
			t.Errorf("%s is not listed", test)
		}
	}
}
