package opensc_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// signature is a way to sign, and what openssl dgst must be told to verify it.
type signature struct {
	mechanism string
	verify    []string
}

// hashOf is openssl's option for the digest that the mechanism's name has in it.
func (s *signature) hashOf() string {
	for _, hash := range []string{"SHA3-256", "SHA224", "SHA384", "SHA512"} {
		if strings.Contains(s.mechanism, hash) {
			return "-" + strings.ToLower(hash)
		}
	}
	return "-sha256"
}

// signs has the token sign a file, and openssl verify it with the public key alone.
func (p *tool) signs(id, name string, s signature, public string) {
	p.t.Helper()
	message, out := p.file("message", "signed by the token, verified without it: "+name+"\n"), p.path("signature")
	args := []string{"--sign", "--id", id, "--mechanism", s.mechanism, "--input-file", message, "--output-file", out}
	if strings.HasPrefix(s.mechanism, "ECDSA") {
		args = append(args, "--signature-format", "openssl")
	}
	p.user(args...)
	kit.Contains(p.t, p.openssl(slices.Concat([]string{"dgst", s.hashOf(), "-verify", public, "-signature", out}, s.verify, []string{message})...), "Verified OK")
	verify := slices.Concat([]string{"--verify"}, args[1:7], []string{"--signature-file", out}, args[9:])
	kit.Contains(p.t, p.user(verify...), "Signature is valid")
}

func TestSigns(t *testing.T) {
	pss := []string{"-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"}
	tokens(t, "makes RSA and EC keys; --sign with PKCS #1, PSS, ECDSA; --verify", func(p *tool) {
		for i, key := range []struct {
			kind       string
			signatures []signature
		}{
			{"rsa:2048", []signature{
				{"SHA256-RSA-PKCS", nil}, {"SHA384-RSA-PKCS", nil}, {"SHA512-RSA-PKCS", nil}, {"SHA256-RSA-PKCS-PSS", pss}, {"SHA512-RSA-PKCS-PSS", pss},
			}},
			{"rsa:" + strconv.Itoa(kit.Count(2048, 4096)), []signature{{"SHA224-RSA-PKCS", nil}}},
			{"EC:prime256v1", []signature{{"ECDSA-SHA256", nil}, {"ECDSA-SHA512", nil}}},
			{"EC:secp384r1", []signature{{"ECDSA-SHA384", nil}}},
			{"EC:secp521r1", []signature{{"ECDSA-SHA512", nil}}},
		} {
			id := "0" + string(rune('1'+i))
			p.generate(key.kind, id)
			public := p.file("public"+id, p.publicPEM("key"+id)) // the tool has its difficulties with P-384
			for _, s := range key.signatures {
				p.signs(id, key.kind, s, public)
			}
		}
	})
}

// The tool cannot write Ed25519 keys out as other programs read them.
func TestSignsEd25519(t *testing.T) {
	tokens(t, "makes an Ed25519 key; --sign with EDDSA", func(p *tool) {
		p.generate("EC:edwards25519", "01")
		message, signature := p.file("message", "signed with Ed25519"), p.path("signature")
		p.user("--sign", "--id", "01", "--mechanism", "EDDSA", "--input-file", message, "--output-file", signature)
		public := p.file("public.pem", p.publicPEM("key01"))
		kit.Contains(p.t, p.openssl("pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin", "-in", message, "-sigfile", signature), "Verified Successfully")
	})
}

// publicPEM is a public key as ncrypt11 shows it.
func (p *tool) publicPEM(label string) string {
	p.t.Helper()
	var printed struct {
		Objects []struct {
			PublicKey string `json:"public_key"`
		}
	}
	out := kit.Run(p.t, kit.User, "ncrypt11", "list", "--token", p.k.Serial, "--label", label, "--type", "public", "--json")
	if err := json.Unmarshal([]byte(out), &printed); err != nil || len(printed.Objects) != 1 {
		p.t.Fatalf("%v\n%s", err, out)
	}
	return printed.Objects[0].PublicKey
}

// A key that wants the PIN before each use gets it.
func TestAlwaysAuthenticates(t *testing.T) {
	tokens(t, "a key that needs the PIN for each use (--always-auth)", func(p *tool) {
		p.generate("rsa:2048", "01", "--always-auth")
		kit.Contains(p.t, p.user("--list-objects", "--type", "privkey"), "always authenticate")
		p.signs("01", "with the PIN again", signature{mechanism: "SHA256-RSA-PKCS"}, p.publicKey("01"))
	})
}
