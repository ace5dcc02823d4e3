package provider_test

import (
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
	"github.com/ncrypt11/ncrypt11/test/programs/openssl/commands"
)

const (
	program = "OpenSSL provider (pkcs11-provider)"
	debian  = "pkcs11-provider"
)

// withKeys runs a test on somebody's own token, with keys of several kinds.
func withKeys(t *testing.T, each func(*testing.T, kit.Spec, func(*testing.T, *kit.Token)), did string, test func(t *testing.T, o *commands.Tool)) {
	each(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, program, debian, did)
		for _, key := range [][2]string{{"rsa2048", "rsa"}, {"p256", "ec"}, {"p384", "ec384"}, {"ed25519", "ed"}} {
			k.Generate(t, key[0], key[1])
		}
		test(t, commands.New(t, k, commands.Provider))
	})
}

// What is printed for a key shows it, after the PIN was asked for.
func TestAsked(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, program, debian, "asks for the PIN")
		k.Generate(t, "p256", "ec")
		sections := k.Config(t, commands.Config, "ec")
		kit.Apply(t, k.Owner, sections[:1])
		printed, err := kit.Type(t, kit.Command(t, k.Owner, "sh", "-c", sections[1].Text), kit.Answer{Question: "pass phrase for PKCS#11", Line: k.PIN})
		if err != nil {
			t.Error(err)
		}
		kit.Contains(t, printed, "BEGIN PUBLIC KEY")
	})
}

func TestSign(t *testing.T) {
	withKeys(t, kit.EachLogin, "openssl dgst and pkeyutl -sign: RSA PKCS #1 and PSS, ECDSA, Ed25519", func(t *testing.T, o *commands.Tool) {
		for _, label := range []string{"rsa", "ec", "ec384"} {
			o.Digests(t, label)
		}
		o.Edwards(t, "ed")
	})
}

func TestAuthority(t *testing.T) {
	withKeys(t, kit.Tokens, "openssl req and x509: requests, and a certificate authority", func(t *testing.T, o *commands.Tool) {
		o.Authority(t, "rsa", "ec")
		o.Authority(t, "ec", "ed")
		o.Authority(t, "ed", "rsa")
	})
}

func TestMessages(t *testing.T) {
	withKeys(t, kit.Tokens, "openssl cms: signs and decrypts S/MIME", func(t *testing.T, o *commands.Tool) {
		ca := kit.NewCA(t)
		for _, label := range []string{"rsa", "ec"} {
			o.Mail(t, ca, label)
			o.Envelope(t, ca, label)
		}
	})
}

func TestDecrypt(t *testing.T) {
	withKeys(t, kit.Tokens, "openssl pkeyutl: RSA PKCS #1 and OAEP decryption, ECDH", func(t *testing.T, o *commands.Tool) {
		o.Decipher(t, "rsa")
		o.Derive(t, "ec")
		o.Derive(t, "ec384")
	})
}

func TestServer(t *testing.T) {
	withKeys(t, kit.Tokens, "openssl s_server: TLS 1.2 and 1.3 with RSA, ECDSA and Ed25519 keys", func(t *testing.T, o *commands.Tool) {
		ca := kit.NewCA(t)
		for _, label := range []string{"rsa", "ec", "ed"} {
			t.Run(label, func(t *testing.T) { o.Serve(t, ca, label, kit.Count(10, 1000)) })
		}
	})
}

func TestClient(t *testing.T) {
	withKeys(t, kit.EachLogin, "openssl s_client: client certificates, TLS 1.2 and 1.3", func(t *testing.T, o *commands.Tool) {
		ca := kit.NewCA(t)
		for _, label := range []string{"rsa", "ec", "ed"} {
			o.Connect(t, ca, label)
		}
	})
}

// Keys that OpenSSL makes in the token can be used like others, and the token has them when OpenSSL has ended.
func TestGenerate(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, program, debian, "openssl genpkey and storeutl: makes RSA, EC and Ed25519 keys in the token, and lists them")
		o := commands.New(t, k, commands.Provider)
		o.Generate(t, "rsa", "RSA", "rsa_keygen_bits:2048")
		o.Generate(t, "ec", "EC", "ec_paramgen_curve:P-256")
		o.Generate(t, "ed", "ED25519", "")
		o.Digests(t, "rsa")
		o.Digests(t, "ec")
		o.Edwards(t, "ed")
		listed := o.Run(t, "storeutl", "-keys", "-noout", o.All())
		if n := strings.Count(listed, "Pkey"); n != 3 {
			t.Errorf("%d keys are listed:\n%s", n, listed)
		}
	})
}

func TestCurl(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "curl (OpenSSL provider)", "curl", "client certificates from the token, TLS 1.2 and 1.3")
		kit.Apply(t, k.Owner, k.Config(t, commands.Config, ""))
		commands.Curl(t, k)
	})
}

func TestLibp11(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "libp11", "libp11-3t64", "a program in C lists keys and signs")
		n := kit.Count(10, 1000)
		if made := commands.Libp11(t, k, "../openssl/hosts/libp11.c", "sign", n); made["parent"] != n {
			t.Errorf("signatures: %v", made)
		}
	})
}

func TestLibp11Fork(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "libp11", "libp11-3t64", "forked children sign with the key that their parent had opened")
		n := kit.Count(10, 200)
		if made := commands.Libp11(t, k, "../openssl/hosts/libp11.c", "fork", n); made["parent"] != n || made["child"] != n {
			t.Errorf("signatures: %v", made)
		}
	})
}
