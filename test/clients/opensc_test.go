package clients_test

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestPKCS11ToolSelfTests(t *testing.T) {
	newTokenWithKeys(t)
	out := userTool(t, "--test")
	contains(t, out, "No errors", "RSA-X-509: OK", "RSA-PKCS: OK", "all 4 digest functions seem to work")
	if strings.Contains(out, "ERR:") {
		t.Errorf("pkcs11-tool reports an error:\n%s", out)
	}
	// The child of a fork calls C_Initialize and expects it to work.
	if out := userTool(t, "--test-fork"); strings.Contains(out, "CKR_") && !strings.Contains(out, "CKR_OK") {
		t.Error(out)
	}
	// A thread initializes and looks round while the main one does the same. (The tool sleeps for half a minute where it is done first.)
	contains(t, userTool(t, "--test", "--test-threads", "ILGISLT0"), "all threads have ended with CKR_OK", "No errors")
}

func TestPKCS11ToolObjects(t *testing.T) {
	newTokenWithKeys(t)
	contains(t, pkcs11Tool(t, "-M"), "SHA256-RSA-PKCS-PSS", "ECDSA", "AES-GCM", "SHA384-HMAC")
	contains(t, pkcs11Tool(t, "--token-label", label, "-O"), "Public Key Object; RSA 2048 bits", "EC_POINT 256 bits")
	out := userTool(t, "-O")
	contains(t, out, "Private Key Object; RSA", "Private Key Object; EC", "sensitive, always sensitive, never extractable, local")
	userTool(t, "--delete-object", "--type", "privkey", "--id", "01")
	if out := userTool(t, "-O"); strings.Contains(out, "Private Key Object; RSA") {
		t.Errorf("the key is still there:\n%s", out)
	}
}

// Every signature is verified by OpenSSL, which knows nothing of the token.
func TestPKCS11ToolSigns(t *testing.T) {
	newTokenWithKeys(t)
	message := file(t, "message", "signed by the token, verified without it\n")
	for _, c := range []struct {
		id, mechanism string
		tool          []string
		verify        []string
	}{
		{"01", "SHA256-RSA-PKCS", nil, nil},
		{"01", "SHA384-RSA-PKCS", nil, []string{"-sha384"}},
		{"01", "SHA256-RSA-PKCS-PSS", nil, []string{"-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"}},
		{"02", "ECDSA-SHA256", []string{"--signature-format", "openssl"}, nil},
		{"02", "ECDSA-SHA512", []string{"--signature-format", "openssl"}, []string{"-sha512"}},
	} {
		t.Run(c.mechanism, func(t *testing.T) {
			signature := filepath.Join(t.TempDir(), "signature")
			userTool(t, append([]string{"--sign", "--id", c.id, "-m", c.mechanism, "-i", message, "-o", signature}, c.tool...)...)
			contains(t, opensslVerify(t, publicKey(t, c.id), message, signature, c.verify...), "Verified OK")
		})
	}
}

func TestPKCS11ToolDecrypts(t *testing.T) {
	newTokenWithKeys(t)
	secret := file(t, "secret", "a secret of 27 characters..")
	encrypted, decrypted := filepath.Join(t.TempDir(), "encrypted"), filepath.Join(t.TempDir(), "decrypted")
	run(t, "openssl", "pkeyutl", "-encrypt", "-pubin", "-inkey", publicKey(t, "01"), "-in", secret, "-out", encrypted,
		"-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256")
	userTool(t, "--decrypt", "--id", "01", "-m", "RSA-PKCS-OAEP", "--hash-algorithm", "SHA256", "--mgf", "MGF1-SHA256", "-i", encrypted, "-o", decrypted)
	run(t, "cmp", secret, decrypted)
}

func TestPKCS11ToolChangesPIN(t *testing.T) {
	newToken(t)
	pkcs11Tool(t, "--token-label", label, "--login", "--pin", pin, "--change-pin", "--new-pin", "567890")
	if out, err := try(t, "pkcs11-tool", "--module", module(t), "--token-label", label, "--login", "--pin", pin, "-O"); err == nil {
		t.Errorf("the old PIN is still good:\n%s", out)
	} else {
		contains(t, out, "CKR_PIN_INCORRECT")
	}
	pkcs11Tool(t, "--token-label", label, "--login", "--pin", "567890", "-O")
}

// A key made elsewhere is written into the token, and signs.
func TestPKCS11ToolImports(t *testing.T) {
	newToken(t)
	dir := t.TempDir()
	pem, der, pub, cert := filepath.Join(dir, "key.pem"), filepath.Join(dir, "key.der"), filepath.Join(dir, "pub.pem"), filepath.Join(dir, "cert.der")
	run(t, "openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", pem)
	run(t, "openssl", "rsa", "-in", pem, "-outform", "DER", "-out", der)
	run(t, "openssl", "pkey", "-in", pem, "-pubout", "-out", pub)
	run(t, "openssl", "req", "-new", "-x509", "-key", pem, "-subj", "/CN=imported", "-outform", "DER", "-out", cert)
	userTool(t, "--write-object", der, "--type", "privkey", "--id", "07", "--label", "imported", "--usage-sign")
	userTool(t, "--write-object", cert, "--type", "cert", "--id", "07", "--label", "imported")
	contains(t, userTool(t, "-O"), "Certificate Object; type = X.509 cert", "CN=imported")
	message, signature := file(t, "message", "imported"), filepath.Join(dir, "signature")
	userTool(t, "--sign", "--id", "07", "-m", "SHA256-RSA-PKCS", "-i", message, "-o", signature)
	contains(t, opensslVerify(t, pub, message, signature), "Verified OK")
}

// softhsm2-util imports into any module: C_CreateObject with all parts of the key.
func TestSoftHSMUtilImports(t *testing.T) {
	newToken(t)
	for id, args := range map[string][]string{
		"a1": {"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"},
		"a2": {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"},
	} {
		key := filepath.Join(t.TempDir(), "key.pem")
		run(t, "openssl", append([]string{"genpkey", "-out", key}, args...)...)
		out := run(t, "softhsm2-util", "--module", module(t), "--import", key, "--token", label, "--label", "imported "+id, "--id", id, "--pin", pin)
		contains(t, out, "has been imported")
		pub := filepath.Join(t.TempDir(), "pub.pem")
		run(t, "openssl", "pkey", "-in", key, "-pubout", "-out", pub)
		run(t, "cmp", pub, publicKey(t, id))
	}
}

// publicKey reads a public key out of the token, as PEM.
func publicKey(t *testing.T, id string) string {
	t.Helper()
	der, pem := filepath.Join(t.TempDir(), "key.der"), filepath.Join(t.TempDir(), "key.pem")
	pkcs11Tool(t, "--token-label", label, "--read-object", "--type", "pubkey", "--id", id, "-o", der)
	run(t, "openssl", "pkey", "-pubin", "-inform", "DER", "-in", der, "-pubout", "-out", pem)
	return pem
}

func opensslVerify(t *testing.T, key, message, signature string, args ...string) string {
	t.Helper()
	command := []string{"dgst", "-sha256", "-verify", key, "-signature", signature}
	if len(args) > 0 && strings.HasPrefix(args[0], "-sha") {
		command[1], args = args[0], args[1:]
	}
	return run(t, "openssl", append(append(command, args...), message)...)
}
