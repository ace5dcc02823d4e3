package golang_test

import (
	"encoding/json"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// hosted runs a test on a token of each kind, for a program in hosts, and records it.
func hosted(t *testing.T, name, program, library, did string, test func(t *testing.T, k *kit.Token, path string)) {
	t.Helper()
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		path := host(t, name)
		kit.Row(t, k, program, version(t, path, library), did)
		k.Generate(t, "rsa2048", "rsa")
		k.Generate(t, "p256", "ec")
		test(t, k, path)
	})
}

// The program has its own handler of SIGINT, and both runtimes have theirs for other signals. It is a child of this one, which is one in Go, too.
func TestCrypto11Host(t *testing.T) {
	const did = "100 goroutines sign while memory is collected; SIGINT is handled, and it ends in order"
	hosted(t, "crypto11", "crypto11 (ThalesGroup)", "github.com/ThalesGroup/crypto11", did, func(t *testing.T, k *kit.Token, path string) {
		for _, key := range []string{"rsa", "ec"} {
			d := kit.Start(t, kit.Command(t, kit.User, path, kit.Module, k.Label, k.PINFile(t, k.Owner), key, "100", strconv.Itoa(kit.Count(1000, 20000))))
			kit.Eventually(t, "it has signed", func() bool { return d.Ended() || strings.Contains(d.Printed(), "signed\n") })
			if err := d.Stop(t, syscall.SIGINT); err != nil {
				t.Error(err)
			}
			if out := d.Printed(); out != "signed\ninterrupted\n" {
				t.Errorf("it prints %q", out)
			}
		}
	})
}

func TestStep(t *testing.T) {
	const did = "signs with the key that ca.json names; makes, uses and deletes RSA and EC keys"
	hosted(t, "step", "step-ca (its KMS library)", "go.step.sm/crypto", did, func(t *testing.T, k *kit.Token, path string) {
		for _, key := range []string{"rsa", "ec"} {
			var ca struct {
				Key string
				KMS struct{ Type, URI string }
			}
			sections := k.Config(t, "step-ca", key, "--pin-file", k.PINFile(t, k.Owner))
			if err := json.Unmarshal([]byte("{"+sections[0].Text+"}"), &ca); err != nil || len(sections) != 1 || ca.KMS.Type != "pkcs11" {
				t.Fatalf("%v: config prints %+v", err, sections)
			}
			dir := kit.Dir(t, kit.User)
			cmd := kit.Command(t, kit.User, path, ca.KMS.URI, ca.Key, filepath.Join(dir, "signature"), filepath.Join(dir, "public"))
			cmd.Stdin = strings.NewReader(message)
			if out, err := kit.Output(cmd); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			verify(t, dir)
		}
	})
}

// cosign asks for the PIN at its terminal.
func TestCosign(t *testing.T) {
	const did = "signs with RSA and EC keys, and asks for the PIN"
	hosted(t, "cosign", "cosign (its PKCS #11 library)", "github.com/sigstore/cosign/v2", did, func(t *testing.T, k *kit.Token, path string) {
		for _, key := range []string{"rsa", "ec"} {
			sections := k.Config(t, "cosign", key)
			words := strings.Fields(sections[0].Text)
			if len(sections) != 1 || words[2] != "--key" {
				t.Fatalf("config prints %+v", sections)
			}
			dir := kit.Dir(t, kit.User)
			file := filepath.Join(dir, "file")
			kit.Write(t, kit.User, file, message)
			cmd := kit.Command(t, kit.User, path, strings.Trim(words[3], "'"), file, filepath.Join(dir, "signature"), filepath.Join(dir, "public"))
			if screen, err := kit.Type(t, cmd, kit.Answer{Question: "Enter PIN for key", Line: k.PIN}); err != nil {
				t.Fatalf("%v\n%s", err, screen)
			}
			verify(t, dir)
		}
	})
}

const message = "what programs in Go sign\n"

// verify has openssl verify the signature in a directory.
func verify(t *testing.T, dir string) {
	t.Helper()
	file := filepath.Join(dir, "message")
	kit.Write(t, kit.User, file, message)
	kit.Contains(t, kit.Run(t, kit.User, "openssl", "dgst", "-sha256", "-verify", filepath.Join(dir, "public"), "-signature", filepath.Join(dir, "signature"), file),
		"Verified OK")
}
