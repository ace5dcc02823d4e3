// Package clients_test has real programs use the library that make build has made.
//
// A program that is not there is a failure that names its package (tools/install-deps.sh installs them): a test that is skipped says nothing of
// whether the program works with the library.
package clients_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The token of every test.
const (
	label  = "clients"
	pin    = "1234"
	soPIN  = "12345678"
	rsaURI = "pkcs11:token=clients;object=rsa"
	ecURI  = "pkcs11:token=clients;object=ec"
)

// packages says where each program comes from.
var packages = map[string]string{
	"pkcs11-tool": "opensc", "p11tool": "gnutls-bin", "p11-kit": "p11-kit", "openssl": "openssl",
	"modutil": "libnss3-tools", "certutil": "libnss3-tools", "softhsm2-util": "softhsm2",
}

func module(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../build/libncrypt11.so")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run make build first", err)
	}
	return path
}

// newToken points NCRYPT11_HOME at a new home and makes the token in it, as pkcs11-tool does.
func newToken(t *testing.T) {
	t.Helper()
	t.Setenv("NCRYPT11_HOME", filepath.Join(t.TempDir(), "home"))
	pkcs11Tool(t, "--init-token", "--slot-index", "0", "--label", label, "--so-pin", soPIN)
	pkcs11Tool(t, "--token-label", label, "--init-pin", "--login", "--login-type", "so", "--so-pin", soPIN, "--pin", pin)
}

// newTokenWithKeys has an RSA key "rsa" with CKA_ID 01 and a P-256 key "ec" with CKA_ID 02 in it.
func newTokenWithKeys(t *testing.T) {
	t.Helper()
	newToken(t)
	userTool(t, "--keypairgen", "--key-type", "rsa:2048", "--label", "rsa", "--id", "01")
	userTool(t, "--keypairgen", "--key-type", "EC:prime256v1", "--label", "ec", "--id", "02")
}

func pkcs11Tool(t *testing.T, args ...string) string {
	t.Helper()
	return run(t, "pkcs11-tool", append([]string{"--module", module(t)}, args...)...)
}

func userTool(t *testing.T, args ...string) string {
	t.Helper()
	return pkcs11Tool(t, append([]string{"--token-label", label, "--login", "--pin", pin}, args...)...)
}

// run gives what the program prints, and fails if it fails or does not end.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := try(t, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

func try(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	cmd := program(t, name, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

func program(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: install the package %s", name, packages[name])
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.WaitDelay = time.Second
	return cmd
}

// contains fails for each text that the output does not have.
func contains(t *testing.T, output string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(output, text) {
			t.Errorf("%q is not in the output:\n%s", text, output)
		}
	}
}

// file makes a file in a directory of the test's.
func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
