package swtpm

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
)

// Manufacture puts another TPM in the place of this one, as swtpm_setup makes them: with endorsement keys that are persistent, and certificates for them by
// an authority of its own. It gives those of the authority: of the root, and of the issuer.
func (s *TPM) Manufacture() (root, issuer *x509.Certificate) {
	s.t.Helper()
	s.Stop()
	if err := os.RemoveAll(s.state()); err != nil {
		s.t.Fatal(err)
	}
	authority := filepath.Join(s.dir, "ca")
	for _, dir := range []string{s.state(), authority} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			s.t.Fatal(err)
		}
	}
	in := func(name string) string { return filepath.Join(authority, name) }
	for name, content := range map[string]string{
		"localca": "statedir = " + authority + "\nsigningkey = " + in("key.pem") + "\nissuercert = " + in("issuer.pem") + "\ncertserial = " + in("serial") + "\n",
		"options": "--platform-manufacturer none\n--platform-version 1\n--platform-model none\n",
		"setup":   "create_certs_tool = /usr/bin/swtpm_localca\ncreate_certs_tool_config = " + in("localca") + "\ncreate_certs_tool_options = " + in("options") + "\n",
	} {
		if err := os.WriteFile(in(name), []byte(content), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	cmd := exec.Command("swtpm_setup", "--tpm2", "--tpmstate", s.state(), "--config", in("setup"), "--create-ek-cert", "--create-platform-cert", "--overwrite")
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("swtpm_setup (tools/install-deps.sh installs it): %v\n%s", err, out)
	}
	s.Start()
	return s.readCertificate(in("swtpm-localca-rootca-cert.pem")), s.readCertificate(in("issuer.pem"))
}

func (s *TPM) readCertificate(path string) *x509.Certificate {
	s.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		s.t.Fatalf("%s is no PEM", path)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}
