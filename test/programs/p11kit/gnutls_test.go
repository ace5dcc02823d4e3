package p11kit_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// p11tool is the tool with the token, logged in.
func p11tool(t *testing.T, k *kit.Token, args ...string) string {
	t.Helper()
	return kit.Run(t, kit.User, "p11tool", append([]string{"--login", "--set-pin", k.PIN}, args...)...)
}

func TestP11toolKeys(t *testing.T) {
	tokens(t, "p11tool", "gnutls-bin", "generates RSA, EC and Ed25519 keys, lists, signs, renames, deletes", func(t *testing.T, k *kit.Token) {
		token := "pkcs11:token=" + k.Label
		kit.Contains(t, kit.Run(t, kit.User, "p11tool", "--list-tokens"), "token="+k.Label, "Flags: RNG, Requires login")
		for _, args := range [][]string{
			{"--generate-privkey=rsa", "--bits=2048", "--label=rsa"}, {"--generate-privkey=ecdsa", "--curve=secp384r1", "--label=ec"},
			{"--generate-privkey=ed25519", "--label=ed"},
		} {
			p11tool(t, k, append(args, "--outfile=/dev/null", token)...)
		}
		kit.Contains(t, kit.Run(t, kit.User, "p11tool", "--list-all", token), "Public key (RSA-2048)", "Public key (EC/ECDSA-SECP384R1)")
		kit.Contains(t, p11tool(t, k, "--list-all", token), "Private key (RSA-2048)", "Private key (EdDSA", "CKA_NEVER_EXTRACTABLE; CKA_SENSITIVE")
		for _, label := range []string{"rsa", "ec"} {
			kit.Contains(t, p11tool(t, k, "--test-sign", k.URI(label, "private")), "Verifying against public key in the token... ok")
		}
		kit.Contains(t, p11tool(t, k, "--test-sign", "--sign-params=rsa-pss", k.URI("rsa", "private")), "Signing using RSA-PSS-SHA256... ok")
		p11tool(t, k, "--set-label=renamed", k.URI("ec", "private"))
		p11tool(t, k, "--set-id=0c0d", k.URI("renamed", "private"))
		kit.Contains(t, p11tool(t, k, "--list-privkeys", token), "object=renamed", "ID: 0c:0d")
		kit.Contains(t, p11tool(t, k, "--batch", "--delete", k.URI("rsa", "")), "2 objects deleted")
		if out := p11tool(t, k, "--list-all", token); strings.Contains(out, "RSA-2048") {
			t.Errorf("the key is still there:\n%s", out)
		}
	})
}

func TestP11toolWrites(t *testing.T) {
	tokens(t, "p11tool", "gnutls-bin", "--write of a key, a certificate, a secret key; --export", func(t *testing.T, k *kit.Token) {
		token := "pkcs11:token=" + k.Label
		key, certificate := kit.NewCA(t).Pair(t, "p256", "imported")
		kit.Run(t, "root", "chmod", "644", key)
		p11tool(t, k, "--write", "--load-privkey", key, "--label=imported", token)
		p11tool(t, k, "--write", "--load-certificate", certificate, "--label=imported", token)
		p11tool(t, k, "--write", "--secret-key=00112233445566778899aabbccddeeff", "--label=secret", token)
		out := p11tool(t, k, "--list-all", token)
		kit.Contains(t, out, "Private key (EC/ECDSA-SECP256R1)", "X.509 Certificate (EC/ECDSA-SECP256R1)", "Type: Secret key")
		kit.Contains(t, p11tool(t, k, "--test-sign", k.URI("imported", "private")), "ok")
		exported := filepath.Join(kit.Dir(t, kit.User), "exported.pem")
		kit.Run(t, kit.User, "p11tool", "--export", "--outfile", exported, k.URI("imported", "cert"))
		print := func(file string) string {
			return kit.Run(t, kit.User, "openssl", "x509", "-in", file, "-noout", "-fingerprint", "-sha256")
		}
		if got, want := print(exported), print(certificate); got != want {
			t.Errorf("exported is %s, not %s", got, want)
		}
	})
}

func TestP11toolPINs(t *testing.T) {
	tokens(t, "p11tool", "gnutls-bin", "--initialize, --initialize-pin, --initialize-so-pin", func(t *testing.T, k *kit.Token) {
		token := "pkcs11:token=" + k.Label
		k.Generate(t, "p256", "old")
		kit.Run(t, kit.User, "p11tool", "--so-login", "--set-so-pin", kit.SOPIN, "--set-pin", "another", "--initialize-pin", token)
		kit.Contains(t, kit.Run(t, kit.User, "p11tool", "--login", "--set-pin", "another", "--list-privkeys", token), "object=old")
		kit.Run(t, kit.User, "p11tool", "--initialize", "--set-so-pin", kit.SOPIN, "--label", k.Label, token)
		kit.Run(t, kit.User, "p11tool", "--so-login", "--set-so-pin", kit.SOPIN, "--set-pin", k.PIN, "--initialize-pin", token)
		if out := p11tool(t, k, "--list-all", token); strings.Contains(out, "object=old") {
			t.Errorf("the key is still there:\n%s", out)
		}
	})
}
