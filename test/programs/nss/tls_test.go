package nss_test

import (
	"crypto/tls"
	"strconv"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// handshakes are the ways to prove that one has a key, in both versions of TLS.
var handshakes = []struct {
	kind    string
	version uint16
	scheme  string // as NSS' tools call it
}{
	{"rsa2048", tls.VersionTLS12, "rsa_pkcs1_sha256"},
	{"rsa2048", tls.VersionTLS12, "rsa_pss_rsae_sha256"},
	{"rsa2048", tls.VersionTLS13, "rsa_pss_rsae_sha256"},
	{"p256", tls.VersionTLS12, "ecdsa_secp256r1_sha256"},
	{"p256", tls.VersionTLS13, "ecdsa_secp256r1_sha256"},
}

// only are the options of NSS' tools for one version of TLS.
var only = map[uint16]string{tls.VersionTLS12: "tls1.2:tls1.2", tls.VersionTLS13: "tls1.3:tls1.3"}

// pairs are keys of the token with certificates for a name.
func (d *database) pairs(t *testing.T, ca *kit.CA, name string) {
	t.Helper()
	for _, kind := range []string{"rsa2048", "p256"} {
		key, certificate := ca.Pair(t, kind, name)
		d.Import(t, kind, key, certificate)
	}
}

func TestClient(t *testing.T) {
	tokens(t, "tstclnt and strsclnt log in to TLS 1.2 and 1.3 servers with RSA (PKCS #1, PSS) and ECDSA certificates", func(t *testing.T, d *database) {
		ca := kit.NewCA(t)
		d.trust(t, ca)
		d.pairs(t, ca, "somebody")
		for _, h := range handshakes {
			site := kit.NewSite(t, ca, "localhost", h.version)
			schemes := h.scheme + ",ecdsa_secp256r1_sha256" // which the server's certificate is signed by
			args := []string{"-4", "-p", site.Port, "-V", only[h.version], "-J", schemes, "-n", d.Label + ":" + h.kind}
			out := d.run(t, "tstclnt", "-W", append(args, "-h", "localhost", "-A", d.write(t, "request", "GET / HTTP/1.0\r\n\r\n"))...)
			kit.Contains(t, out, kit.Welcome("somebody", h.version))

			n := kit.Count(20, 500)
			args = append(args, "-d", d.name, "-c", strconv.Itoa(n), "-t", "8", "-N", "-q")
			if d.pinFile != "" {
				args = append(args, "-W", d.pinFile)
			}
			// With TLS 1.3 it misses its counts of sessions that were not used again, and says that it failed: the server knows better.
			out, _ = kit.Try(t, kit.User, "strsclnt", append(args, "localhost")...)
			if served := site.Served.Load(); served != int64(n)+1 {
				t.Errorf("%s, %s: %d requests of %d came:\n%s", tls.VersionName(h.version), h.scheme, served-1, n, out)
			}
		}
	})
}

func TestServer(t *testing.T) {
	tokens(t, "selfserv serves TLS 1.2 and 1.3 with RSA (PKCS #1, PSS) and ECDSA keys", func(t *testing.T, d *database) {
		ca := kit.NewCA(t)
		d.trust(t, ca)
		d.pairs(t, ca, "localhost")
		for _, h := range handshakes {
			args := []string{"-d", d.name, "-p", "8443", "-V", only[h.version], "-J", h.scheme, "-n", d.Label + ":" + h.kind}
			if d.pinFile != "" {
				args = append(args, "-w", d.PIN)
			}
			server := kit.Start(t, kit.Command(t, kit.User, "selfserv", args...))
			kit.Await(t, "127.0.0.1:8443", server)
			config := &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", MinVersion: h.version, MaxVersion: h.version}
			kit.Handshakes(t, "127.0.0.1:8443", kit.Count(20, 500), 8, config, "GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK")
			_ = server.Stop(t, 9)
		}
	})
}
