// Package dnssec_test has name servers sign zones with keys in tokens.
package dnssec_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

func TestMain(m *testing.M) { kit.Main(m, "bookworm") }

// zone is what is to be signed.
const zone = `example.org. 3600 SOA ns.example.org. root.example.org. 1 3600 600 86400 300
example.org. 3600 NS ns.example.org.
ns.example.org. 3600 A 192.0.2.1
www.example.org. 3600 A 192.0.2.2
`

// verify has BIND's dnssec-verify look at every signature of the zone in a file, with the keys that are in it.
func verify(t *testing.T, file string) {
	t.Helper()
	kit.Contains(t, kit.Run(t, "root", "dnssec-verify", "-o", "example.org", file), "Zone fully signed")
}

// Debian 12's BIND takes -E, but was built without OpenSSL's engines. Debian 13's has providers: see the package bind.
func TestBIND(t *testing.T) {
	kit.Tokens(t, kit.Spec{NoPIN: true}, func(t *testing.T, k *kit.Token) {
		k.Generate(t, "rsa2048", "key")
		out, err := kit.Try(t, "root", "dnssec-keyfromlabel", "-E", "pkcs11", "-a", "RSASHA256", "-l", k.URI("key", ""), "-K", kit.Dir(t, "root"), "example.org")
		if err == nil {
			t.Fatalf("it can, and should be tested:\n%s", out)
		}
		kit.Contains(t, out, "no engine")
		kit.NotRun(t, k, "BIND", "bind9-utils", "signs a zone", "it was built without OpenSSL's engines, and cannot use providers yet: no engine")
	})
}
