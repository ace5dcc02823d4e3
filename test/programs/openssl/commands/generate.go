package commands

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// Generate has OpenSSL make a key pair in the token: genpkey. It cannot be written to a file afterwards, which is why the command fails; what counts is
// that the token has both halves.
func (o *Tool) Generate(t *testing.T, label, algorithm, option string) {
	args := []string{"genpkey", "-propquery", "provider=pkcs11", "-algorithm", algorithm, "-pkeyopt", "pkcs11_uri:" + o.withPIN(o.Token.URI(label, ""))}
	if option != "" {
		args = append(args, "-pkeyopt", option)
	}
	if out, err := kit.Try(t, o.Token.Owner, "openssl", args...); err != nil {
		t.Logf("%v: %s", err, out)
	}
	if o.Public(t, label) == nil {
		t.Errorf("there is no %s", label)
	}
}
