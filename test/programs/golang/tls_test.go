package golang_test

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// certificateOf certifies a key for a name.
func certificateOf(t *testing.T, ca *kit.CA, key crypto.Signer, name string) tls.Certificate {
	t.Helper()
	block, _ := pem.Decode([]byte(ca.Certify(t, name, key.Public())))
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
}

// The server's key and the client's are in the token, in one program; the server serves who has a certificate.
func TestTLS(t *testing.T) {
	tokens(t, "TLS 1.2 and 1.3 with net/http: the server's RSA key and the client's EC key", func(t *testing.T, k *kit.Token) {
		c, ec := configured(t, k, "ec")
		rsa, err := c.FindKeyPair(nil, []byte("rsa"))
		if err != nil || rsa == nil {
			t.Fatalf("%v, %v", rsa, err)
		}
		ca := kit.NewCA(t)
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{
			ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0),
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = w.Write([]byte(r.TLS.PeerCertificates[0].Subject.CommonName))
			}),
			TLSConfig: &tls.Config{
				Certificates: []tls.Certificate{certificateOf(t, ca, rsa, "localhost")}, ClientCAs: ca.Pool(), ClientAuth: tls.RequireAndVerifyClientCert,
			},
		}
		ended := make(chan error, 1)
		go func() { ended <- server.ServeTLS(listener, "", "") }()
		t.Cleanup(func() {
			server.Close()
			<-ended
		})
		client := &tls.Config{ServerName: "localhost", RootCAs: ca.Pool(), Certificates: []tls.Certificate{certificateOf(t, ca, ec, "client")}}
		address := listener.Addr().String()
		const request, answer = "GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\n"
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			config := client.Clone()
			config.MinVersion, config.MaxVersion = version, version
			kit.Handshakes(t, address, kit.Count(50, 2000), 8, config, request, answer)
		}
		nobody := client.Clone()
		nobody.Certificates = nil
		if err := kit.Handshake(address, nobody, request, answer); err == nil {
			t.Error("a client without a certificate is served")
		}
	})
}
