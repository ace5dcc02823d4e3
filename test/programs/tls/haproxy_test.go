package tls_test

import (
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// HAProxy of Debian 12 reads keys from files alone: it was built without OpenSSL's engines, and there is no provider pkcs11 in that release.
func TestHAProxy(t *testing.T) {
	k := kit.NewToken(t, kit.Spec{}, false)
	built := kit.Run(t, "root", "haproxy", "-vv")
	const config = "/etc/haproxy/engine.cfg"
	put(t, config, "global\n\tssl-engine pkcs11\n")
	refused, err := kit.Try(t, "root", "haproxy", "-c", "-f", config)
	if !strings.Contains(built, " -ENGINE ") || err == nil || !strings.Contains(refused, "ssl-engine") {
		t.Errorf("it may have engines now: %v\n%s\n%s", err, refused, built)
	}
	if out := kit.Run(t, "root", "dpkg-query", "--list"); strings.Contains(out, " pkcs11-provider ") {
		t.Error("there is a provider now")
	}
	kit.NotRun(t, k, "HAProxy", "haproxy", "serve TLS", "it was built without OpenSSL's engines, and this release has no provider for PKCS #11")
}
