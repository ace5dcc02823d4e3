// Package commands has the openssl command use keys in tokens, through an engine or a provider, and looks at what comes of it without it: with Go's
// packages, and the public key.
package commands

import (
	"crypto"
	"os"
	"path/filepath"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// Config is the name that `ncrypt11 config` has for what this package is about.
const Config = "openssl"

// What it sets up, where there is which. The one has to be told of the engine in each command, the other recognizes the URI of a key.
const (
	Engine   = "engine"
	Provider = "provider"
)

// Tool is the openssl command as the owner of a token runs it.
type Tool struct {
	Token   *kit.Token
	Dir     string // of the owner, for what the commands write
	through string
	pinFile string // empty: the token has no PIN
}

// New sets OpenSSL up as `ncrypt11 config` says.
func New(t testing.TB, k *kit.Token, through string) *Tool {
	t.Helper()
	o := &Tool{Token: k, Dir: kit.Dir(t, k.Owner), through: through}
	if k.PIN != "" {
		o.pinFile = k.PINFile(t, k.Owner)
	}
	kit.Apply(t, k.Owner, k.Config(t, Config, ""))
	return o
}

// File makes a file in the tool's directory and gives its name.
func (o *Tool) File(t testing.TB, name, text string) string {
	t.Helper()
	path := o.Path(name)
	kit.Write(t, o.Token.Owner, path, text)
	return path
}

// Path names a file in the tool's directory.
func (o *Tool) Path(name string) string { return filepath.Join(o.Dir, name) }

// Read gives what a command has written.
func (o *Tool) Read(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(o.Path(name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// URI names a private key, and where its PIN is.
func (o *Tool) URI(label string) string { return o.withPIN(o.Token.URI(label, "private")) }

// All names the whole token.
func (o *Tool) All() string { return o.withPIN("pkcs11:token=" + o.Token.Label) }

func (o *Tool) withPIN(uri string) string {
	if o.pinFile != "" {
		uri += "?pin-source=file:" + o.pinFile
	}
	return uri
}

// Key are the arguments that give a command a private key: option is the one for the key's name, like -key.
func (o *Tool) Key(option, label string) []string {
	args := []string{option, o.URI(label)}
	if o.through == Engine {
		form := map[string]string{"-CAkey": "-CAkeyform"}[option]
		if form == "" {
			form = "-keyform"
		}
		args = append(args, "-engine", "pkcs11", form, "engine")
	}
	return args
}

// Run runs openssl as the owner of the token and gives what it prints.
func (o *Tool) Run(t testing.TB, args ...string) string {
	t.Helper()
	return kit.Run(t, o.Token.Owner, "openssl", args...)
}

// Public gives the public key of that name, of which OpenSSL knows nothing.
func (o *Tool) Public(t testing.TB, label string) crypto.PublicKey {
	t.Helper()
	return o.Token.Public(t, label)
}
