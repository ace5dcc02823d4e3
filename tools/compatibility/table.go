package main

import (
	"fmt"
	"slices"
	"strings"
)

// columns is how many there are in the table.
const columns = 6

// line is a line of the table: what one program did, with both kinds of tokens.
type line struct {
	row
	results map[string]string // by kind
	reasons []string
}

// table is the lines, sorted, without a heading.
func table(rows []row) []string {
	var texts []string
	for _, l := range merge(rows) {
		texts = append(texts, l.text())
	}
	return texts
}

// merge makes one line of the rows that differ in nothing but the kind of token. Of several runs of the same test the worst counts.
func merge(rows []row) []*line {
	var lines []*line
	for _, r := range rows {
		if r.Program == "" {
			continue
		}
		i := slices.IndexFunc(lines, func(l *line) bool { return l.Program == r.Program && l.System == r.System && l.Did == r.Did })
		if i < 0 {
			i = len(lines)
			lines = append(lines, &line{row: r, results: map[string]string{}})
		}
		l := lines[i]
		if before := l.results[r.Kind]; before == "" || worse(r.Result, before) {
			l.results[r.Kind] = r.Result
		}
		if r.Reason != "" && !slices.Contains(l.reasons, r.Reason) {
			l.reasons = append(l.reasons, r.Reason)
		}
	}
	slices.SortFunc(lines, func(a, b *line) int {
		return strings.Compare(strings.ToLower(a.Program)+"\x00"+a.System+"\x00"+a.Did, strings.ToLower(b.Program)+"\x00"+b.System+"\x00"+b.Did)
	})
	return lines
}

func worse(a, b string) bool {
	order := []string{"passed", "not run", "failed"}
	return slices.Index(order, a) > slices.Index(order, b)
}

func (l *line) text() string {
	did := l.Did
	if len(l.reasons) > 0 {
		did += " (" + strings.Join(l.reasons, "; ") + ")"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s |", l.Program, l.Version, l.System, did, l.result("software"), l.result("guarded"))
}

func (l *line) result(kind string) string {
	if r := l.results[kind]; r != "" {
		return r
	}
	return "-"
}

const head = `# Programs that ncrypt11 was run with

Each line is a test that started the real program, set up with nothing but what ` + "`ncrypt11 config`" + ` prints, on a token in software and on a guarded one, and that looked at
what came of it from the other side. "not run" has a reason beside it. A program that does not stand here was not tried.

The tests are in ` + "`test/programs`" + `. ` + "`make compatibility`" + ` runs them with the large counts and writes this file; ` + "`make test`" + ` runs them with small ones, and fails where something
that stands here does not happen.

| Program | Version | Debian | What was done | Software | Guarded |
|---|---|---|---|---|---|
`

// text is the whole document.
func text(lines []string, rows []row) string {
	return head + strings.Join(lines, "\n") + "\n" + summary(rows)
}

func summary(rows []row) string {
	programs := map[string]bool{}
	passed := 0
	lines := merge(rows)
	for _, l := range lines {
		programs[l.Program] = true
		for _, result := range l.results {
			if result == "passed" {
				passed++
			}
		}
	}
	total := 0
	for _, l := range lines {
		total += len(l.results)
	}
	summary := fmt.Sprintf("\n%d programs; %d of %d passed.\n", len(programs), passed, total)
	for _, system := range missing(rows) {
		summary += fmt.Sprintf("\nNo system of Debian %s could be made that day: what is tested with it alone was not run.\n", system)
	}
	return summary
}
