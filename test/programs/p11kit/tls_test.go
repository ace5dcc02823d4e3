package p11kit_test

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

const gnutlsPort = "127.0.0.1:8443"

// keyURI is what config prints for GnuTLS as the name of the key's file.
func keyURI(t *testing.T, k *kit.Token, label, certificate string) (uri string, command []string) {
	t.Helper()
	command = strings.Fields(strings.ReplaceAll(only(t, k.Config(t, "gnutls", label, "--pin-file", k.PINFile(t, k.Owner), "--certificate", certificate)), "'", ""))
	return command[len(command)-1], command
}

func TestCerttool(t *testing.T) {
	tokens(t, "certtool", "gnutls-bin", "certificate requests and self-signed certificates of RSA, EC and Ed25519 keys", func(t *testing.T, k *kit.Token) {
		dir := kit.Dir(t, kit.User)
		template := filepath.Join(dir, "template")
		kit.Write(t, kit.User, template, "cn = site\nsigning_key\ntls_www_server\n")
		for _, kind := range []string{"rsa2048", "p256", "ed25519"} {
			k.Generate(t, kind, kind)
			uri, _ := keyURI(t, k, kind, filepath.Join(dir, "unused"))
			request, certificate := filepath.Join(dir, kind+".csr"), filepath.Join(dir, kind+".crt")
			kit.Run(t, kit.User, "certtool", "--generate-request", "--load-privkey", uri, "--template", template, "--outfile", request)
			kit.Contains(t, kit.Run(t, kit.User, "openssl", "req", "-in", request, "-verify", "-noout", "-subject"), "verify OK", "CN = site")
			kit.Run(t, kit.User, "certtool", "--generate-self-signed", "--load-privkey", uri, "--template", template, "--outfile", certificate)
			kit.Contains(t, kit.Run(t, kit.User, "openssl", "verify", "-CAfile", certificate, "-check_ss_sig", certificate), "OK")
		}
	})
}

// The server's key and the client's are both in the token; each side verifies the other, and a client without a key is refused.
func TestMutualTLS(t *testing.T) {
	tokens(t, "gnutls-serv, gnutls-cli", "gnutls-bin", "TLS with keys in tokens on both sides, RSA and EC", func(t *testing.T, k *kit.Token) {
		ca := kit.NewCA(t)
		serverKey, serverCertificate := ca.Pair(t, "rsa2048", "localhost")
		clientKey, clientCertificate := ca.Pair(t, "p256", "client")
		kit.Run(t, "root", "chmod", "644", serverKey, clientKey)
		k.Import(t, "server", serverKey)
		k.Import(t, "client", clientKey)
		_, command := keyURI(t, k, "server", serverCertificate)
		d := kit.Start(t, kit.Command(t, kit.User, command[0], append(command[1:], "--http", "--x509cafile", ca.File, "--require-client-cert", "--verify-client-cert")...))
		kit.Await(t, gnutlsPort, d)
		uri, _ := keyURI(t, k, "client", clientCertificate)
		_, port, err := net.SplitHostPort(gnutlsPort)
		if err != nil {
			t.Fatal(err)
		}
		cli := []string{"--port", port, "--x509cafile", ca.File, "localhost"}
		with := append([]string{"--x509keyfile", uri, "--x509certfile", clientCertificate}, cli...)
		for range kit.Count(10, 100) {
			cmd := kit.Command(t, kit.User, "gnutls-cli", with...)
			cmd.Stdin = strings.NewReader("GET / HTTP/1.0\r\n\r\n")
			kit.Contains(t, must(t, cmd), "Handshake was completed", "The certificate is trusted", "HTTP/1.0 200 OK")
		}
		without := kit.Command(t, kit.User, "gnutls-cli", cli...)
		without.Stdin = strings.NewReader("GET / HTTP/1.0\r\n\r\n")
		if out, _ := kit.Output(without); strings.Contains(out, "200 OK") {
			t.Errorf("a client without a key is served:\n%s", out)
		}
	})
}
