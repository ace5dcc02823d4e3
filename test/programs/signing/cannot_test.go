package signing_test

import (
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// What these programs cannot do, with keys in whatever token.

func TestGnuPGWithECDSA(t *testing.T) {
	kit.Tokens(t, mine, func(t *testing.T, k *kit.Token) {
		ca := setUp(t, k)
		certified(t, k, ca, "p256", "ecdsa")
		found := kit.Run(t, kit.User, "gpg-connect-agent", "SCD LEARN --force", "/bye")
		kit.Contains(t, found, "/CN=alice on ")
		if strings.Contains(found, "/CN=ecdsa on ") {
			t.Fatalf("gnupg-pkcs11-scd finds the ECDSA key, which could be tried then:\n%s", found)
		}
		kit.NotRun(t, k, "GnuPG", "gnupg-pkcs11-scd", "OpenPGP and S/MIME with ECDSA keys", "this gnupg-pkcs11-scd shows RSA keys only")
	})
}

func TestXMLSec(t *testing.T) {
	kit.Tokens(t, mine, func(t *testing.T, k *kit.Token) {
		out, err := kit.Try(t, kit.User, "xmlsec1", "--sign", "--crypto", "nss", "document.xml")
		if err == nil || !strings.Contains(out, "the only available crypto library is 'openssl'") {
			t.Fatalf("xmlsec1 with NSS: %v, which could be tried then:\n%s", err, out)
		}
		kit.NotRun(t, k, "xmlsec1", "xmlsec1", "signs XML documents with NSS", "Debian's xmlsec1 is built with OpenSSL only")
	})
}
