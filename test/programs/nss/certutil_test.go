package nss_test

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// kinds are certutil's options for the keys that it makes.
var kinds = map[string][]string{"rsa": {"-k", "rsa", "-g", "2048"}, "ec": {"-k", "ec", "-q", "nistp256"}}

// noise is what certutil asks a person to type, for keys that it makes.
func (d *database) noise(t *testing.T) string {
	return d.write(t, "noise", strings.Repeat("not random, and need not be: ", 20))
}

func TestKeys(t *testing.T) {
	tokens(t, "certutil makes RSA and ECDSA keys and lists them", func(t *testing.T, d *database) {
		for _, options := range kinds {
			d.certutil(t, append(options, "-G", "-z", d.noise(t))...)
		}
		listed := d.certutil(t, "-K")
		for kind := range kinds {
			if found := regexp.MustCompile(`(?m)^<.*> `+kind+` +[0-9a-f]{40} `).FindAllString(listed, -1); len(found) != 1 {
				t.Errorf("%d keys are %s:\n%s", len(found), kind, listed)
			}
		}
		kit.Contains(t, d.NCrypt(t, "list", "--type", "private"), "RSA-2048", "P-256")
	})
}

func TestSelfSigned(t *testing.T) {
	tokens(t, "certutil makes keys with self-signed certificates", func(t *testing.T, d *database) {
		for kind, options := range kinds {
			d.certutil(t, append(options, "-S", "-n", "own-"+kind, "-s", "CN=own-"+kind, "-x", "-t", ",,", "-z", d.noise(t))...)
			file := d.path(kind + ".pem")
			d.certutil(t, "-L", "-n", d.Label+":own-"+kind, "-a", "-o", file)
			kit.Contains(t, kit.Run(t, kit.User, "openssl", "verify", "-CAfile", file, "-check_ss_sig", file), ": OK")
		}
		listed := d.certutil(t, "-L")
		for kind := range kinds { // u: its private key is there
			if !regexp.MustCompile(regexp.QuoteMeta(d.Label+":own-"+kind) + ` +u,u,u\s`).MatchString(listed) {
				t.Errorf("own-%s is not a user's certificate:\n%s", kind, listed)
			}
		}
	})
}

func TestRequest(t *testing.T) {
	tokens(t, "certutil makes certificate requests, and takes the certificates", func(t *testing.T, d *database) {
		ca := kit.NewCA(t)
		for kind, options := range kinds {
			request := d.path(kind + ".csr")
			d.certutil(t, append(options, "-R", "-s", "CN=asked-"+kind, "-a", "-o", request, "-z", d.noise(t))...)
			kit.Contains(t, kit.Run(t, kit.User, "openssl", "req", "-in", request, "-verify", "-noout", "-subject"), "verify OK", "CN = asked-"+kind)
			certificate := d.write(t, kind+".pem", ca.Certify(t, "asked-"+kind, requested(t, request).PublicKey))
			d.certutil(t, "-A", "-n", "asked-"+kind, "-t", ",,", "-a", "-i", certificate)
		}
		listed := d.certutil(t, "-L")
		for kind := range kinds {
			if !regexp.MustCompile(regexp.QuoteMeta(d.Label+":asked-"+kind) + ` +u,u,u\s`).MatchString(listed) {
				t.Errorf("asked-%s is not a user's certificate:\n%s", kind, listed)
			}
		}
	})
}

// requested reads a request, and checks that who has the key made it.
func requested(t *testing.T, file string) *x509.CertificateRequest {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		t.Fatalf("%s is not PEM:\n%s", file, text)
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if err := request.CheckSignature(); err != nil {
		t.Fatal(err)
	}
	return request
}
