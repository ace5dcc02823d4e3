package signing_test

import (
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// S/MIME: somebody else verifies, who trusts the authority and has nothing else, and OpenSSL encrypts. (OpenSSL does not take every signature: gpg-agent puts a
// zero before those of cards that begin with a one bit.) The test's authority has no list of what it revoked.
func TestSMIME(t *testing.T) {
	kit.Tokens(t, mine, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "GnuPG", "gnupg-pkcs11-scd", "S/MIME (gpgsm) with RSA keys: signs, decrypts")
		ca := setUp(t, k)
		fingerprint := kit.Shell(t, "root", "openssl x509 -in "+ca.File+" -noout -fingerprint -sha1 | cut -d= -f2")
		trust := "gpgsm -q --import " + ca.File + "; echo " + strings.TrimSpace(fingerprint) + " S relax >>$GNUPGHOME/trustlist.txt; "
		kit.Shell(t, kit.User, "export GNUPGHOME=$HOME/.gnupg; "+trust)
		kit.Apply(t, kit.User, []kit.Section{section(t, k.Config(t, "gnupg", ""), "--learn-card")})
		dir := dirWith(t, "message", "from Alice\n")
		const sign = "gpgsm --disable-crl-checks --local-user alice@example.org --detach-sign message >message.p7s"
		run(t, in(t, dir, "mkdir -m 700 other; export GNUPGHOME=$PWD/other; "+trust+"gpgconf --kill all"))
		const verify = "export GNUPGHOME=$PWD/other; gpgsm --disable-crl-checks --verify message.p7s message"
		typePIN(t, k, dir, sign)
		for range kit.Count(2, 50) {
			run(t, in(t, dir, sign))
			kit.Contains(t, run(t, in(t, dir, verify)), "Good signature from \"/CN=alice\"")
		}
		if out, err := kit.Output(in(t, dir, "echo more >>message; "+verify)); err == nil {
			t.Errorf("another message has that signature:\n%s", out)
		}
		run(t, in(t, dir, "ncrypt11 export '"+k.URI("alice", "cert")+"' >alice.pem"))
		run(t, in(t, dir, "echo 'for Alice' | openssl cms -encrypt -binary -aes256 -outform DER -out secret.p7m alice.pem"))
		kit.Contains(t, run(t, in(t, dir, "gpgsm --decrypt secret.p7m")), "for Alice")
	})
}
