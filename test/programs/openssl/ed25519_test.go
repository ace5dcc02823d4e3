package openssl_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
	"github.com/ncrypt11/ncrypt11/test/programs/openssl/commands"
)

// libp11 0.4.12 gives up listing private keys at the first one of a type that it does not know, whatever the token, and so finds no other key either.
func TestEd25519(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		k.Generate(t, "p256", "ec")
		o := commands.New(t, k, commands.Engine)
		o.Digests(t, "ec")
		k.Generate(t, "ed25519", "ed")
		args := append([]string{"pkey", "-inform", "engine", "-engine", "pkcs11", "-pubout"}, "-in", o.URI("ec"))
		out, err := kit.Try(t, k.Owner, "openssl", args...)
		if err == nil {
			t.Fatal("libp11 can do it now: expect that it works")
		}
		kit.Contains(t, out, "Unable to enumerate private keys")
		kit.NotRun(t, k, program, debian, "keys in a token that has an Ed25519 key, too",
			"libp11 0.4.12 finds no private key in such a token: keep Ed25519 keys in another one")
	})
}
