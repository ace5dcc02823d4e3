package openssh

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// Certificate has keys in the token certify a user's key, whom sshd then trusts by the authority's public key only.
func Certificate(t *testing.T) {
	for how, sign := range map[string]func(t *testing.T, k *kit.Token, ca string, args []string){
		"ssh-keygen -s ca.pub -D": func(t *testing.T, k *kit.Token, ca string, args []string) {
			t.Helper()
			args = append([]string{"-s", ca, "-D", kit.Module}, args...)
			if out, err := kit.Type(t, kit.Command(t, kit.User, "ssh-keygen", args...), kit.Answer{Question: prompt(k), Line: k.PIN}); err != nil {
				t.Fatalf("ssh-keygen: %v\n%s", err, out)
			}
		},
		"ssh-keygen -s ca.pub -U (ssh-agent)": func(t *testing.T, k *kit.Token, ca string, args []string) {
			t.Helper()
			a := StartAgent(t)
			a.Add(t, k)
			run(t, a.Command(t, "ssh-keygen", append([]string{"-U", "-s", ca}, args...)...))
		},
	} {
		_, name, _ := strings.Cut(how, "ca.pub ")
		t.Run(name, func(t *testing.T) {
			kit.Tokens(t, mine, func(t *testing.T, k *kit.Token) {
				kit.Row(t, k, "OpenSSH", client, how+": certifies keys with "+algorithms(t)+" keys")
				generateAll(t, k)
				keys := publicKeys(t, k)
				for _, x := range some(t) {
					t.Run(x.kind, func(t *testing.T) {
						serve(t) // one for each: sshd shuts addresses out that some logins have failed from (PerSourcePenalties)
						certified(t, keys[x.name], func(ca string, args []string) { sign(t, k, ca, args) })
					})
				}
			})
		})
	}
}

// certified makes a key in a file, has it certified, and logs in with it.
func certified(t *testing.T, authority string, sign func(ca string, args []string)) {
	t.Helper()
	dir := kit.Dir(t, kit.User)
	ca, key := filepath.Join(dir, "ca.pub"), filepath.Join(dir, "id")
	kit.Write(t, kit.User, ca, authority)
	kit.Run(t, kit.User, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	authorize(t, "cert-authority "+authority)
	args := []string{"-i", key, "-o", "BatchMode=yes", "-o", "PKCS11Provider=none", login[1], login[2]}
	if out, err := kit.Try(t, kit.User, login[0], args...); err == nil {
		t.Fatalf("a login without a certificate: %s", out)
	}
	sign(ca, []string{"-I", "alice@machine", "-n", kit.User, "-V", "+1h", key + ".pub"})
	if _, err := os.Stat(key + "-cert.pub"); err != nil {
		t.Fatal(err)
	}
	kit.Contains(t, kit.Run(t, kit.User, login[0], args...), loggedIn)
}
