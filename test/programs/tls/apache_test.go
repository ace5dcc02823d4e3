package tls_test

import (
	"os"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// Apache as its unit in Debian has it.
const (
	apachePID    = "/run/apache2/apache2.pid"
	apacheStart  = "apachectl start"
	apacheReload = "apachectl graceful"
)

// startApache serves with every key of the site, by one of Apache's ways to divide work among processes.
func startApache(t *testing.T, s *site, mpm string) {
	t.Helper()
	for _, other := range []string{"event", "prefork"} {
		if other != mpm {
			kit.Shell(t, "root", "a2dismod -q mpm_"+other+" && a2enmod -q mpm_"+mpm)
		}
	}
	servers := "ServerName site\n"
	for _, kind := range s.keys {
		servers += "Listen " + s.addresses[kind] + "\n<VirtualHost " + s.addresses[kind] + ">\nInclude " + strings.TrimPrefix(s.included(kind), "/etc/apache2/") +
			"\nDocumentRoot /var/www/html\n</VirtualHost>\n"
	}
	put(t, "/etc/apache2/sites-enabled/site.conf", servers)
	put(t, "/var/www/html/index.html", "served\n")
	t.Cleanup(func() {
		if text, err := os.ReadFile("/var/log/apache2/error.log"); t.Failed() && err == nil {
			t.Logf("Apache says:\n%s", text)
		}
		os.Remove("/var/log/apache2/error.log")
	})
	kit.Shell(t, "root", apacheStart)
	t.Cleanup(func() { stop(t, "Apache", apachePID) })
	s.await(t, apachePID)
}

// mpms are those that Debian's package has and people use.
var mpms = []string{"event", "prefork"}

func TestApache(t *testing.T) {
	for _, mpm := range mpms {
		t.Run(mpm, func(t *testing.T) {
			kit.Tokens(t, kit.Spec{Allow: []string{"user:" + workers}}, func(t *testing.T, k *kit.Token) {
				kit.Row(t, k, "Apache httpd", "apache2", served(handshakes())+", MPM "+mpm)
				s := newSite(t, k, "apache")
				startApache(t, s, mpm)
				s.handshakes(t, handshakes())
			})
		})
	}
}

func TestApacheReload(t *testing.T) {
	for _, mpm := range mpms {
		t.Run(mpm, func(t *testing.T) {
			kit.Tokens(t, kit.Spec{Allow: []string{"user:" + workers}, NoPIN: true}, func(t *testing.T, k *kit.Token) {
				kit.Row(t, k, "Apache httpd", "apache2", "reloaded its configuration while clients came, and none failed, MPM "+mpm)
				s := newSite(t, k, "apache")
				startApache(t, s, mpm)
				s.busy(t, func() {
					for range kit.Count(1, 30) {
						master := pidIn(t, apachePID)
						before := kit.Children(master)
						kit.Shell(t, "root", apacheReload)
						kit.Gone(t, before)
					}
				})
			})
		})
	}
}
