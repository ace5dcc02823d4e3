// Package tls_trixie_test has TLS servers use keys in tokens through OpenSSL's provider pkcs11, which Debian 13 has.
package tls_trixie_test

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

func TestMain(m *testing.M) { kit.Main(m, "trixie") }

const (
	configuration = "/etc/haproxy/haproxy.cfg"
	chroot        = "/var/lib/haproxy"
	dropIn        = "haproxy.service.d/ncrypt11.conf"
)

// addresses has one for each kind of key.
var addresses = map[string]string{"rsa2048": "127.0.0.1:8443", "p256": "127.0.0.1:8444"}

// HAProxy as its unit has it: a master that is root, and a worker of its own user that has no other directory than an empty one, but for what the unit's
// drop-in shows it there.
func TestHAProxy(t *testing.T) {
	kit.Tokens(t, kit.Spec{Allow: []string{"user:haproxy"}}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "HAProxy", "haproxy", "served TLS 1.2 and 1.3 with RSA and ECDSA keys, its worker in its own root directory")
		ca := kit.NewCA(t)
		pin := k.PINOptions(t, "root")
		for kind := range addresses {
			key, certificate := ca.Pair(t, kind, "site")
			k.Import(t, kind, key, certificate)
			text, err := os.ReadFile(certificate)
			if err != nil {
				t.Fatal(err)
			}
			file(t, "/etc/ssl/certs/"+kind+".pem", string(text))
			kit.Apply(t, "root", withoutSystemd(t, k.Config(t, "haproxy", kind, pin...)))
		}
		var frontends strings.Builder
		for kind, address := range addresses {
			frontends.WriteString("frontend " + kind + "\n\tbind " + address + " ssl crt @ncrypt11-" + kind + "/key\n\thttp-request return status 200\n")
		}
		kit.Apply(t, "root", []kit.Section{{Action: "add", Where: configuration, Text: frontends.String()}})
		kit.Run(t, "root", "systemd-tmpfiles", "--create", "haproxy.conf") // as at boot
		d := kit.Start(t, kit.Command(t, "root", "haproxy", "-Ws", "-f", configuration, "-p", "/run/haproxy.pid", "-S", "/run/haproxy-master.sock"))
		for _, address := range addresses {
			kit.Await(t, address, d)
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				config := &tls.Config{RootCAs: ca.Pool(), ServerName: "site", MinVersion: version, MaxVersion: version}
				kit.Handshakes(t, address, kit.Count(50, 2500), 8, config, "GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 200 ")
			}
		}
		_ = d.Stop(t, syscall.SIGTERM) // 143, as the unit has it
	})
}

// file writes a file, until the test ends.
func file(t *testing.T, path, text string) {
	t.Helper()
	kit.Apply(t, "root", []kit.Section{{Action: "file", Where: path, Text: text}})
}

// withoutSystemd does what systemd would: it shows the worker what the drop-in says. Nor is systemctl run.
func withoutSystemd(t *testing.T, sections []kit.Section) []kit.Section {
	t.Helper()
	var rest []kit.Section
	for _, s := range sections {
		if strings.Contains(s.Text, "systemctl") {
			continue
		}
		rest = append(rest, s)
		if !strings.HasSuffix(s.Where, dropIn) {
			continue
		}
		_, paths, _ := strings.Cut(strings.TrimSpace(s.Text), "BindReadOnlyPaths=")
		for _, pair := range strings.Fields(paths) {
			from, to, _ := strings.Cut(pair, ":")
			bind(t, from, to)
		}
	}
	return rest
}

func bind(t *testing.T, from, to string) {
	t.Helper()
	if !strings.HasPrefix(to, chroot+"/") {
		t.Fatalf("%s is not in %s", to, chroot)
	}
	if _, err := os.Stat(filepath.Join(to, "tokens")); err == nil {
		return
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	kit.Shell(t, "root", "mount --bind "+from+" "+to+" && mount -o remount,bind,ro "+to)
	t.Cleanup(func() { kit.Shell(t, "root", "umount "+to) })
}
