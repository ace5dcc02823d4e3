package signing_test

import (
	"path/filepath"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
	"github.com/ncrypt11/ncrypt11/test/programs/openssh"
)

// newRepository makes a repository of the user's with something to commit.
func newRepository(t *testing.T) string {
	t.Helper()
	dir := dirWith(t, "file", "something\n")
	run(t, in(t, dir, "git init -q; git add file; git config user.name Alice; git config user.email alice@example.org"))
	return dir
}

func TestGitWithOpenPGP(t *testing.T) {
	kit.Tokens(t, mine, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "Git", "git", "signs commits and tags with an OpenPGP key, through gnupg-pkcs11-scd")
		setUp(t, k)
		makeOpenPGPKey(t, k)
		dir := newRepository(t)
		run(t, in(t, dir, "gpgconf --kill all"))
		typePIN(t, k, dir, "export GPG_TTY=$(tty); git commit -q -S -m signed")
		run(t, in(t, dir, "git tag -s -m signed v1"))
		other := "gpg --export alice@example.org >alice.gpg; mkdir -m 700 other; export GNUPGHOME=$PWD/other; gpg -q --import alice.gpg; "
		out := run(t, in(t, dir, other+"git verify-commit HEAD; git verify-tag v1"))
		kit.Contains(t, out, "Good signature from \"Alice <alice@example.org>\"")
	})
}

func TestGitWithSSH(t *testing.T) {
	kit.Tokens(t, mine, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "Git", "git", "signs commits and tags with an SSH key, through ssh-agent")
		k.Generate(t, "p256", "p256")
		a := openssh.StartAgent(t)
		a.Add(t, k)
		key := a.Keys(t)[0]
		dir := newRepository(t)
		kit.Write(t, kit.User, filepath.Join(dir, "key.pub"), key)
		kit.Write(t, kit.User, filepath.Join(dir, "signers"), "alice@example.org "+key)
		run(t, in(t, dir, "git config gpg.format ssh; git config user.signingkey $PWD/key.pub; git config gpg.ssh.allowedSignersFile $PWD/signers"))
		sign := a.Command(t, "sh", "-euc", "git commit -q -S -m signed; git tag -s -m signed v1")
		sign.Dir = dir
		run(t, sign)
		kit.Contains(t, run(t, in(t, dir, "git verify-commit HEAD; git verify-tag v1")), "Good \"git\" signature for alice@example.org")
	})
}
