// Package floors_test keeps the architecture: which package may import which, where C and unsafe are, and what comes from others.
package floors_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const prefix = "github.com/ncrypt11/ncrypt11/"

// floors says on which floor each package is. It may import packages of lower floors only, never a neighbour.
var floors = map[string]int{
	"token/ck":     0,
	"token/secret": 0,
	"cabi/shim":    0, // C; it knows nothing of PKCS #11
	"cabi/wide":    0,

	"token/attr":                       1,
	"token/pubkey":                     1,
	"token/seal":                       1,
	"token/seal/pinhash":               1,
	"token/config":                     1,
	"token/events":                     1,
	"token/failure":                    1,
	"cmd/ncrypt11/keyfile":             1,
	"cmd/ncrypt11/p11uri":              1,
	"cmd/ncrypt11/snippet":             1,
	"token/guard/peer":                 2, // over seal: an access list's principals
	"token/mech":                       2, // over pubkey: what a mechanism asks of a key
	"ncryptmap/nte":                    1,
	"cmd/ncrypt11/meaning":             2, // over nte
	"ncryptmap/blob":                   2, // over attr, nte
	"ncryptmap/plan":                   2, // over attr: what becomes of a template
	"inject/attest":                    2, // over seal: what sealers with a TPM attest
	"token/guard":                      3,
	"token/guard/local/rsakernel/leaf": 0,
	"token/guard/harden":               3,
	"token/guard/local/rsakernel":      3,
	"token/guard/local":                4,
	"token/guard/remote":               5,
	"token/guard/server":               5,
	"token/guard/protocol":             4,
	"token/seal/pinseal":               4,
	"token/seal/tpmseal":               4,
	"token/store":                      4,
	"token/publickey":                  4,
	"token":                            5,
	"inject/attest/softtpm":            3, // for tests
	"inject":                           4, // over guard: statements
	"inject/target":                    6, // over token
	"ncryptmap":                        6, // over token: NCrypt for programs that know it
	"minidriver/message":               2, // over nte
	"minidriver":                       6, // over token: a smart-card minidriver's secure key injection
	"wire":                             6,
	"cabi":                             7,
	"cmd/ncrypt11":                     7,
	"module":                           8,
	"cabi/gen":                         8, // programs that stand alone
	"tools/compatibility":              8,
	"tools/licences":                   8,
	"tools/source":                     8,
	"tools/suites":                     8,
}

// unsafePackages may import "C" or unsafe, and why.
var unsafePackages = map[string]string{
	"cabi":                             "the C ABI",
	"cabi/shim":                        "the C that makes Go bearable in other programs, linked by a Go file",
	"token/guard/peer":                 "SO_PEERGROUPS, for which golang.org/x/sys/unix has no call",
	"token/guard/local/rsakernel/leaf": "calls to C that do not leave Go",
	"token/guard/local/rsakernel":      "AVX-512 IFMA, which Go has no instructions for: the only C of the guard",
}

// foreign says which packages of others each of ours may import, and why. A prefix ends in "...".
var foreign = map[string]map[string]string{
	"token/config":                {"github.com/pelletier/go-toml/v2": "config.toml"},
	"inject/attest/softtpm":       {"github.com/google/go-tpm/tpm2": "what TPMs say", "golang.org/x/crypto/cryptobyte...": "what TPMs read"},
	"inject":                      {"golang.org/x/crypto/cryptobyte...": "a package's form", "filippo.io/age": "archives of keys"},
	"token/events":                {"golang.org/x/sys/unix": "files and a socket without Go's poller"},
	"token/failure":               {"golang.org/x/sys/unix": "a file by its directory's descriptor"},
	"token/pubkey":                {"golang.org/x/crypto/cryptobyte...": "DER", "filippo.io/mldsa": "ML-DSA, which the standard library has for itself only"},
	"token/publickey":             {"filippo.io/bigmod": "raw RSA in constant time"},
	"token/guard/local":           {"filippo.io/bigmod": "raw RSA in constant time", "golang.org/x/crypto/cryptobyte...": "DER", "filippo.io/mldsa": "ML-DSA"},
	"token/guard/remote":          {"golang.org/x/sys/unix": "sockets whose calls block"},
	"token/guard/local/rsakernel": {"filippo.io/bigmod": "the check of each result, by other arithmetic"},
	"token/seal/tpmseal":          {"github.com/google/go-tpm/tpm2...": "the commands of a TPM", "golang.org/x/sys/unix": "locks"},
	"token/seal/pinhash":          {"golang.org/x/crypto/argon2": "keys from PINs"},
	"token/secret":                {"golang.org/x/sys/unix": "memory outside of Go's heap"},
	"token/guard/harden": {
		"github.com/elastic/go-seccomp-bpf":               "which system calls there are",
		"github.com/landlock-lsm/go-landlock/landlock...": "which files there are",
		"golang.org/x/sys/unix":                           "limits, memory, descriptors",
	},
	"token/guard/peer":   {"golang.org/x/sys/unix": "socket options"},
	"token/guard/server": {"golang.org/x/sys/unix": "limits of descriptors, vsock addresses"},
	"token/store":        {"zombiezen.com/go/sqlite...": "the database", "golang.org/x/sys/unix": "locks, directories, fsync"},
	"ncryptmap/blob":     {"golang.org/x/crypto/cryptobyte...": "DER", "filippo.io/mldsa": "the public halves of ML-DSA keys"},
	"inject/attest":      {"github.com/google/go-tpm/tpm2": "the templates of keys, and credentials", "golang.org/x/crypto/cryptobyte...": "what TPMs marshal"},
	"cmd/ncrypt11/keyfile": {
		"filippo.io/mldsa":                   "ML-DSA",
		"golang.org/x/crypto/cryptobyte...":  "DER",
		"golang.org/x/crypto/scrypt":         "PBES2 with scrypt",
		"golang.org/x/crypto/ssh":            "OpenSSH key files",
		"software.sslmate.com/src/go-pkcs12": "PKCS #12",
	},
	"cmd/ncrypt11/snippet": {"golang.org/x/crypto/ssh": "public keys as OpenSSH has them"},
	"cmd/ncrypt11": {
		"filippo.io/age":   "recipients of archives",
		"filippo.io/mldsa": "keys of ML-DSA in files",
		"github.com/coreos/go-systemd/v22/activation": "the guard's sockets, where systemd has them",
		"github.com/mdlayher/vsock":                   "the guard's vsock",
		"github.com/schollz/progressbar/v3":           "how far a long command is; v3.17 is the last without net/http, which has no business in a guard",
		"github.com/spf13/cobra...":                   "verbs, flags and completion",
		"github.com/spf13/pflag":                      "flags",
		"golang.org/x/sys/unix":                       "no echo before there is a prompt",
		"golang.org/x/term":                           "prompts without an echo",
	},
}

// strangers are the tests of what was built. Of our packages they may see the names of constants and what is named here.
var strangers = []string{"token/ck", "cabi/shim", "cabi/wide"}

type pkg struct {
	ImportPath, Name                   string
	Imports, TestImports, XTestImports []string
}

func TestFloors(t *testing.T) {
	for _, p := range list(t) {
		name := strings.TrimPrefix(p.ImportPath, prefix)
		if strings.HasPrefix(name, "test/") {
			checkStranger(t, name, p)
			continue
		}
		floor, ok := floors[name]
		if !ok {
			t.Errorf("%s has no floor: give it one in this test, and in ARCHITECTURE.md", name)
			continue
		}
		for _, imported := range p.Imports {
			checkImport(t, name, floor, imported)
		}
	}
}

func checkImport(t *testing.T, name string, floor int, imported string) {
	if ours, ok := strings.CutPrefix(imported, prefix); ok {
		if below, ok := floors[ours]; !ok || below >= floor {
			t.Errorf("%s on floor %d imports %s, which is not below it", name, floor, ours)
		}
		return
	}
	if imported == "C" || imported == "unsafe" {
		if unsafePackages[name] == "" {
			t.Errorf("%s imports %s", name, imported)
		}
		return
	}
	if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") && !allowed(name, imported) {
		t.Errorf("%s imports %s, which is not on its list", name, imported)
	}
}

func allowed(name, imported string) bool {
	for pattern := range foreign[name] {
		base, tree := strings.CutSuffix(pattern, "...")
		if imported == pattern || tree && (imported == base || strings.HasPrefix(imported, base+"/")) {
			return true
		}
	}
	return false
}

func checkStranger(t *testing.T, name string, p pkg) {
	for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
		ours, ok := strings.CutPrefix(imported, prefix)
		if ok && !slices.Contains(strangers, ours) && path.Dir(ours) != name && !strings.HasPrefix(ours, "test/") {
			t.Errorf("%s tests what was built, but imports %s", name, ours)
		}
	}
}

// TestListsAreUsed fails for a row that nothing needs any more.
func TestListsAreUsed(t *testing.T) {
	packages := map[string]pkg{}
	for _, p := range list(t) {
		packages[strings.TrimPrefix(p.ImportPath, prefix)] = p
	}
	for name := range floors {
		if _, ok := packages[name]; !ok {
			t.Errorf("there is no package %s", name)
		}
	}
	for name, patterns := range foreign {
		for pattern := range patterns {
			base := strings.TrimSuffix(pattern, "...")
			if !slices.ContainsFunc(packages[name].Imports, func(i string) bool { return strings.HasPrefix(i, base) }) {
				t.Errorf("%s no longer imports %s", name, pattern)
			}
		}
	}
}

func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Name,Imports,TestImports,XTestImports", prefix+"...")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var packages []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}
