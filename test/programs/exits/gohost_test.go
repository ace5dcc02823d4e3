package exits_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"os"
	"testing"

	"github.com/ThalesIgnite/crypto11"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// goHostVariable has this test program be a program in Go that uses crypto11: its value is the token's label, its PIN and how to end.
const goHostVariable = "TEST_GO_HOST"

// goHost signs, and ends. There are two Go runtimes in the process then.
func goHost(args []string) {
	label, pin, how := args[0], args[1], args[2]
	c, err := crypto11.Configure(&crypto11.Config{Path: kit.Module, TokenLabel: label, Pin: pin})
	if err != nil {
		fail(err)
	}
	signer, err := c.FindKeyPair(nil, []byte(kit.SignerLabel))
	if err != nil || signer == nil {
		fail(fmt.Errorf("no key: %w", err))
	}
	digest := sha256.Sum256([]byte(how))
	signature, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		fail(err)
	}
	if !ecdsa.VerifyASN1(signer.Public().(*ecdsa.PublicKey), digest[:], signature) {
		fail(fmt.Errorf("the signature is not good"))
	}
	fmt.Println("signed")
	switch how {
	case "close":
		if err := c.Close(); err != nil {
			fail(err)
		}
		os.Exit(0)
	case "exit":
		os.Exit(3)
	case "signing":
		for range 4 {
			go func() {
				for {
					if _, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
						fail(err)
					}
				}
			}()
		}
		os.Exit(3)
	case "panic":
		panic("as asked for")
	}
}

func fail(err error) {
	fmt.Println(err)
	os.Exit(1)
}

// goEnds is how programs in Go end.
var goEnds = []struct {
	how, did string
	code     int
}{
	{"close", "after Close", 0},
	{"exit", "by os.Exit, without Close", 3},
	{"signing", "by os.Exit, with goroutines that sign", 3},
	{"panic", "by a panic", 2},
}

func TestGo(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		k.Generate(t, "p256", kit.SignerLabel)
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		version := kit.Required(t, "github.com/ThalesIgnite/crypto11")
		for _, end := range goEnds {
			t.Run(end.how, func(t *testing.T) {
				t.Parallel()
				row(t, k, "crypto11", version, end.did)
				env := []string{goHostVariable + "=" + k.Label + " " + k.PIN + " " + end.how}
				repeat(t, k, &client{args: []string{self}, env: env, code: end.code, print: "signed"})
			})
		}
	})
}
