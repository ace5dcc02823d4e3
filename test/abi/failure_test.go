package abi_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A program gets a number; its user gets the reason, from another process and later.
func TestLastFailure(t *testing.T) {
	program := filepath.Join(t.TempDir(), "failing")
	command(t, "", "gcc", "-std=c99", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-o", program, "failing/failing.c", "-ldl")
	for _, test := range []struct {
		call, login            string
		function, code, reason string // no function: nothing is kept
		root                   bool
	}{
		{call: "template", login: "none", function: "C_GenerateKey", code: "CKR_TEMPLATE_INCOMPLETE", reason: "CKA_VALUE_LEN"},
		{call: "pin", login: "pin", function: "C_Login", code: "CKR_PIN_INCORRECT"},
		{call: "ordinary", login: "none", function: "C_GenerateKey", code: "CKR_TEMPLATE_INCOMPLETE", reason: "CKA_VALUE_LEN"},
		{call: "limited", login: "none"},
		{call: "raised", login: "none", root: true},
	} {
		t.Run(test.call, func(t *testing.T) {
			if test.root && os.Geteuid() != 0 {
				t.Skip("only root can take another user's identity")
			}
			home := t.TempDir()
			t.Setenv("NCRYPT11_HOME", home)
			t.Setenv("NCRYPT11_GUARD", "none")
			ncrypt11 := filepath.Join(filepath.Dir(modulePath(t)), "ncrypt11")
			args := []string{"init", "--label", "t", "--login", test.login}
			if test.login == "pin" {
				args = append(args, "--pin", "123456", "--so-pin", "12345678")
			}
			command(t, "", ncrypt11, args...)
			command(t, "", program, modulePath(t), test.call)
			content, err := os.ReadFile(filepath.Join(home, "log", "last-error"))
			if test.function == "" {
				if !errors.Is(err, os.ErrNotExist) {
					t.Fatalf("kept: %s, %v", content, err)
				}
				return
			}
			if err != nil || strings.Contains(string(content), "marmalade") {
				t.Errorf("what is kept: %s, %v", content, err)
			}
			checkExplained(t, ncrypt11, program, test.function, test.code, test.reason)
		})
	}
}

func checkExplained(t *testing.T, ncrypt11, program, function, code, reason string) {
	t.Helper()
	out, err := exec.Command(ncrypt11, "explain", "last", "--json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var told struct{ Program, Function, Code, Reason, Todo string }
	if err := json.Unmarshal(out, &told); err != nil {
		t.Fatal(err)
	}
	if told.Program != program || told.Function != function || told.Code != code || !strings.Contains(told.Reason, reason) || told.Todo == "" {
		t.Errorf("%+v", told)
	}
}
