// Package nss_test has the tools of NSS use keys in tokens: what they do is what programs do that keep their keys with NSS.
package nss_test

import (
	"path/filepath"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

func TestMain(m *testing.M) { kit.Main(m, "bookworm") }

// database is alice's, with the module in it.
type database struct {
	*kit.Token
	name    string // as the tools want it
	dir     string // for files that the tools read and write
	pinFile string
}

// tokens runs a test with a database, on each kind of token with a PIN and without. Its row says what it does.
func tokens(t *testing.T, did string, test func(t *testing.T, d *database)) {
	kit.EachLogin(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "NSS", "libnss3-tools", did)
		test(t, newDatabase(t, k))
	})
}

func newDatabase(t *testing.T, k *kit.Token) *database {
	t.Helper()
	kit.Fresh(t, filepath.Join(kit.Home, ".local/share/pki"))
	kit.Contains(t, kit.Apply(t, kit.User, k.Config(t, "nss", "")), `Module "ncrypt11" added to database.`)
	d := &database{Token: k, name: "sql:" + kit.Home + "/.local/share/pki/nssdb", dir: kit.Dir(t, kit.User)}
	if k.PIN != "" {
		d.pinFile = d.write(t, "pin", k.PIN+"\n")
	}
	return d
}

// path is that of a file in the test's directory.
func (d *database) path(file string) string { return filepath.Join(d.dir, file) }

// write makes a file in the test's directory.
func (d *database) write(t *testing.T, file, text string) string {
	t.Helper()
	kit.Write(t, kit.User, d.path(file), text)
	return d.path(file)
}

// run has a tool work on the database. Its option for a file with the PIN is used where there is one.
func (d *database) run(t *testing.T, program, pinOption string, args ...string) string {
	t.Helper()
	args = append(args, "-d", d.name)
	if d.pinFile != "" {
		args = append(args, pinOption, d.pinFile)
	}
	return kit.Run(t, kit.User, program, args...)
}

// certutil has certutil work on the token.
func (d *database) certutil(t *testing.T, args ...string) string {
	t.Helper()
	return d.run(t, "certutil", "-f", append(args, "-h", d.Label)...)
}
