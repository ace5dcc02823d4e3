package java_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"strconv"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// versions are those that both sides are made to speak, in this order.
var versions = []uint16{tls.VersionTLS12, tls.VersionTLS13}

// certified makes the only key of the token and gives its certificate, alone in a pool.
func certified(t *testing.T, k *kit.Token, kind string) *x509.CertPool {
	t.Helper()
	k.NCrypt(t, "generate", kind, "--label", kind, "--self-signed", "--subject", "localhost", "--dns", "localhost")
	t.Cleanup(func() { k.NCrypt(t, "delete", "--label", kind, "--yes") })
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(k.NCrypt(t, "export", "--label", kind, "--type", "cert"))) {
		t.Fatal("that is no certificate")
	}
	return pool
}

func TestServer(t *testing.T) {
	const address = "localhost:8443"
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "Java", jdk, "TLS server: 1.2 and 1.3, RSA and ECDSA")
		s := setUp(t, k)
		for _, kind := range []string{"rsa2048", "p256"} {
			t.Run(kind, func(t *testing.T) {
				pool := certified(t, k, kind)
				kit.Await(t, address, kit.Start(t, s.java(t, "Server", "8443")))
				for _, version := range versions {
					config := &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: version, MaxVersion: version}
					kit.Handshakes(t, address, kit.Count(20, 1000), 8, config, "hello\n", "served")
				}
			})
		}
	})
}

func TestClient(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "Java", jdk, "TLS client that shows a certificate: 1.2 and 1.3, RSA and ECDSA")
		s := setUp(t, k)
		ca := kit.NewCA(t)
		keyFile, certificateFile := ca.Pair(t, "p256", "localhost")
		own, err := tls.LoadX509KeyPair(certificateFile, keyFile)
		if err != nil {
			t.Fatal(err)
		}
		times := kit.Count(5, 500)
		for _, kind := range []string{"rsa2048", "p256"} {
			t.Run(kind, func(t *testing.T) {
				config := &tls.Config{
					Certificates: []tls.Certificate{own}, ClientCAs: certified(t, k, kind), ClientAuth: tls.RequireAndVerifyClientCert, SessionTicketsDisabled: true,
				}
				port, outcome := welcome(t, config, times)
				kit.Contains(t, s.run(t, "Client", port, ca.File, strconv.Itoa(times)), "done")
				if err := <-outcome; err != nil {
					t.Error(err)
				}
			})
		}
	})
}

// welcome is a server that says so to clients whose certificate is right, one after the other: that many times with each version.
func welcome(t *testing.T, config *tls.Config, times int) (port string, outcome <-chan error) {
	t.Helper()
	listener, err := tls.Listen("tcp", "localhost:0", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	ended := make(chan error, 1)
	go func() {
		for range times {
			for _, version := range versions {
				if err := greet(listener, version); err != nil {
					ended <- fmt.Errorf("client with %s: %w", tls.VersionName(version), err)
					return
				}
			}
		}
		ended <- nil
	}()
	_, port, err = net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port, ended
}

func greet(listener net.Listener, version uint16) error {
	conn, err := listener.Accept()
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := io.ReadFull(conn, make([]byte, len("hello\n"))); err != nil {
		return err
	}
	state := conn.(*tls.Conn).ConnectionState()
	if len(state.VerifiedChains) == 0 || state.DidResume || state.Version != version {
		return fmt.Errorf("%d certificates, resumed: %v, %s", len(state.PeerCertificates), state.DidResume, tls.VersionName(state.Version))
	}
	_, err = io.WriteString(conn, "welcome")
	return err
}
