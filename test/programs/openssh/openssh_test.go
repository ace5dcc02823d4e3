// Package openssh_test has OpenSSH use keys in tokens.
package openssh_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

func TestMain(m *testing.M) { kit.Main(m, "bookworm") }

func TestKeygen(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "OpenSSH", "openssh-client", "ssh-keygen -D lists RSA and ECDSA keys")
		k.Generate(t, "rsa2048", "rsa")
		k.Generate(t, "p256", "ec")
		kit.Contains(t, kit.Run(t, kit.User, "ssh-keygen", "-D", kit.Module), "ssh-rsa AAAA", "ecdsa-sha2-nistp256 AAAA")
	})
}
