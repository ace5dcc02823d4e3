package main

import (
	"slices"
	"strings"
	"testing"
)

var rows = []row{
	{Program: "nginx", Version: "1.22", System: "bookworm", Did: "10,000 handshakes", Kind: "software", Result: "passed"},
	{Program: "curl", Version: "7.88", System: "bookworm", Did: "mutual TLS", Kind: "guarded", Result: "not run", Reason: "no engine"},
	{Program: "nginx", Version: "1.22", System: "bookworm", Did: "10,000 handshakes", Kind: "guarded", Result: "passed"},
	{Program: "nginx", Version: "1.22", System: "bookworm", Did: "10,000 handshakes", Kind: "guarded", Result: "failed"},
}

func TestTable(t *testing.T) {
	want := []string{
		"| curl | 7.88 | bookworm | mutual TLS (no engine) | - | not run |",
		"| nginx | 1.22 | bookworm | 10,000 handshakes | passed | failed |",
	}
	if got := table(rows); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestCompare(t *testing.T) {
	document := text(table(rows), rows)
	quick := slices.Clone(rows)
	for i := range quick {
		quick[i].Version = "2"
		if quick[i].Program == "nginx" {
			quick[i].Did = "500 handshakes"
		}
	}
	if err := compare(document, table(quick), nil); err != nil {
		t.Errorf("with other versions and counts: %v", err)
	}
	if err := compare(document, table(quick[:3]), nil); err == nil {
		t.Error("another result was not noticed")
	}
	if err := compare(document, table(quick[2:]), nil); err == nil {
		t.Error("a test that did not run was not noticed")
	}
}

// A release that there was no system of breaks no promise, and makes no line. The others do.
func TestMissing(t *testing.T) {
	const testing = "forky"
	all := append(slices.Clone(rows), row{Program: "OpenSSH", Version: "10.6", System: testing, Did: "logs in", Kind: "guarded", Result: "passed"})
	document := text(table(all), all)
	now := append(slices.Clone(rows), row{System: testing, Result: "not run", Reason: "the mirror is gone"})
	if got := table(now); !slices.Equal(got, table(rows)) {
		t.Errorf("%q", got)
	}
	if got := text(table(now), now); !strings.Contains(got, "No system of Debian forky") {
		t.Errorf("nobody is told what is missing:\n%s", got)
	}
	if err := compare(document, table(now), missing(now)); err != nil {
		t.Error(err)
	}
	if err := compare(document, table(now), missing(rows)); err == nil {
		t.Error("it was missing without a word, and that was not noticed")
	}
	if err := compare(document, table(now[1:]), missing(now)); err == nil {
		t.Error("a test of another system that did not run was not noticed")
	}
}
