package openssh

import (
	"fmt"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// key is a kind of key, and how OpenSSH calls it.
type key struct{ kind, name string }

// ed25519 is the kind that this OpenSSH may not know in tokens.
var ed25519 = key{"ed25519", "ssh-ed25519"}

// kinds are the keys that this OpenSSH uses, one of each algorithm first.
func kinds(t *testing.T) []key {
	t.Helper()
	first, more := []key{{"rsa2048", "ssh-rsa"}, {"p256", "ecdsa-sha2-nistp256"}}, []key{{"p384", "ecdsa-sha2-nistp384"}, {"p521", "ecdsa-sha2-nistp521"}}
	if knowsEd25519(t) {
		first = append(first, ed25519)
	}
	return append(first, more...)
}

// some of them are enough for a look at what each key does in the same way.
func some(t *testing.T) []key {
	t.Helper()
	all := kinds(t)
	return all[:kit.Count(len(all)-2, len(all))]
}

// algorithms names those of the kinds in rows.
func algorithms(t *testing.T) string {
	t.Helper()
	if knowsEd25519(t) {
		return "RSA, ECDSA and Ed25519"
	}
	return "RSA and ECDSA"
}

// knowsEd25519 says whether this OpenSSH takes Ed25519 keys from tokens, which it does from 10.1 on.
func knowsEd25519(t *testing.T) bool {
	t.Helper()
	printed := kit.Run(t, kit.User, "ssh", "-V")
	var major, minor int
	if _, err := fmt.Sscanf(printed, "OpenSSH_%d.%d", &major, &minor); err != nil {
		t.Fatalf("ssh -V says no version: %v\n%s", err, printed)
	}
	return major > 10 || major == 10 && minor >= 1
}
