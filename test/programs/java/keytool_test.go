package java_test

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"path/filepath"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// TestKeytool makes keys with keytool, brings one from a file, and has a CA certify them.
func TestKeytool(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "Java", jdk, "keytool: -list, -genkeypair (RSA, EC), -importkeystore, -certreq, -importcert, -exportcert, -delete")
		s, ca := setUp(t, k), kit.NewCA(t)
		k.NCrypt(t, "generate", "rsa2048", "--label", "made", "--self-signed")
		s.keytool(t, "-genkeypair", "-alias", "rsa", "-keyalg", "RSA", "-keysize", "2048", "-dname", "CN=rsa")
		s.keytool(t, "-genkeypair", "-alias", "ec", "-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN=ec")
		importKeystore(t, s, ca, "brought")
		kit.Contains(t, s.keytool(t, "-list"), "contains 4 entries", "made, PrivateKeyEntry", "rsa, PrivateKeyEntry", "ec, PrivateKeyEntry", "brought, PrivateKeyEntry")
		for _, alias := range []string{"rsa", "ec", "brought"} {
			stays(t, k, alias)
		}
		certifyAs(t, s, ca, "rsa")
		certifyAs(t, s, ca, "ec")
		s.keytool(t, "-delete", "-alias", "made")
		if out := k.NCrypt(t, "list", "--label", "made", "--type", "private"); out != "There is no such object.\n" {
			t.Errorf("keytool has not deleted the key:\n%s", out)
		}
		out, err := kit.Try(t, kit.User, "keytool", append([]string{"-list", "-keystore", "NONE", "-storetype", "PKCS11", "-storepass", "0000"}, s.provider()...)...)
		if err == nil {
			t.Errorf("a wrong PIN will do: %s", out)
		}
	})
}

// importKeystore moves a key and its certificate from a PKCS #12 file into the token.
func importKeystore(t *testing.T, s *store, ca *kit.CA, alias string) {
	t.Helper()
	key, certificate := ca.Pair(t, "p256", alias)
	file := filepath.Join(kit.Dir(t, kit.User), "key.p12")
	kit.Run(t, "root", "openssl", "pkcs12", "-export", "-inkey", key, "-in", certificate, "-name", alias, "-passout", "pass:password", "-out", file)
	kit.Run(t, "root", "chown", kit.User, file)
	kit.Run(t, kit.User, "keytool", append([]string{"-importkeystore", "-noprompt", "-srckeystore", file, "-srcstoretype", "PKCS12", "-srcstorepass", "password",
		"-destkeystore", "NONE", "-deststoretype", "PKCS11", "-deststorepass", s.PIN}, s.provider()...)...)
}

// objects are those that the options choose, as ncrypt11 shows them.
func objects(t *testing.T, k *kit.Token, options ...string) []object {
	t.Helper()
	var list struct{ Objects []object }
	out := k.NCrypt(t, append([]string{"list", "--json"}, options...)...)
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return list.Objects
}

type object struct {
	ID                               string
	Sensitive, Extractable, Isolated bool
}

// stays fails where the key of an alias could leave the token: Java says nothing of that, so the token has to. Only the certificate has the alias as its label.
func stays(t *testing.T, k *kit.Token, alias string) {
	t.Helper()
	certificates := objects(t, k, "--type", "cert", "--label", alias)
	if len(certificates) != 1 {
		t.Fatalf("%s has %d certificates", alias, len(certificates))
	}
	keys := objects(t, k, "--type", "private", "--id", certificates[0].ID)
	if len(keys) != 1 || !keys[0].Sensitive || keys[0].Extractable || keys[0].Isolated != k.Guarded {
		t.Errorf("the key of %s: %+v", alias, keys)
	}
}

// certifyAs has the CA certify a key by its request, and the key show that certificate from then on.
func certifyAs(t *testing.T, s *store, ca *kit.CA, alias string) {
	t.Helper()
	request := parseRequest(t, s.keytool(t, "-certreq", "-alias", alias))
	chain := filepath.Join(kit.Dir(t, kit.User), alias+".pem")
	certificate := ca.Certify(t, alias+".example.org", request.PublicKey)
	authority := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Certificate.Raw}))
	kit.Write(t, kit.User, chain, certificate+authority)
	s.keytool(t, "-importcert", "-noprompt", "-alias", alias, "-file", chain)
	if shown := s.keytool(t, "-exportcert", "-rfc", "-alias", alias); !samePEM(shown, certificate) {
		t.Errorf("%s shows another certificate:\n%s", alias, shown)
	}
}

// parseRequest reads a request that its key has signed.
func parseRequest(t *testing.T, text string) *x509.CertificateRequest {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		t.Fatalf("that is no request: %s", text)
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

func samePEM(a, b string) bool {
	first, _ := pem.Decode([]byte(a))
	second, _ := pem.Decode([]byte(b))
	return first != nil && second != nil && string(first.Bytes) == string(second.Bytes)
}

func TestNoPIN(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User, NoPIN: true}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "Java", jdk, "keytool with a token that has no PIN")
		s := setUp(t, k)
		k.NCrypt(t, "generate", "p256", "--label", "made", "--self-signed")
		kit.Contains(t, s.keytool(t, "-list"), "contains 1 entry", "made, PrivateKeyEntry")
		parseRequest(t, s.keytool(t, "-certreq", "-alias", "made"))
	})
}
