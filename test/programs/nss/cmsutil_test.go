package nss_test

import (
	"os"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

const message = "Meet me at noon.\n"

// trust has the database trust an authority, for mail and for servers.
func (d *database) trust(t *testing.T, ca *kit.CA) {
	t.Helper()
	kit.Run(t, kit.User, "certutil", "-A", "-d", d.name, "-n", "Test CA", "-t", "C,C,", "-a", "-i", ca.File)
}

// sign has cmsutil sign a message, and OpenSSL, which knows the authority only, verify it.
func (d *database) sign(t *testing.T, ca *kit.CA, name string) {
	t.Helper()
	signed := d.path(name + ".p7m")
	d.run(t, "cmsutil", "-f", "-S", "-G", "-N", d.Label+":"+name, "-i", d.write(t, "message", message), "-o", signed)
	out := d.path(name + ".verified")
	kit.Run(t, kit.User, "openssl", "cms", "-verify", "-inform", "DER", "-in", signed, "-CAfile", ca.File, "-out", out)
	d.reads(t, out, message)
}

func (d *database) reads(t *testing.T, file, want string) {
	t.Helper()
	if text, err := os.ReadFile(file); err != nil || string(text) != want {
		t.Errorf("%s has %q, %v", file, text, err)
	}
}

func TestCMS(t *testing.T) {
	tokens(t, "cmsutil signs messages, and decrypts what is for an RSA key", func(t *testing.T, d *database) {
		ca := kit.NewCA(t)
		d.trust(t, ca)
		for _, kind := range []string{"rsa2048", "p256"} {
			key, certificate := ca.Pair(t, kind, kind)
			d.Import(t, kind, key, certificate)
			d.sign(t, ca, kind)
			if kind == "rsa2048" {
				d.decrypt(t, certificate)
			}
		}
	})
}

// decrypt has OpenSSL encrypt a message for a certificate, and cmsutil read it.
func (d *database) decrypt(t *testing.T, certificate string) {
	t.Helper()
	encrypted := d.path("encrypted")
	kit.Run(t, kit.User, "openssl", "cms", "-encrypt", "-aes256", "-outform", "DER", "-in", d.write(t, "message", message), "-binary", "-out", encrypted, certificate)
	d.run(t, "cmsutil", "-f", "-D", "-i", encrypted, "-o", d.path("decrypted"))
	d.reads(t, d.path("decrypted"), message)
}
