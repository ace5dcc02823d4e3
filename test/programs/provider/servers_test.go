package provider_test

import (
	"crypto/tls"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// server is a program that serves TLS with a key from a file, which only names the key. It reads the file before it forks those who use the key.
type server struct {
	name, debian string
	config       string // CERTIFICATE and KEY stand for files
	command      []string
	answer       string         // begins what comes back
	reload       syscall.Signal // has it read its configuration again, and fork others; 0: nobody listens meanwhile
}

const address = "127.0.0.1:8443"

var servers = []server{
	{"nginx", "nginx-light", `daemon off;
worker_processes 2;
pid /run/nginx.pid;
error_log stderr;
user www-data;
events {}
http {
	access_log off;
	server {
		listen 127.0.0.1:8443 ssl;
		ssl_certificate CERTIFICATE;
		ssl_certificate_key KEY;
		return 200 "served";
	}
}
`, []string{"nginx", "-c"}, "HTTP/1.1 200", syscall.SIGHUP},
	{"Apache", "apache2", `ServerRoot /etc/apache2
ServerName machine
PidFile /run/apache.pid
ErrorLog /dev/stderr
User www-data
Group www-data
LoadModule mpm_prefork_module /usr/lib/apache2/modules/mod_mpm_prefork.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
Listen 127.0.0.1:8443
DocumentRoot /usr/share
SSLEngine on
SSLCertificateFile CERTIFICATE
SSLCertificateKeyFile KEY
`, []string{"apache2", "-DFOREGROUND", "-f"}, "HTTP/1.1 ", syscall.SIGUSR1},
	{"stunnel", "stunnel4", `foreground = yes
pid =
[site]
accept = 127.0.0.1:8443
connect = 127.0.0.1:8080
cert = CERTIFICATE
key = KEY
`, []string{"stunnel"}, "GET / HTTP", 0},
}

func TestServers(t *testing.T) {
	for _, s := range servers {
		t.Run(s.name, func(t *testing.T) {
			kit.EachLogin(t, kit.Spec{Allow: []string{"user:www-data"}}, func(t *testing.T, k *kit.Token) {
				did := "serves TLS 1.2 and 1.3"
				if s.reload != 0 {
					did += ", and reloads"
				}
				kit.Row(t, k, s.name+" (OpenSSL provider)", s.debian, did)
				s.serve(t, k)
			})
		})
	}
}

func (s *server) serve(t *testing.T, k *kit.Token) {
	ca := kit.NewCA(t)
	key, certificate := ca.Pair(t, "p256", "machine")
	k.Import(t, "site", key)
	dir := kit.Dir(t, "root")
	kit.Apply(t, "root", k.Config(t, "keyfile", "site", k.PINOptions(t, "root")...))
	kit.Write(t, "root", dir+"/config", strings.NewReplacer("CERTIFICATE", certificate, "KEY", "/etc/ssl/private/site.pem").Replace(s.config))
	daemon := kit.Start(t, kit.Command(t, "root", s.command[0], slices.Concat(s.command[1:], []string{dir + "/config"})...))
	kit.Await(t, address, daemon)
	echo(t, "127.0.0.1:8080")
	s.handshakes(t, ca)
	if s.reload == 0 {
		return
	}
	before := kit.Children(daemon.Cmd.Process.Pid)
	if len(before) == 0 {
		t.Fatal("nobody was forked: what is reloaded?")
	}
	if err := daemon.Cmd.Process.Signal(s.reload); err != nil {
		t.Fatal(err)
	}
	kit.Gone(t, before)
	s.handshakes(t, ca)
	if daemon.Ended() {
		t.Error("it has not outlived a reload")
	}
}

// echo is what stunnel connects to. It must not be a program that stunnel starts: pkcs11-provider 1.0 takes a mutex in each forked child, which never gets
// it where another thread was using a key, and so never becomes that program.
func echo(t *testing.T, address string) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
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
				_, _ = io.Copy(conn, conn) // the client closes it when it likes
				conn.Close()
			}()
		}
	}()
}

func (s *server) handshakes(t *testing.T, ca *kit.CA) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		config := &tls.Config{RootCAs: ca.Pool(), ServerName: "machine", MinVersion: version, MaxVersion: version}
		kit.Handshakes(t, address, kit.Count(20, 1000), 4, config, "GET / HTTP/1.1\r\nHost: machine\r\n\r\n", s.answer)
	}
}
