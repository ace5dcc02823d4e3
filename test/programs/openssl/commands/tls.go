package commands

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// Versions are those of TLS that matter, with the option that has s_client speak nothing else.
var Versions = map[string]uint16{"-tls1_2": tls.VersionTLS12, "-tls1_3": tls.VersionTLS13}

// Serve has s_server serve TLS with a key, and n new connections of each version made to it by somebody who has a certificate.
func (o *Tool) Serve(t *testing.T, ca *kit.CA, label string, n int) {
	const address = "127.0.0.1:4433"
	certificate := o.File(t, label+".crt", ca.Certify(t, "machine", o.Public(t, label)))
	server := kit.Start(t, kit.Command(t, o.Token.Owner, "openssl", append([]string{"s_server", "-accept", address, "-cert", certificate, "-CAfile", ca.File,
		"-Verify", "1", "-verify_return_error", "-rev", "-quiet"}, o.Key("-key", label)...)...))
	kit.Await(t, address, server)
	for option, version := range Versions {
		config := &tls.Config{RootCAs: ca.Pool(), ServerName: "machine", MinVersion: version, MaxVersion: version, Certificates: []tls.Certificate{person(t, ca)}}
		kit.Handshakes(t, address, n, 2, config, "abc\n", "cba\n")
		if t.Failed() {
			t.Logf("it was %s", option)
		}
	}
}

// person is the certificate of somebody with a key in a file.
func person(t testing.TB, ca *kit.CA) tls.Certificate {
	t.Helper()
	key, certificate := ca.Pair(t, "p256", "person")
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// Connect has s_client show a server the certificate of a key.
func (o *Tool) Connect(t *testing.T, ca *kit.CA, label string) {
	certificate := o.File(t, label+".crt", ca.Certify(t, label, o.Public(t, label)))
	for option, version := range Versions {
		address, served := Listen(t, ca, version)
		client := kit.Command(t, o.Token.Owner, "openssl", append([]string{"s_client", "-connect", address, "-quiet", "-verify_return_error", "-CAfile", ca.File,
			"-servername", "machine", option, "-cert", certificate}, o.Key("-key", label)...)...)
		client.Stdin = strings.NewReader("hello\n")
		out, err := kit.Output(client)
		if err := errors.Join(err, <-served); err != nil || !strings.Contains(out, label) {
			t.Errorf("%s: %v\n%s", option, err, out)
		}
	}
}

// Listen serves one connection of somebody who has a certificate: it reads the headers of a request, or a line that is none, and says who it was. What
// came of it can be received.
func Listen(t testing.TB, ca *kit.CA, version uint16) (address string, served <-chan error) {
	t.Helper()
	key, certificate := ca.Pair(t, "p256", "machine")
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{pair}, MinVersion: version, MaxVersion: version, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	result := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			err = errors.Join(serve(conn.(*tls.Conn)), conn.Close())
		}
		result <- err
	}()
	return listener.Addr().(*net.TCPAddr).String(), result
}

func serve(conn *tls.Conn) error {
	if err := conn.Handshake(); err != nil {
		return err
	}
	from := bufio.NewReader(conn)
	line, err := from.ReadString('\n')
	for isHTTP := strings.Contains(line, " HTTP/1"); isHTTP && err == nil && strings.TrimSpace(line) != ""; {
		line, err = from.ReadString('\n')
	}
	if err != nil {
		return err
	}
	text := name(conn.ConnectionState().PeerCertificates[0]) + "\n"
	_, err = io.WriteString(conn, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(text), text))
	return err
}

func name(certificate *x509.Certificate) string { return certificate.Subject.CommonName }
