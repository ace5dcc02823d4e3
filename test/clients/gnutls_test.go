package clients_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestP11tool(t *testing.T) {
	newTokenWithKeys(t)
	provider := []string{"--provider", module(t)}
	contains(t, run(t, "p11tool", append(provider, "--list-all", "pkcs11:token="+label)...), "Public key (RSA-2048)", "Public key (EC/ECDSA-SECP256R1)")
	login := append(provider, "--login", "--set-pin", pin)
	contains(t, run(t, "p11tool", append(login, "--list-all", "pkcs11:token="+label)...), "Private key (RSA-2048)", "CKA_NEVER_EXTRACTABLE; CKA_SENSITIVE")
	for _, uri := range []string{rsaURI, ecURI} {
		contains(t, run(t, "p11tool", append(login, "--test-sign", uri+";type=private")...), "ok", "Verifying against public key in the token... ok")
	}
	contains(t, run(t, "p11tool", append(provider, "--list-tokens")...), "token="+label, "Flags: RNG, Requires login")
}

// GnuTLS makes keys with attributes of its own choice.
func TestP11toolGenerates(t *testing.T) {
	newToken(t)
	login := []string{"--provider", module(t), "--login", "--set-pin", pin}
	run(t, "p11tool", append(login, "--generate-privkey=rsa", "--bits=2048", "--label=gnutls-rsa", "--outfile=/dev/null", "pkcs11:token="+label)...)
	run(t, "p11tool", append(login, "--generate-privkey=ecdsa", "--curve=secp384r1", "--label=gnutls-ec", "--outfile=/dev/null", "pkcs11:token="+label)...)
	for _, name := range []string{"gnutls-rsa", "gnutls-ec"} {
		contains(t, run(t, "p11tool", append(login, "--test-sign", "pkcs11:token="+label+";object="+name+";type=private")...), "ok")
	}
}

// p11-kit offers the module to every program once a file names it. It reads a user's own files only for users other than root.
func TestP11KitModules(t *testing.T) {
	newToken(t)
	home, err := os.MkdirTemp("", "p11-kit-home-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	modules := filepath.Join(home, ".config/pkcs11/modules")
	if err := os.MkdirAll(modules, 0o755); err != nil {
		t.Fatal(err)
	}
	library, tokens := filepath.Join(home, "libncrypt11.so"), filepath.Join(home, "tokens")
	run(t, "cp", module(t), library)
	run(t, "cp", "-r", os.Getenv("NCRYPT11_HOME"), tokens)
	if err := os.WriteFile(filepath.Join(modules, "ncrypt11.module"), []byte("module: "+library+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, ".config"))
	t.Setenv("NCRYPT11_HOME", tokens)
	for _, command := range [][]string{{"p11-kit", "list-modules"}, {"p11tool", "--list-tokens"}} {
		cmd := program(t, command[0], command[1:]...)
		asOther(t, home)
		if os.Getuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: other, Gid: other}}
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", command, err, out)
		}
		contains(t, strings.ToLower(string(out)), "clients", "manufacturer: ncrypt11")
	}
}

const other = 65534 // nobody

func asOther(t *testing.T, dir string) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, other, other)
	})
	if err != nil {
		t.Fatalf("giving %s to user %s: %v", dir, strconv.Itoa(other), err)
	}
}
