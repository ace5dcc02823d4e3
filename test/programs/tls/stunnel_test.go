package tls_test

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// tunnelled is a program that does not speak TLS: it listens at an address, reads the request, and answers as a web server would.
func tunnelled(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // the test has ended
			}
			go func() {
				defer conn.Close()
				if line, err := bufio.NewReader(conn).ReadString('\n'); err == nil && strings.HasPrefix(request, line) {
					_, _ = io.WriteString(conn, answer+"OK\r\n\r\n") // who is gone does not read it
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// startStunnel starts Debian's service, which has a process for each file in its directory. Each is a daemon that has loaded its key before it forks.
func startStunnel(t *testing.T, s *site) {
	t.Helper()
	behind := tunnelled(t)
	for _, kind := range s.keys {
		for _, section := range s.sections[kind] {
			if section.Where != s.included(kind) {
				continue
			}
			text := strings.NewReplacer("accept = 8443", "accept = "+s.addresses[kind], "connect = 127.0.0.1:80", "connect = "+behind).Replace(section.Text)
			put(t, section.Where, text)
		}
	}
	t.Cleanup(func() { kit.Shell(t, "root", "/etc/init.d/stunnel4 stop") })
	kit.Shell(t, "root", "/etc/init.d/stunnel4 start")
	for _, kind := range s.keys {
		s.await(t, "/run/stunnel4/ncrypt11-"+kind+".pid")
	}
}

func TestStunnel(t *testing.T) {
	kit.Tokens(t, kit.Spec{Allow: []string{"user:stunnel4"}}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "stunnel", "stunnel4", served(handshakes())+", as a daemon of its own user")
		s := newSite(t, k, "stunnel")
		startStunnel(t, s)
		s.handshakes(t, handshakes())
	})
}
