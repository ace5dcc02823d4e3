package java_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// keyed makes the keys that the programs use.
func keyed(t *testing.T, k *kit.Token) *store {
	t.Helper()
	k.NCrypt(t, "generate", "rsa2048", "--label", "rsa", "--self-signed")
	k.NCrypt(t, "generate", "p256", "--label", "ec", "--self-signed")
	k.Generate(t, "aes256", "aes")
	k.Generate(t, "hmac", "hmac")
	return setUp(t, k)
}

func TestCrypto(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "Java", jdk, "Signature, Cipher, KeyAgreement, Mac, MessageDigest, KeyPairGenerator and SecureRandom do what those of other providers do")
		s := keyed(t, k)
		kit.Contains(t, s.run(t, "Crypto"), "all is well")
		kit.Contains(t, k.NCrypt(t, "list", "--label", "kept"), "AES-256 secret key")
	})
}

// TestOAEP: the provider of this Java does not offer it. One that does is tried.
func TestOAEP(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		const did = "Cipher with RSA-OAEP"
		k.NCrypt(t, "generate", "rsa2048", "--label", "rsa", "--self-signed")
		out := setUp(t, k).run(t, "Oaep")
		if strings.Contains(out, "not offered") {
			kit.NotRun(t, k, "Java", jdk, did, "SunPKCS11 of Java 17 offers no such Cipher, whatever a module can do")
		}
		kit.Row(t, k, "Java", jdk, did)
		kit.Contains(t, out, "all is well")
	})
}

func TestThreads(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "Java", jdk, "20 threads sign and encrypt at once, throw, and start processes")
		t.Log(keyed(t, k).run(t, "Threads", "20", strconv.Itoa(kit.Count(20, 200))))
	})
}

func TestLogin(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "Java", jdk, "a CallbackHandler is asked for the PIN; logout and login")
		k.NCrypt(t, "generate", "p256", "--label", "ec", "--self-signed")
		kit.Contains(t, setUp(t, k).run(t, "Login", "ec"), "FailedLoginException", "CKR_PIN_INCORRECT", "asked 2 times")
	})
}
