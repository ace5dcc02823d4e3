package openssl_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
	"github.com/ncrypt11/ncrypt11/test/programs/openssl/commands"
)

const (
	program = "OpenSSL engine (libp11)"
	debian  = "libengine-pkcs11-openssl"
)

// withKeys runs a test on somebody's own token, with keys of the kinds that the engine knows.
func withKeys(t *testing.T, each func(*testing.T, kit.Spec, func(*testing.T, *kit.Token)), did string, test func(t *testing.T, o *commands.Tool)) {
	each(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, program, debian, did)
		k.Generate(t, "rsa2048", "rsa")
		k.Generate(t, "p256", "ec")
		test(t, commands.New(t, k, commands.Engine))
	})
}

// What is printed for a key shows it, after the PIN was asked for.
func TestAsked(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, program, debian, "asks for the PIN")
		k.Generate(t, "p256", "ec")
		sections := k.Config(t, commands.Config, "ec")
		kit.Apply(t, k.Owner, sections[:1])
		printed, err := kit.Type(t, kit.Command(t, k.Owner, "sh", "-c", sections[1].Text), kit.Answer{Question: "PIN for " + k.Label, Line: k.PIN})
		if err != nil {
			t.Error(err)
		}
		kit.Contains(t, printed, "BEGIN PUBLIC KEY")
	})
}

func TestSign(t *testing.T) {
	withKeys(t, kit.EachLogin, "openssl dgst -sign: RSA PKCS #1 and PSS, ECDSA", func(t *testing.T, o *commands.Tool) {
		o.Digests(t, "rsa")
		o.Digests(t, "ec")
	})
}

func TestAuthority(t *testing.T) {
	withKeys(t, kit.Tokens, "openssl req and x509: requests, and a certificate authority", func(t *testing.T, o *commands.Tool) {
		o.Authority(t, "rsa", "ec")
		o.Authority(t, "ec", "rsa")
	})
}

func TestMessages(t *testing.T) {
	withKeys(t, kit.Tokens, "openssl cms: signs and decrypts S/MIME", func(t *testing.T, o *commands.Tool) {
		ca := kit.NewCA(t)
		o.Mail(t, ca, "rsa")
		o.Mail(t, ca, "ec")
		o.Envelope(t, ca, "rsa")
		o.Envelope(t, ca, "ec")
	})
}

func TestDecrypt(t *testing.T) {
	withKeys(t, kit.Tokens, "openssl pkeyutl: RSA PKCS #1 and OAEP decryption, ECDH", func(t *testing.T, o *commands.Tool) {
		o.Decipher(t, "rsa")
		o.Derive(t, "ec")
	})
}

func TestServer(t *testing.T) {
	withKeys(t, kit.Tokens, "openssl s_server: TLS 1.2 and 1.3 with RSA and ECDSA keys", func(t *testing.T, o *commands.Tool) {
		ca := kit.NewCA(t)
		for _, label := range []string{"rsa", "ec"} {
			t.Run(label, func(t *testing.T) { o.Serve(t, ca, label, kit.Count(10, 1000)) })
		}
	})
}

func TestClient(t *testing.T) {
	withKeys(t, kit.EachLogin, "openssl s_client: client certificates, TLS 1.2 and 1.3", func(t *testing.T, o *commands.Tool) {
		ca := kit.NewCA(t)
		o.Connect(t, ca, "rsa")
		o.Connect(t, ca, "ec")
	})
}
