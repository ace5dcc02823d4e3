package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// counts is what became of the tests. Subtests count, since most tests are tables of them.
type counts struct {
	passed, failed, skipped int
	late                    int // of those that failed: fuzz targets that found nothing and did not end in time
}

func (c *counts) add(d counts) {
	c.passed += d.passed
	c.failed += d.failed
	c.skipped += d.skipped
	c.late += d.late
}

func (c counts) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", c.passed, c.failed, c.skipped)
}

// event is a line of go test -json (go doc test2json).
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

// goTest runs go test. A package that does not build, or ends without a test having failed, is one failure.
func goTest(r run) counts {
	args := append([]string{"test", "-json", "-timeout=60m"}, r.args...)
	cmd := exec.Command("go", append(args, r.packages...)...)
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "suites:", err)
		return counts{failed: 1}
	}
	c := read(pipe)
	if err := cmd.Wait(); err != nil && c.failed == 0 {
		fmt.Fprintf(os.Stderr, "suites: %s: %v\n", strings.Join(cmd.Args, " "), err)
		c.failed++
	}
	return c
}

func read(r io.Reader) counts {
	var total counts
	byPackage := map[string]*counts{}
	outputs := map[string]*strings.Builder{} // by package and test: shown only where the test fails or is skipped
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			report(line, byPackage, outputs)
		}
		if err != nil {
			break
		}
	}
	for _, c := range byPackage {
		total.add(*c)
	}
	return total
}

func report(line []byte, byPackage map[string]*counts, outputs map[string]*strings.Builder) {
	var e event
	if json.Unmarshal(line, &e) != nil {
		os.Stdout.Write(line) // not an event: something wrote past the test
		return
	}
	c := byPackage[e.Package]
	if c == nil {
		c = &counts{}
		byPackage[e.Package] = c
	}
	key := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		fmt.Print(e.Output)
	case "output":
		if outputs[key] == nil {
			outputs[key] = &strings.Builder{}
		}
		outputs[key].WriteString(e.Output)
	case "pass", "fail", "skip":
		ended(e, c, outputs[key])
		delete(outputs, key)
	}
}

// ended counts a test, or closes a package.
func ended(e event, c *counts, output *strings.Builder) {
	text := ""
	if output != nil {
		text = output.String()
	}
	if e.Test == "" {
		if e.Action == "fail" && c.failed == 0 {
			c.failed++
		}
		if e.Action == "fail" {
			fmt.Print(text)
		}
		if *c != (counts{}) {
			fmt.Printf("%-4s %s %.1fs: %v\n", e.Action, e.Package, e.Elapsed, *c)
		}
		return
	}
	switch e.Action {
	case "pass":
		c.passed++
	case "fail":
		c.failed++
		if strings.Contains(text, "context deadline exceeded") && !strings.Contains(text, "Failing input") {
			c.late++
		}
		fmt.Print(text)
	case "skip":
		c.skipped++
		fmt.Print(text)
	}
}

func output(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	return string(out), nil
}
