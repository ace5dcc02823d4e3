package minidriver_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// BEHAVIOURS.md has each behaviour once, names tests that there are, and all those that are named by a behaviour.
func TestBehavioursAreWhole(t *testing.T) {
	document, err := os.ReadFile("BEHAVIOURS.md")
	must(t, err)
	var tests, numbers, listed, want []string
	for _, pattern := range []string{"*_test.go", "../token/guard/local/ski*_test.go", "../test/injection/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files, %v", pattern, err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			must(t, err)
			for _, found := range regexp.MustCompile(`(?m)^func (TestB\d+\w+)\(`).FindAllStringSubmatch(string(content), -1) {
				tests = append(tests, found[1])
			}
		}
	}
	for _, line := range strings.Split(string(document), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || !strings.HasPrefix(cells[1], " B") {
			continue
		}
		number := strings.TrimSpace(cells[1])
		numbers = append(numbers, number)
		for _, test := range strings.Split(cells[3], ",") {
			test = strings.TrimSpace(test)
			if listed = append(listed, test); !slices.Contains(tests, test) || !strings.HasPrefix(test, "Test"+number) {
				t.Errorf("%s: there is no test %q of it", number, test)
			}
		}
	}
	for n := 97; n <= 107; n++ {
		want = append(want, fmt.Sprintf("B%d", n))
	}
	if !slices.Equal(numbers, want) {
		t.Errorf("the numbers are %v, want %v", numbers, want)
	}
	for _, test := range tests {
		if !slices.Contains(listed, test) {
			t.Errorf("%s is not listed", test)
		}
	}
}
