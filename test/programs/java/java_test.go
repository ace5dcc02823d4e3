// Package java_test has Java use keys in tokens: keytool, jarsigner, and programs that name the provider SunPKCS11.
package java_test

import (
	"embed"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

func TestMain(m *testing.M) { kit.Main(m, "bookworm") }

// jdk is the package with everything that is tried.
const jdk = "openjdk-17-jdk-headless"

// sources are the programs that use a token.
//
//go:embed testdata/*.java
var sources embed.FS

// classes is where the programs are, compiled. It goes when the machine does.
var classes = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "classes")
	if err != nil {
		return "", err
	}
	if err := os.CopyFS(dir, sources); err != nil {
		return "", err
	}
	out, err := exec.Command("sh", "-euc", `javac -d "$1" "$1"/testdata/*.java && chmod -R a+rX "$1"`, "sh", dir).CombinedOutput()
	if err != nil {
		return "", &exec.Error{Name: string(out), Err: err}
	}
	return dir, nil
})

// store is a token that Java has been set up to use.
type store struct {
	*kit.Token
	config string // of the provider
}

// setUp has the token's owner set up Java.
func setUp(t *testing.T, k *kit.Token) *store {
	t.Helper()
	sections := k.Config(t, "java", "")
	kit.Apply(t, kit.User, sections)
	rest, ok := strings.CutPrefix(sections[0].Where, "~/")
	if !ok || len(sections) != 1 {
		t.Fatalf("the provider's configuration is not the one file of a user's: %+v", sections)
	}
	return &store{Token: k, config: filepath.Join(kit.Home, rest)}
}

// java is a program that is run with the configuration, the PIN, and what else it wants.
func (s *store) java(t *testing.T, program string, args ...string) *exec.Cmd {
	t.Helper()
	dir, err := classes()
	if err != nil {
		t.Fatal(err)
	}
	return kit.Command(t, kit.User, "java", append([]string{"-cp", dir, program, s.config, s.PIN}, args...)...)
}

// run is java, run to its good end.
func (s *store) run(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := kit.Output(s.java(t, program, args...))
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
	return out
}

// provider are the options by which the JDK's commands find the token, as in the example that comes with the configuration.
func (s *store) provider() []string {
	return []string{"-addprovider", "SunPKCS11", "-providerArg", s.config}
}

// options choose the token as the JDK's commands' keystore. One without a PIN does not look at the one that it gets.
func (s *store) options() []string {
	pin := s.PIN
	if pin == "" {
		pin = "none"
	}
	return append([]string{"-keystore", "NONE", "-storetype", "PKCS11", "-storepass", pin}, s.provider()...)
}

// keytool runs keytool on the token.
func (s *store) keytool(t *testing.T, args ...string) string {
	t.Helper()
	return kit.Run(t, kit.User, "keytool", append(args, s.options()...)...)
}
