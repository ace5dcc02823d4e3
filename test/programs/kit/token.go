package kit

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/machine"
)

// The PINs of tokens that have one.
const (
	PIN   = "2718"
	SOPIN = "31415926"
)

// Spec is what a test wants of its tokens.
type Spec struct {
	Owner string   // whose tokens they are; empty: the machine's
	Allow []string // of the machine's tokens: who else may use them, as --allow has it
	NoPIN bool
}

// Token is a token that a test has made for itself.
type Token struct {
	Label, Serial, Path string
	PIN                 string // empty: it has none
	Guarded             bool
	Owner               string // who made it, and keeps it
}

// Kind says where the token's keys are: "software", in the programs that use them, or "guarded".
func (k *Token) Kind() string {
	if k.Guarded {
		return "guarded"
	}
	return "software"
}

// Tokens runs a test twice: on a token in software, and on a guarded one. It is the only token that its owner can see.
func Tokens(t *testing.T, spec Spec, test func(t *testing.T, k *Token)) {
	t.Helper()
	machine.Need(t)
	for _, isGuarded := range []bool{false, true} {
		k := &Token{Guarded: isGuarded}
		t.Run(k.Kind(), func(t *testing.T) { test(t, NewToken(t, spec, isGuarded)) })
	}
}

// EachLogin runs a test as Tokens does, on tokens with a PIN and on tokens without.
func EachLogin(t *testing.T, spec Spec, test func(t *testing.T, k *Token)) {
	t.Helper()
	for _, spec.NoPIN = range []bool{false, true} {
		t.Run(map[bool]string{false: "PIN", true: "NoPIN"}[spec.NoPIN], func(t *testing.T) { Tokens(t, spec, test) })
	}
}

var made atomic.Int64

// NewToken makes a token, which is deleted when the test ends.
func NewToken(t *testing.T, spec Spec, isGuarded bool) *Token {
	t.Helper()
	machine.Need(t)
	if isGuarded {
		guarded(t)
	}
	k := &Token{Label: "token" + strconv.FormatInt(made.Add(1), 10), Guarded: isGuarded, Owner: spec.Owner}
	args := []string{"init", "--label", k.Label, "--json", "--policy", map[bool]string{false: "software", true: "vbs-required"}[isGuarded]}
	if spec.Owner == "" {
		k.Owner = "root"
		args = append(args, "--scope", "machine")
		for _, who := range spec.Allow {
			if isGuarded { // a token in software is for whoever can read its files
				args = append(args, "--allow", who)
			}
		}
	}
	if spec.NoPIN {
		args = append(args, "--login", "none")
	} else {
		k.PIN = PIN
		args = append(args, "--pin", PIN, "--so-pin", SOPIN)
	}
	var info struct{ Serial, Path string }
	k.decode(t, &info, args...)
	k.Serial, k.Path = info.Serial, info.Path
	t.Cleanup(func() { Run(t, k.Owner, "ncrypt11", "delete", "--token", k.Serial, "--all", "--yes") })
	return k
}

// decode runs ncrypt11 as the owner and reads the JSON that it prints.
func (k *Token) decode(t testing.TB, v any, args ...string) {
	t.Helper()
	cmd := Command(t, k.Owner, "ncrypt11", args...)
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, v)
	}
	if err != nil {
		t.Fatalf("ncrypt11 %s: %v\n%s%s", strings.Join(args, " "), err, out, problems.String())
	}
}

// NCrypt runs a command on the token as its owner, who is logged in where there is a PIN, and gives what it prints.
func (k *Token) NCrypt(t testing.TB, args ...string) string {
	t.Helper()
	args = append(args, "--token", k.Serial)
	if k.PIN != "" {
		args = append(args, "--pin", k.PIN)
	}
	return Run(t, k.Owner, "ncrypt11", args...)
}

// PINFile has the token's PIN in a file that one user can read and nobody else, without a newline at its end: as `ncrypt11 config` wants one to be.
func (k *Token) PINFile(t testing.TB, reader string) string {
	t.Helper()
	path := filepath.Join(Dir(t, reader), "pin")
	Write(t, reader, path, "")
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(k.PIN), 0); err != nil {
		t.Fatal(err)
	}
	return path
}

// PINOptions name such a file to `ncrypt11 config`; there are none where the token has no PIN.
func (k *Token) PINOptions(t testing.TB, reader string) []string {
	t.Helper()
	if k.PIN == "" {
		return nil
	}
	return []string{"--pin-file", k.PINFile(t, reader)}
}

// Generate makes a key.
func (k *Token) Generate(t testing.TB, kind, label string) {
	t.Helper()
	k.NCrypt(t, "generate", kind, "--label", label)
}

// Public is the public half of a key, which programs that use the key have no part in.
func (k *Token) Public(t testing.TB, label string) crypto.PublicKey {
	t.Helper()
	block, _ := pem.Decode([]byte(Run(t, k.Owner, "ncrypt11", "export", "--label", label, "--type", "public", "--token", k.Serial)))
	if block == nil {
		t.Fatalf("nothing was exported for %s", label)
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return public
}

// Import brings a key, and its certificate, into the token. The test has the files' contents in its own memory only as long as it takes.
func (k *Token) Import(t testing.TB, label string, files ...string) {
	t.Helper()
	k.NCrypt(t, append([]string{"import", "--label", label}, files...)...)
}

// URI names an object of the token: type is private, public, cert, or nothing for all.
func (k *Token) URI(label, typ string) string {
	uri := "pkcs11:token=" + k.Label + ";object=" + label
	if typ != "" {
		uri += ";type=" + typ
	}
	return uri
}
