package opensc_test

import (
	"os"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

func TestLists(t *testing.T) {
	tokens(t, "lists slots, mechanisms, keys before and after the login; deletes a key", func(p *tool) {
		p.generate("rsa:2048", "01")
		p.generate("EC:prime256v1", "02")
		kit.Contains(p.t, p.public("--list-slots"), p.k.Label, p.k.Serial, "token initialized, PIN initialized")
		kit.Contains(p.t, p.public("--list-mechanisms"), "SHA256-RSA-PKCS-PSS", "ECDSA", "AES-GCM", "SHA384-HMAC")
		kit.Contains(p.t, p.public("--list-interfaces"), "PKCS 11", "3.2", "3.0", "2.40")
		kit.Contains(p.t, p.public("--show-info"), "ncrypt11")
		out := p.public("--list-objects")
		kit.Contains(p.t, out, "Public Key Object; RSA 2048 bits", "EC_POINT 256 bits")
		if strings.Contains(out, "Private Key Object") {
			p.t.Errorf("private keys are shown without a login:\n%s", out)
		}
		kit.Contains(p.t, p.user("--list-objects"), "Private Key Object; RSA", "Private Key Object; EC", "sensitive, always sensitive, never extractable, local")
		p.user("--delete-object", "--type", "privkey", "--id", "01")
		if out := p.user("--list-objects"); strings.Contains(out, "Private Key Object; RSA") {
			p.t.Errorf("the key is still there:\n%s", out)
		}
	})
}

// A key made elsewhere is written into the token, with its public half and certificate, and signs.
func TestWriteKeys(t *testing.T) {
	tokens(t, "--write-object of RSA and EC keys, certificates, data; --read-object, --set-id", func(p *tool) {
		for id, args := range map[string][]string{
			"07": {"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"},
			"08": {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"},
		} {
			key, der, pub, pubDER, cert := p.path(id+".key"), p.path(id+".key.der"), p.path(id+".pub"), p.path(id+".pub.der"), p.path(id+".crt")
			p.openssl(append([]string{"genpkey", "-out", key}, args...)...)
			p.openssl("pkey", "-in", key, "-outform", "DER", "-out", der)
			p.openssl("pkey", "-in", key, "-pubout", "-out", pub)
			p.openssl("pkey", "-in", key, "-pubout", "-outform", "DER", "-out", pubDER)
			p.openssl("req", "-new", "-x509", "-key", key, "-subj", "/CN=imported"+id, "-outform", "DER", "-out", cert)
			p.user("--write-object", der, "--type", "privkey", "--id", id, "--label", "imported", "--usage-sign")
			p.user("--write-object", pubDER, "--type", "pubkey", "--id", id, "--label", "imported", "--usage-sign")
			p.user("--write-object", cert, "--type", "cert", "--id", id, "--label", "imported")
			kit.Contains(p.t, p.user("--list-objects"), "Certificate Object; type = X.509 cert", "CN=imported"+id)
			p.signs(id, "SHA256 of RSA or EC", signature{mechanism: map[string]string{"07": "SHA256-RSA-PKCS", "08": "ECDSA-SHA256"}[id]}, pub)
			back := p.path(id + ".back")
			p.public("--read-object", "--type", "cert", "--id", id, "--output-file", back)
			p.same(cert, back)
			p.user("--set-id", "f"+id[1:], "--id", id, "--type", "privkey")
			kit.Contains(p.t, p.user("--list-objects", "--type", "privkey"), "f"+id[1:])
		}
		data := p.file("data", "what applications keep")
		p.user("--write-object", data, "--type", "data", "--label", "note", "--application-label", "test", "--private")
		back := p.path("data.back")
		p.user("--read-object", "--type", "data", "--label", "note", "--output-file", back)
		p.same(data, back)
	})
}

func (p *tool) same(a, b string) {
	p.t.Helper()
	texts := [2]string{}
	for i, file := range []string{a, b} {
		text, err := os.ReadFile(file)
		if err != nil {
			p.t.Fatal(err)
		}
		texts[i] = string(text)
	}
	if texts[0] != texts[1] {
		p.t.Errorf("%s is %q and %s is %q", a, texts[0], b, texts[1])
	}
}

// softhsm2-util imports into any module: C_CreateObject with all parts of the key. Root may read its configuration.
func TestSoftHSMUtil(t *testing.T) {
	kit.Tokens(t, kit.Spec{}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "softhsm2-util", "softhsm2", "--import of RSA and EC keys")
		p := newTool(t, k)
		for id, args := range map[string][]string{
			"a1": {"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"},
			"a2": {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"},
		} {
			key, pub := p.path(id+".key"), p.path(id+".pub")
			p.openssl(append([]string{"genpkey", "-out", key}, args...)...)
			p.openssl("pkey", "-in", key, "-pubout", "-out", pub)
			out := kit.Run(t, k.Owner, "softhsm2-util", "--module", kit.Module, "--import", key, "--token", k.Label, "--label", "imported "+id, "--id", id, "--pin", k.PIN)
			kit.Contains(t, out, "has been imported")
			p.same(pub, p.publicKey(id))
		}
	})
}
