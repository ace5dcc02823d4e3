package openssh

import (
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// Ed25519 logs in with an Ed25519 key where this OpenSSH knows such keys in tokens. One that does not must still see the others.
func Ed25519(t *testing.T) {
	kit.Tokens(t, mine, func(t *testing.T, k *kit.Token) {
		const did = "ssh-agent: logs in with an Ed25519 key"
		k.Generate(t, "ed25519", "ed25519")
		k.Generate(t, "p256", "p256")
		keys := publicKeys(t, k)
		if keys["ecdsa-sha2-nistp256"] == "" {
			t.Fatalf("the other key is not listed: %q", keys)
		}
		if !knowsEd25519(t) {
			if out := kit.Run(t, kit.User, "ssh-keygen", "-vv", "-D", kit.Module); !strings.Contains(out, "unsupported key type") {
				t.Fatalf("it lists no Ed25519 key, and does not say that it knows none:\n%s", out)
			}
			kit.NotRun(t, k, "OpenSSH", client, did, "OpenSSH before 10.1 knows RSA and ECDSA keys in tokens only")
		}
		kit.Row(t, k, "OpenSSH", client, did)
		serve(t)
		authorize(t, keys[ed25519.name])
		a := StartAgent(t)
		a.Add(t, k)
		kit.Contains(t, run(t, a.Command(t, login[0], login[1:]...)), loggedIn)
	})
}
