// Command compatibility makes the table of programs that the module was run with, from what their tests recorded:
//
//	go run ./tools/compatibility          writes docs/COMPATIBILITY.md
//	go run ./tools/compatibility -check   fails where that file promises what the tests did not do just now
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

const (
	recorded = "build/programs/rows.jsonl"
	document = "docs/COMPATIBILITY.md"
)

func main() {
	check := flag.Bool("check", false, "compare, and write nothing")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, "compatibility:", err)
		os.Exit(1)
	}
}

func run(check bool) error {
	rows, err := read()
	if err != nil {
		return fmt.Errorf("%w: run the tests of the programs first", err)
	}
	lines := table(rows)
	if !check {
		return os.WriteFile(document, []byte(text(lines, rows)), 0o644)
	}
	promised, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	return compare(string(promised), lines, missing(rows))
}

// row is what a test recorded of itself (test/programs/kit).
type row struct{ Program, Version, System, Did, Kind, Result, Reason string }

func read() ([]row, error) {
	file, err := os.Open(recorded)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var rows []row
	for scanner := bufio.NewScanner(file); ; {
		if !scanner.Scan() {
			return rows, scanner.Err()
		}
		var r row
		if err := json.Unmarshal(scanner.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("%s: %w", recorded, err)
		}
		rows = append(rows, r)
	}
}

// missing are the releases of Debian that there was no system of, as rows of no program say.
func missing(rows []row) []string {
	var systems []string
	for _, r := range rows {
		if r.Program == "" && !slices.Contains(systems, r.System) {
			systems = append(systems, r.System)
		}
	}
	return systems
}

// numbers are how often something was done, which is less in a quick run.
var numbers = regexp.MustCompile(`[0-9][0-9,]*`)

// promise is a line of the table without what may differ between two runs: versions, and how often.
func promise(line string) string {
	cells := strings.Split(line, " | ")
	if len(cells) != columns {
		return ""
	}
	cells[1] = ""
	return numbers.ReplaceAllString(strings.Join(cells, " | "), "N")
}

// compare fails for each line of the document that the tests did not come to this time, but for those of systems that were missing.
func compare(document string, lines, missing []string) error {
	did := map[string]bool{}
	for _, line := range lines {
		did[promise(line)] = true
	}
	var broken []error
	for line := range strings.Lines(document) {
		line = strings.TrimSpace(line)
		if p := promise(line); p != "" && !strings.HasPrefix(line, "| Program") && !did[p] && !slices.Contains(missing, strings.Split(line, " | ")[2]) {
			broken = append(broken, fmt.Errorf("%s promises what was not seen now: %s", document, line))
		}
	}
	return errors.Join(broken...)
}
