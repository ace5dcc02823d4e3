package main

import (
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/seal"
)

func TestParseAllow(t *testing.T) {
	for text, want := range map[string]seal.Principal{
		"user:root":  {Kind: seal.User},
		"user:0":     {Kind: seal.User},
		"user:4711":  {Kind: seal.User, ID: 4711}, // nobody yet
		"group:root": {Kind: seal.Group},
		"group:42":   {Kind: seal.Group, ID: 42},
	} {
		if got, err := parseAllow([]string{text, text}); err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for text, says := range map[string]string{
		"user:no such":    `there is no user "no such"`,
		"group:no such":   `there is no group "no such"`,
		"user:4294967295": "no number of a user",
		"user:4294967296": "no number of a user",
		"user:-1":         "there is no user",
		"user:":           "--allow takes",
		"root":            "--allow takes",
		"vm:3":            "--allow takes",
		"":                "--allow takes",
	} {
		if got, err := parseAllow([]string{text}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, %v; want %q", text, got, err, says)
		}
	}
	many := make([]string, 0, seal.MaxAllowed+1)
	for i := range seal.MaxAllowed + 1 {
		many = append(many, seal.Principal{Kind: seal.User, ID: uint32(i)}.String())
	}
	if _, err := parseAllow(many); !isUsage(err) {
		t.Errorf("%d: %v", len(many), err)
	}
	if _, err := parseAllow(many[1:]); err != nil {
		t.Errorf("%d: %v", len(many)-1, err)
	}
}

func TestPrincipalWords(t *testing.T) {
	for text, want := range map[string]string{"user:0": "user:0 (root)", "group:0": "group:0 (root)", "vm:3": "vm:3", "user:4294967294": "user:4294967294", "\x1b": `"\x1b"`} {
		if got := principalWords(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
