package clients_test

import (
	"path/filepath"
	"testing"
)

// The engine of libp11 finds the module in its environment. What it signs is verified by OpenSSL alone.
func TestOpenSSLEngine(t *testing.T) {
	newTokenWithKeys(t)
	t.Setenv("PKCS11_MODULE_PATH", module(t))
	dir := t.TempDir()
	message := file(t, "message", "signed through the engine\n")
	for name, uri := range map[string]string{"rsa": rsaURI, "ec": ecURI} {
		t.Run(name, func(t *testing.T) {
			private := uri + ";type=private;pin-value=" + pin
			certificate, signature, public := filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".sig"), filepath.Join(dir, name+".pub")
			run(t, "openssl", "req", "-engine", "pkcs11", "-keyform", "engine", "-key", private, "-new", "-x509", "-subj", "/CN="+name, "-out", certificate)
			contains(t, run(t, "openssl", "verify", "-CAfile", certificate, "-check_ss_sig", certificate), "OK")
			run(t, "openssl", "x509", "-in", certificate, "-noout", "-pubkey", "-out", public)
			run(t, "openssl", "dgst", "-sha256", "-engine", "pkcs11", "-keyform", "engine", "-sign", private, "-out", signature, message)
			contains(t, opensslVerify(t, public, message, signature), "Verified OK")
		})
	}
}

func TestOpenSSLEnginePSS(t *testing.T) {
	newTokenWithKeys(t)
	t.Setenv("PKCS11_MODULE_PATH", module(t))
	message, signature := file(t, "message", "PSS through the engine"), filepath.Join(t.TempDir(), "signature")
	pss := []string{"-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"}
	run(t, "openssl", append(append([]string{"dgst", "-sha256", "-engine", "pkcs11", "-keyform", "engine", "-sign", rsaURI + ";type=private;pin-value=" + pin,
		"-out", signature}, pss...), message)...)
	contains(t, opensslVerify(t, publicKey(t, "01"), message, signature, pss...), "Verified OK")
}
