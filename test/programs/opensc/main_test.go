// Package opensc_test has OpenSC's pkcs11-tool, and the import of softhsm2-util, use tokens.
package opensc_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

func TestMain(m *testing.M) { kit.Main(m, "bookworm") }

// tool is pkcs11-tool with a token, as `ncrypt11 config` has it.
type tool struct {
	t    *testing.T
	k    *kit.Token
	args []string // the module, the token, --login
	dir  string   // for files of the test
}

// tokens runs a test on a token of each kind and records it.
func tokens(t *testing.T, did string, test func(p *tool)) {
	t.Helper()
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "pkcs11-tool", "opensc", did)
		test(newTool(t, k))
	})
}

func newTool(t *testing.T, k *kit.Token) *tool {
	t.Helper()
	sections := k.Config(t, "pkcs11-tool", "")
	words := strings.Fields(strings.ReplaceAll(sections[0].Text, "'", ""))
	if n := len(words); len(sections) != 1 || words[0] != "pkcs11-tool" || words[n-1] != "--list-objects" {
		t.Fatalf("config prints %+v", sections)
	}
	return &tool{t: t, k: k, args: words[1 : len(words)-1], dir: kit.Dir(t, k.Owner)}
}

// user runs it logged in, and public not.
func (p *tool) user(args ...string) string {
	p.t.Helper()
	return kit.Run(p.t, p.k.Owner, "pkcs11-tool", slices.Concat(p.args, []string{"--pin", p.k.PIN}, args)...)
}

func (p *tool) public(args ...string) string {
	p.t.Helper()
	return kit.Run(p.t, p.k.Owner, "pkcs11-tool", slices.Concat(p.withoutLogin(), args)...)
}

func (p *tool) withoutLogin() []string {
	return slices.DeleteFunc(slices.Clone(p.args), func(arg string) bool { return arg == "--login" })
}

// openssl knows nothing of the token.
func (p *tool) openssl(args ...string) string {
	p.t.Helper()
	return kit.Run(p.t, p.k.Owner, "openssl", args...)
}

// generate makes a key pair of a type, with a name that is its id, too.
func (p *tool) generate(kind, id string, args ...string) {
	p.t.Helper()
	p.user(append([]string{"--keypairgen", "--key-type", kind, "--label", "key" + id, "--id", id}, args...)...)
}

// file makes a file, and path names one.
func (p *tool) file(name, content string) string {
	p.t.Helper()
	path := p.path(name)
	kit.Write(p.t, p.k.Owner, path, content)
	return path
}

func (p *tool) path(name string) string { return filepath.Join(p.dir, name) }

// publicKey reads a public key out of the token, as a PEM file.
func (p *tool) publicKey(id string) string {
	p.t.Helper()
	der, pem := p.path(id+".der"), p.path(id+".pem")
	p.public("--read-object", "--type", "pubkey", "--id", id, "--output-file", der)
	p.openssl("pkey", "-pubin", "-inform", "DER", "-in", der, "-pubout", "-out", pem)
	return pem
}
