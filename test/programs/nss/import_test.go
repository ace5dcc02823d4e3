package nss_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// pkcs12 makes a file with a new key and its certificate, of that name.
func (d *database) pkcs12(t *testing.T, ca *kit.CA, kind, name string) string {
	t.Helper()
	key, certificate := ca.Pair(t, kind, name)
	file := d.path(name + ".p12")
	kit.Run(t, "root", "openssl", "pkcs12", "-export", "-name", name, "-inkey", key, "-in", certificate, "-out", file, "-passout", "pass:travel")
	kit.Run(t, "root", "chmod", "644", file)
	return file
}

func TestPKCS12(t *testing.T) {
	tokens(t, "pk12util brings RSA and ECDSA keys from PKCS #12 files, and they sign messages", func(t *testing.T, d *database) {
		ca := kit.NewCA(t)
		d.trust(t, ca)
		for _, kind := range []string{"rsa2048", "p256"} {
			kit.Contains(t, d.run(t, "pk12util", "-k", "-i", d.pkcs12(t, ca, kind, kind), "-h", d.Label, "-W", "travel"), "PKCS12 IMPORT SUCCESSFUL")
			kit.Contains(t, d.certutil(t, "-L"), d.Label+":"+kind)
			d.sign(t, ca, kind)
		}
		kit.Contains(t, d.NCrypt(t, "list", "--type", "private"), "RSA-2048", "P-256")
	})
}
