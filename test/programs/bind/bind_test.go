// Package bind_test has BIND sign zones with keys in tokens, by OpenSSL's provider.
package bind_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

func TestMain(m *testing.M) { kit.Main(m, "trixie") }

// Where the keys' files and the zone are.
const (
	keys = "/var/cache/bind"
	file = keys + "/example.org.db"
	zone = `$TTL 3600
@ SOA ns root 1 3600 600 86400 300
@ NS ns
ns A 127.0.0.1
www A 192.0.2.2
`
)

// setUp makes a key for keys and one for the zone, and does with each what `ncrypt11 config` prints.
func setUp(t *testing.T, k *kit.Token, kind string) {
	t.Helper()
	pin := k.PINOptions(t, "bind")
	kit.Shell(t, "root", "rm -f "+keys+"/*")
	for i, flag := range []string{"", "-f KSK "} {
		label := kind + "-" + []string{"zsk", "ksk"}[i]
		k.Generate(t, kind, label)
		var todo []kit.Section
		for _, s := range k.Config(t, "bind", label, pin...) {
			if i > 0 && s.Action == "add" { // once
				continue
			}
			s.Text = strings.Replace(s.Text, "dnssec-keyfromlabel ", "dnssec-keyfromlabel "+flag, 1)
			todo = append(todo, s)
		}
		kit.Apply(t, "root", todo)
	}
	kit.Write(t, "bind", file, zone)
}

func TestSignZone(t *testing.T) {
	for _, kind := range []string{"rsa2048", "p256"} {
		t.Run(kind, func(t *testing.T) {
			kit.Tokens(t, kit.Spec{Allow: []string{"user:bind"}}, func(t *testing.T, k *kit.Token) {
				kit.Row(t, k, "BIND", "bind9-utils", "dnssec-keyfromlabel and dnssec-signzone with RSA or ECDSA keys, PIN from a file")
				setUp(t, k, kind)
				for range kit.Count(1, 20) {
					kit.Run(t, "root", "dnssec-signzone", "-S", "-K", keys, "-o", "example.org", "-f", keys+"/signed", file)
					kit.Contains(t, kit.Run(t, "root", "dnssec-verify", "-o", "example.org", keys+"/signed"), "Zone fully signed")
				}
			})
		})
	}
}

func TestNamed(t *testing.T) {
	for _, c := range []struct{ kind, algorithm string }{{"rsa2048", "rsasha256"}, {"p256", "ecdsap256sha256"}} {
		t.Run(c.kind, func(t *testing.T) {
			kit.Tokens(t, kit.Spec{NoPIN: true, Allow: []string{"user:bind"}}, func(t *testing.T, k *kit.Token) {
				kit.Row(t, k, "BIND", "bind9", "named signs a zone with RSA or ECDSA keys")
				setUp(t, k, c.kind)
				kit.Write(t, "root", "/etc/bind/named.conf", `options {
	directory "/var/cache/bind";
	listen-on port 5300 { 127.0.0.1; };
	listen-on-v6 { none; };
	recursion no;
	allow-transfer { 127.0.0.1; };
};
controls { };
dnssec-policy token {
	keys {
		ksk lifetime unlimited algorithm `+c.algorithm+`;
		zsk lifetime unlimited algorithm `+c.algorithm+`;
	};
};
zone example.org {
	type primary;
	file "`+file+`";
	key-directory "`+keys+`";
	dnssec-policy token;
	inline-signing yes;
};
`)
				d := kit.Start(t, kit.Command(t, "root", "named", "-g", "-u", "bind"))
				kit.Await(t, "127.0.0.1:5300", d)
				served(t)
				inToken(t)
			})
		})
	}
}

// served waits until the zone is served signed, and has every signature verified.
func served(t *testing.T) {
	t.Helper()
	var text string
	kit.Eventually(t, "the zone is signed", func() bool {
		out, err := kit.Try(t, "root", "dig", "@127.0.0.1", "-p", "5300", "+noall", "+answer", "+onesoa", "example.org", "AXFR")
		text = out
		return err == nil && strings.Count(out, "\tDNSKEY\t") == 2 && strings.Contains(out, "\tNSEC\t")
	})
	copied := kit.Dir(t, "root") + "/zone"
	kit.Write(t, "root", copied, text)
	kit.Contains(t, kit.Run(t, "root", "dnssec-verify", "-o", "example.org", copied), "Zone fully signed")
}

// inToken fails where named has made keys for itself, as it does when it cannot use those that are there.
func inToken(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob(keys + "/K*.private")
	if err != nil || len(files) != 2 {
		t.Errorf("the zone has the keys %q, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		kit.Contains(t, string(text), "\nLabel: ") // in place of a key
	}
}
