package opensc_test

import (
	"encoding/hex"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

func TestDecrypts(t *testing.T) {
	tokens(t, "--decrypt with RSA PKCS #1 and OAEP what OpenSSL encrypted", func(p *tool) {
		p.generate("rsa:2048", "01")
		public, secret := p.publicKey("01"), p.file("secret", "a secret of 27 characters..")
		encrypted, decrypted := p.path("encrypted"), p.path("decrypted")
		p.openssl("pkeyutl", "-encrypt", "-pubin", "-inkey", public, "-in", secret, "-out", encrypted,
			"-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256")
		p.user("--decrypt", "--id", "01", "--mechanism", "RSA-PKCS-OAEP", "--hash-algorithm", "SHA256", "--mgf", "MGF1-SHA256",
			"--input-file", encrypted, "--output-file", decrypted)
		p.same(secret, decrypted)
		p.openssl("pkeyutl", "-encrypt", "-pubin", "-inkey", public, "-in", secret, "-out", encrypted)
		p.user("--decrypt", "--id", "01", "--mechanism", "RSA-PKCS", "--input-file", encrypted, "--output-file", decrypted)
		p.same(secret, decrypted)
	})
}

const (
	aesValue = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	aesIV    = "0f0e0d0c0b0a09080706050403020100"
)

// OpenSSL has the same AES key: it was written into the token, and comes into it encrypted under a key pair of the token.
func TestSecretKeys(t *testing.T) {
	tokens(t, "AES and HMAC keys: --keygen, --write-object, --unwrap, --encrypt, --decrypt", func(p *tool) {
		raw, err := hex.DecodeString(aesValue)
		if err != nil {
			p.t.Fatal(err)
		}
		value := p.file("aes", string(raw))
		p.user("--write-object", value, "--type", "secrkey", "--key-type", "AES:32", "--id", "0a", "--label", "aes", "--sensitive", "--usage-decrypt")
		p.isOpenSSLs("0a")

		p.generate("rsa:2048", "0b")
		wrapped := p.path("wrapped")
		p.openssl("pkeyutl", "-encrypt", "-pubin", "-inkey", p.publicKey("0b"), "-in", value, "-out", wrapped)
		p.user("--unwrap", "--mechanism", "RSA-PKCS", "--id", "0b", "--input-file", wrapped, "--key-type", "AES:", "--application-id", "0c",
			"--application-label", "unwrapped", "--sensitive")
		p.isOpenSSLs("0c")

		plain, mac := p.file("plain", "what HMAC keeps"), p.path("mac")
		p.user("--keygen", "--key-type", "GENERIC:64", "--id", "0d", "--label", "mac", "--usage-sign", "--sensitive")
		p.user("--sign", "--id", "0d", "--mechanism", "SHA256-HMAC", "--input-file", plain, "--output-file", mac)
		if sum, err := os.ReadFile(mac); err != nil || len(sum) != 32 {
			p.t.Errorf("an HMAC of %d bytes, %v", len(sum), err)
		}
	})
}

// isOpenSSLs encrypts with a key of the token what OpenSSL decrypts with its own, and the other way round.
func (p *tool) isOpenSSLs(id string) {
	p.t.Helper()
	plain, encrypted, again := p.file("plain", "what AES keeps"), p.path("encrypted"), p.path("again")
	cipher := []string{"--id", id, "--mechanism", "AES-CBC-PAD", "--iv", aesIV}
	p.user(append(cipher, "--encrypt", "--input-file", plain, "--output-file", encrypted)...)
	p.openssl("enc", "-d", "-aes-256-cbc", "-K", aesValue, "-iv", aesIV, "-in", encrypted, "-out", again)
	p.same(plain, again)
	p.openssl("enc", "-aes-256-cbc", "-K", aesValue, "-iv", aesIV, "-in", plain, "-out", encrypted)
	p.user(append(cipher, "--decrypt", "--input-file", encrypted, "--output-file", again)...)
	p.same(plain, again)
}

// A key leaves its token encrypted, under a key pair of it. Of a token whose keys are isolated at all events none does.
func TestWraps(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		p := newTool(t, k)
		keygen := []string{"--keygen", "--key-type", "AES:32", "--id", "0a", "--label", "aes", "--sensitive", "--extractable"}
		if k.Guarded {
			out, err := kit.Try(t, k.Owner, "pkcs11-tool", slices.Concat(p.args, []string{"--pin", k.PIN}, keygen)...)
			if err == nil {
				t.Error("a key whose isolation is required may leave")
			}
			kit.Contains(t, out, "CKR_TEMPLATE_INCONSISTENT")
			return
		}
		kit.Row(t, k, "pkcs11-tool", "opensc", "--wrap of an extractable AES key")
		p.user(keygen...)
		p.generate("rsa:2048", "0b")
		wrapped, encrypted := p.path("wrapped"), p.path("encrypted")
		p.user("--wrap", "--mechanism", "RSA-PKCS", "--id", "0b", "--application-id", "0a", "--output-file", wrapped)
		p.user("--unwrap", "--mechanism", "RSA-PKCS", "--id", "0b", "--input-file", wrapped, "--key-type", "AES:", "--application-id", "0c")
		plain, again := p.file("plain", "what AES keeps"), p.path("again")
		p.user("--encrypt", "--id", "0a", "--mechanism", "AES-CBC-PAD", "--iv", aesIV, "--input-file", plain, "--output-file", encrypted)
		p.user("--decrypt", "--id", "0c", "--mechanism", "AES-CBC-PAD", "--iv", aesIV, "--input-file", encrypted, "--output-file", again)
		p.same(plain, again)
	})
}

// Both sides get the same secret: one with the key in the token, one in OpenSSL. The tool reads keys of curves in its own form.
func TestDerives(t *testing.T) {
	tokens(t, "--derive with ECDH (P-256), and an X25519 key pair", func(p *tool) {
		p.generate("EC:prime256v1", "01", "--usage-derive")
		peer, peerPublic := p.path("peer.key"), p.path("peer.der")
		p.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", peer)
		p.openssl("pkey", "-in", peer, "-pubout", "-outform", "DER", "-out", peerPublic)
		ours, theirs := p.path("ours"), p.path("theirs")
		p.user("--derive", "--mechanism", "ECDH1-DERIVE", "--id", "01", "--input-file", peerPublic, "--output-file", ours)
		p.openssl("pkeyutl", "-derive", "-inkey", peer, "-peerkey", p.publicKey("01"), "-out", theirs)
		p.same(ours, theirs)
		p.generate("EC:curve25519", "02")
		kit.Contains(p.t, p.publicPEM("key02"), "BEGIN PUBLIC KEY")
	})
}

func TestDigestsAndRandom(t *testing.T) {
	tokens(t, "--hash, --generate-random", func(p *tool) {
		message, digest, reference := p.file("message", "hashed by the token"), p.path("digest"), p.path("reference")
		for _, hash := range []string{"SHA-1", "SHA256", "SHA384", "SHA512"} {
			p.public("--hash", "--mechanism", hash, "--input-file", message, "--output-file", digest)
			p.openssl("dgst", "-binary", "-"+strings.ToLower(strings.ReplaceAll(hash, "-", "")), "-out", reference, message)
			p.same(digest, reference)
		}
		random := p.path("random")
		p.public("--generate-random", "64", "--output-file", random)
		if made, err := os.ReadFile(random); err != nil || len(made) != 64 {
			p.t.Errorf("%d random bytes, %v", len(made), err)
		}
	})
}
