package openssh

import (
	"slices"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// Keygen lists the public keys without a PIN.
func Keygen(t *testing.T) {
	kit.Tokens(t, mine, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "OpenSSH", client, "ssh-keygen -D: lists "+algorithms(t)+" keys")
		generateAll(t, k)
		keys := publicKeys(t, k)
		for _, x := range kinds(t) {
			if line := keys[x.name]; !strings.HasSuffix(strings.TrimSpace(line), " "+x.kind) {
				t.Errorf("the key %s is listed as %q", x.kind, line)
			}
		}
	})
}

// Login logs in with each key, as PKCS11Provider in ~/.ssh/config has it, and types the PIN at a terminal.
func Login(t *testing.T) {
	kit.Tokens(t, mine, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "OpenSSH", client, "logs in with "+algorithms(t)+" keys, PKCS11Provider")
		generateAll(t, k)
		serve(t)
		keys := publicKeys(t, k)
		kit.Apply(t, kit.User, []kit.Section{section(t, k.Config(t, "ssh", ""), "PKCS11Provider")})
		for _, x := range kinds(t) {
			authorize(t, keys[x.name])
			loginAtTerminal(t, k, login...)
		}
	})
}

// LoginOnce logs in with the module named in the command.
func LoginOnce(t *testing.T) {
	kit.Tokens(t, mine, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "OpenSSH", client, "ssh -I: logs in, and does not with a wrong PIN")
		k.Generate(t, "p256", "p256")
		serve(t)
		authorize(t, publicKeys(t, k)["ecdsa-sha2-nistp256"])
		args := slices.Insert(slices.Clone(login), 1, "-I", kit.Module)
		refused(t, k, args...) // once: a TPM counts wrong PINs of all tokens, and this one takes three
		loginAtTerminal(t, k, args...)
	})
}

// loginAtTerminal logs in and types the PIN.
func loginAtTerminal(t *testing.T, k *kit.Token, args ...string) {
	t.Helper()
	out, err := kit.Type(t, kit.Command(t, kit.User, args[0], args[1:]...), kit.Answer{Question: prompt(k), Line: k.PIN})
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	kit.Contains(t, out, loggedIn)
}

// refused logs in, types a wrong PIN, and must not get in.
func refused(t *testing.T, k *kit.Token, args ...string) {
	t.Helper()
	args = append([]string{args[0], "-o", "PreferredAuthentications=publickey"}, args[1:]...)
	out, err := kit.Type(t, kit.Command(t, kit.User, args[0], args[1:]...), kit.Answer{Question: prompt(k), Line: k.PIN + "1"})
	if err == nil || !strings.Contains(out, "Permission denied (publickey") {
		t.Errorf("%v with a wrong PIN: %v\n%s", args, err, out)
	}
}

// prompt is what ssh asks for the PIN with.
func prompt(k *kit.Token) string { return "Enter PIN for '" + k.Label + "'" }
