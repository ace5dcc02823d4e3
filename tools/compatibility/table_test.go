package main

import (
	"slices"
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
	if err := compare(document, table(quick)); err != nil {
		t.Errorf("with other versions and counts: %v", err)
	}
	if err := compare(document, table(quick[:3])); err == nil {
		t.Error("another result was not noticed")
	}
	if err := compare(document, table(quick[2:])); err == nil {
		t.Error("a test that did not run was not noticed")
	}
}
