package vpn_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// tunnelServer is what the server has inside of the tunnel.
const tunnelServer = "10.8.0.1"

// openvpn is one side: the file with its configuration, in which the key is in a token (apply) or in a file.
type openvpn struct{ conf string }

const (
	serverLines = "dev tun\nproto udp\nserver 10.8.0.0 255.255.255.0\ntopology subnet\ndh none\nremote-cert-tls client\nkeepalive 1 10\n"
	clientLines = "client\ndev tun\nproto udp\nremote 10.9.0.2 1194\nnobind\nremote-cert-tls server\nverify-x509-name vpn.example.org name\n"
)

func newOpenVPN(t *testing.T, name, lines, ca, key string) openvpn {
	t.Helper()
	side := openvpn{filepath.Join(kit.Dir(t, "root"), name+".conf")}
	kit.Write(t, "root", side.conf, lines+"verb 3\nca "+ca+"\n"+key)
	return side
}

// serve starts the server, and waits until it is up. What is given runs it.
func (side openvpn) serve(t *testing.T, by ...string) *kit.Daemon {
	t.Helper()
	line := append(by, "openvpn", "--config", side.conf)
	server := kit.Start(t, far.command(t, line[0], line[1:]...))
	kit.Eventually(t, "the server is up", func() bool { return strings.Contains(server.Printed(), completed) })
	return server
}

// completed is what either side says when it is up.
const completed = "Initialization Sequence Completed"

// inToken gives the lines for a key in the token, once what `ncrypt11 config` prints is done.
func inToken(t *testing.T, k *kit.Token, key string) string {
	t.Helper()
	sections := k.Config(t, "openvpn", key)
	kit.Apply(t, "root", sections)
	_, line, _ := strings.Cut(sections[0].Note, "in place of cert and key: ")
	return line + "\n"
}

func inFile(key, certificate string) string { return "key " + key + "\ncert " + certificate + "\n" }

// vpnKeys are the kinds of keys, each with the version of TLS that the handshake is to have. The first two are always tried.
var vpnKeys = []struct{ kind, tls string }{{"rsa2048", "1.2"}, {"p256", "1.3"}, {"rsa2048", "1.3"}, {"p256", "1.2"}, {"p384", "1.3"}}

func TestOpenVPNClient(t *testing.T) {
	kit.Tokens(t, kit.Spec{NoPIN: true}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "OpenVPN", "openvpn", "client with an RSA or EC key and its certificate, TLS 1.2 and 1.3, connecting anew")
		connect(t)
		far.greet(t)
		ca := kit.NewCA(t)
		serverKey := inFile(ca.Pair(t, "p256", "vpn.example.org"))
		for _, c := range vpnKeys[:kit.Count(2, len(vpnKeys))] {
			t.Run(c.kind+"-"+c.tls, func(t *testing.T) {
				name := "client-" + c.kind + "-" + c.tls
				key, certificate := ca.Pair(t, c.kind, name)
				k.Import(t, name, key, certificate)
				version := "tls-version-min " + c.tls + "\ntls-version-max " + c.tls + "\n"
				server := newOpenVPN(t, "server", serverLines+version, ca.File, serverKey)
				client := newOpenVPN(t, "client", clientLines, ca.File, inToken(t, k, name))
				heard := server.serve(t)
				said := kit.Start(t, near.command(t, "openvpn", "--config", client.conf))
				near.reaches(t, tunnelServer)
				kit.Contains(t, heard.Printed(), "VERIFY OK: depth=0, CN="+name, "Control Channel: TLSv"+c.tls)
				again(t, said, heard, name, kit.Count(1, 10))
			})
		}
	})
}

// again has the client connect anew n times, as it does when the network was away.
func again(t *testing.T, client, server *kit.Daemon, name string, n int) {
	t.Helper()
	verified := func() int { return strings.Count(server.Printed(), "VERIFY OK: depth=0, CN="+name) }
	for i := range n {
		before := verified()
		if err := client.Cmd.Process.Signal(syscall.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		kit.Eventually(t, fmt.Sprintf("connection %d", i+2), func() bool { return verified() > before })
		kit.Eventually(t, "the client says so, too", func() bool {
			return strings.Count(client.Printed(), completed) == i+2
		})
	}
	near.reaches(t, tunnelServer)
}

// A token with a PIN: whoever starts the client types it.
func TestOpenVPNPIN(t *testing.T) {
	kit.Tokens(t, kit.Spec{}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "OpenVPN", "openvpn", "client that asks for the PIN; a wrong one is asked for again")
		connect(t)
		far.greet(t)
		ca := kit.NewCA(t)
		key, certificate := ca.Pair(t, "rsa2048", "client")
		k.Import(t, "client", key, certificate)
		server := newOpenVPN(t, "server", serverLines, ca.File, inFile(ca.Pair(t, "p256", "vpn.example.org")))
		client := newOpenVPN(t, "client", clientLines, ca.File, inToken(t, k, "client"))
		heard := server.serve(t)
		question := "Enter " + k.Label + " token Password:"
		cmd := near.command(t, "openvpn", "--writepid", client.conf+".pid", "--config", client.conf)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			screen, _ := kit.Type(t, cmd, kit.Answer{Question: question, Line: "9999"}, kit.Answer{Question: question, Line: k.PIN}) // it is ended below
			if t.Failed() {
				t.Log(screen)
			}
		}()
		t.Cleanup(func() {
			kit.Shell(t, "root", "kill -9 $(cat "+client.conf+".pid)")
			<-ended
		})
		near.reaches(t, tunnelServer)
		kit.Contains(t, heard.Printed(), "VERIFY OK: depth=0, CN=client")
	})
}

// The server, as the unit openvpn-server@ starts it, and as the sample configuration has it: as nobody, once it is up.
func TestOpenVPNServer(t *testing.T) {
	kit.Tokens(t, kit.Spec{NoPIN: true, Allow: []string{"user:nobody"}}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "OpenVPN", "openvpn", "server that has become nobody, with an RSA or EC key and its certificate")
		connect(t)
		far.greet(t)
		ca := kit.NewCA(t)
		clientKey := inFile(ca.Pair(t, "p256", "client"))
		for _, kind := range []string{"rsa2048", "p256"} {
			t.Run(kind, func(t *testing.T) {
				key, certificate := ca.Pair(t, kind, "vpn.example.org")
				k.Import(t, kind, key, certificate)
				server := newOpenVPN(t, "server", serverLines+"user nobody\ngroup nogroup\npersist-key\npersist-tun\n", ca.File, inToken(t, k, kind))
				client := newOpenVPN(t, "client", clientLines, ca.File, clientKey)
				heard := server.serve(t, "prlimit", "--nproc=10")
				said := kit.Start(t, near.command(t, "openvpn", "--config", client.conf))
				near.reaches(t, tunnelServer)
				kit.Contains(t, said.Printed(), "VERIFY OK: depth=0, CN=vpn.example.org")
				again(t, said, heard, "client", kit.Count(1, 10))
			})
		}
	})
}

// As the unit openvpn@ starts it: in the background, once the module was loaded and the key was found.
func TestOpenVPNDaemon(t *testing.T) {
	kit.Tokens(t, kit.Spec{NoPIN: true}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "OpenVPN", "openvpn", "client that goes into the background")
		connect(t)
		far.greet(t)
		ca := kit.NewCA(t)
		key, certificate := ca.Pair(t, "rsa2048", "client")
		k.Import(t, "client", key, certificate)
		heard := newOpenVPN(t, "server", serverLines, ca.File, inFile(ca.Pair(t, "p256", "vpn.example.org"))).serve(t)
		client := newOpenVPN(t, "client", clientLines, ca.File, inToken(t, k, "client"))
		pidFile, log := client.conf+".pid", client.conf+".log"
		t.Cleanup(func() {
			if text, err := os.ReadFile(log); t.Failed() && err == nil {
				t.Logf("the client says:\n%s", text)
			}
			kit.Shell(t, "root", "kill -9 $(cat "+pidFile+")")
		})
		near.run(t, "openvpn", "--daemon", "ovpn-client", "--writepid", pidFile, "--log", log, "--config", client.conf)
		near.reaches(t, tunnelServer)
		kit.Contains(t, heard.Printed(), "VERIFY OK: depth=0, CN=client")
	})
}
