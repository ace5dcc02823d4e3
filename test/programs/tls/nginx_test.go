package tls_test

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// nginx as its unit in Debian has it.
const (
	nginxPID     = "/run/nginx.pid"
	nginxStart   = "/usr/sbin/nginx -t -q -g 'daemon on; master_process on;' && /usr/sbin/nginx -g 'daemon on; master_process on;'"
	nginxReload  = "/usr/sbin/nginx -g 'daemon on; master_process on;' -s reload"
	nginxWorkers = 4
)

// startNginx serves with every key of the site, with four workers.
func startNginx(t *testing.T, s *site) {
	t.Helper()
	const main = "/etc/nginx/nginx.conf"
	text, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}
	put(t, main, strings.Replace(string(text), "worker_processes auto;", "worker_processes 4;", 1))
	var servers strings.Builder
	for _, kind := range s.keys {
		servers.WriteString("server {\n\tlisten " + s.addresses[kind] + " ssl;\n\tinclude " + strings.TrimPrefix(s.included(kind), "/etc/nginx/") +
			";\n\tlocation / { return 200 \"served\"; }\n}\n")
	}
	put(t, "/etc/nginx/sites-enabled/site", servers.String())
	t.Cleanup(func() {
		if text, err := os.ReadFile("/var/log/nginx/error.log"); t.Failed() && err == nil {
			t.Logf("nginx says:\n%s", text)
		}
		os.Remove("/var/log/nginx/error.log")
	})
	kit.Shell(t, "root", nginxStart)
	t.Cleanup(func() { stop(t, "nginx", nginxPID) })
	s.await(t, nginxPID)
	kit.Replaced(t, pidIn(t, nginxPID), nginxWorkers, nil)
}

func TestNginx(t *testing.T) {
	kit.Tokens(t, kit.Spec{Allow: []string{"user:" + workers}}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "nginx", "nginx-light", served(handshakes())+", four workers, a PIN from a file")
		s := newSite(t, k, "nginx")
		startNginx(t, s)
		s.handshakes(t, handshakes())
	})
}

func TestNginxWithoutPIN(t *testing.T) {
	kit.Tokens(t, kit.Spec{Allow: []string{"user:" + workers}, NoPIN: true}, func(t *testing.T, k *kit.Token) {
		n := kit.Count(40, 2000)
		kit.Row(t, k, "nginx", "nginx-light", served(n)+" of a token without a PIN")
		s := newSite(t, k, "nginx")
		startNginx(t, s)
		s.handshakes(t, n)
	})
}

func TestNginxReload(t *testing.T) {
	kit.Tokens(t, kit.Spec{Allow: []string{"user:" + workers}}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "nginx", "nginx-light", "reloaded its configuration while clients came, and none failed")
		s := newSite(t, k, "nginx")
		startNginx(t, s)
		s.busy(t, func() {
			for range kit.Count(1, 50) {
				master := pidIn(t, nginxPID)
				before := kit.Children(master)
				kit.Shell(t, "root", nginxReload)
				kit.Replaced(t, master, nginxWorkers, before)
			}
		})
	})
}

// A new program takes the place of the old one, as nginx's documentation says it is done ("Upgrading Executable on the Fly").
func TestNginxUpgrade(t *testing.T) {
	kit.Tokens(t, kit.Spec{Allow: []string{"user:" + workers}}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "nginx", "nginx-light", "replaced its program (USR2, WINCH, QUIT) while clients came, and none failed")
		s := newSite(t, k, "nginx")
		startNginx(t, s)
		s.busy(t, func() {
			for range kit.Count(1, 10) {
				upgradeNginx(t)
			}
		})
	})
}

func upgradeNginx(t *testing.T) {
	t.Helper()
	old := pidIn(t, nginxPID)
	signal := func(signal syscall.Signal) {
		t.Helper()
		if err := syscall.Kill(old, signal); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGUSR2)
	kit.Eventually(t, "there is a new master", func() bool {
		_, err := os.Stat(nginxPID)
		return err == nil && pidIn(t, nginxPID) != old
	})
	master := pidIn(t, nginxPID)
	kit.Replaced(t, master, nginxWorkers, nil)
	signal(syscall.SIGWINCH)
	kit.Eventually(t, "the old workers end", func() bool {
		left := kit.Children(old)
		return len(left) == 1 && left[0] == master
	})
	signal(syscall.SIGQUIT)
	kit.Gone(t, []int{old})
}
