package signing_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// setUp sets GnuPG up as the snippet has it, with a key that the token has a certificate of.
func setUp(t *testing.T, k *kit.Token) *kit.CA {
	t.Helper()
	kit.Fresh(t, filepath.Join(kit.Home, ".gnupg"))
	ca := kit.NewCA(t)
	certified(t, k, ca, "rsa2048", "alice")
	for _, s := range k.Config(t, "gnupg", "") {
		if s.Action != "run" || strings.Contains(s.Text, "chmod") {
			kit.Apply(t, kit.User, []kit.Section{s})
		}
	}
	t.Cleanup(func() { kit.Run(t, kit.User, "gpgconf", "--kill", "all") })
	return ca
}

// typePIN answers the first question for the PIN, which pinentry shows at the terminal.
func typePIN(t *testing.T, k *kit.Token, dir, script string, answers ...kit.Answer) string {
	t.Helper()
	if k.PIN != "" {
		answers = append(answers, kit.Answer{Question: "PIN ___", Line: k.PIN})
	}
	out, err := kit.Type(t, in(t, dir, script), answers...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return out
}

// makeOpenPGPKey answers what the snippet's command asks.
func makeOpenPGPKey(t *testing.T, k *kit.Token) {
	t.Helper()
	typePIN(t, k, "/", section(t, k.Config(t, "gnupg", ""), "--full-generate-key").Text, []kit.Answer{
		{Question: "Your selection?", Line: "14"}, // Existing key from card
		{Question: "Your selection?", Line: "1"},
		{Question: "Your selection?", Line: "Q"}, // sign, certify, encrypt: as it is
		{Question: "Key is valid for?", Line: "0"},
		{Question: "(y/N)", Line: "y"},
		{Question: "Real name:", Line: "Alice"},
		{Question: "Email address:", Line: "alice@example.org"},
		{Question: "Comment:", Line: ""},
		{Question: "(O)kay", Line: "O"},
	}...)
}

// OpenPGP: somebody else verifies and encrypts, who has the public key only.
func TestOpenPGP(t *testing.T) {
	kit.EachLogin(t, mine, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "GnuPG", "gnupg-pkcs11-scd", "OpenPGP with RSA keys: makes a key, signs, decrypts")
		setUp(t, k)
		makeOpenPGPKey(t, k)
		dir := dirWith(t, "message", "from Alice\n")
		run(t, in(t, dir, "gpgconf --kill all; gpg --armor --export alice@example.org >alice.asc"))
		other := "mkdir -pm 700 other; export GNUPGHOME=$PWD/other; gpg -q --import alice.asc; "
		typePIN(t, k, dir, "gpg --yes --detach-sign message")
		for range kit.Count(3, 100) { // the agent's scdaemon is logged in from now on
			run(t, in(t, dir, "gpg --yes --detach-sign message"))
			kit.Contains(t, run(t, in(t, dir, other+"gpg --verify message.sig message")), "Good signature from \"Alice <alice@example.org>\"")
		}
		if out, err := kit.Output(in(t, dir, other+"echo more >>message; gpg --verify message.sig message")); err == nil {
			t.Errorf("another message has that signature:\n%s", out)
		}
		run(t, in(t, dir, other+"echo 'for Alice' | gpg --trust-model always --encrypt --recipient alice@example.org >secret.gpg; gpgconf --kill all"))
		kit.Contains(t, run(t, in(t, dir, "gpg --decrypt secret.gpg")), "for Alice")
	})
}
