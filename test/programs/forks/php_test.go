package forks_test

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// requestsOfWorker is after how many requests PHP-FPM replaces a worker.
const requestsOfWorker = 5

// A pool of PHP-FPM, whose scripts reach keys by libcurl and OpenSSL's engine.
const pool = `[global]
error_log = %s
daemonize = no
[www]
listen = %s
pm = static
pm.max_children = 4
pm.max_requests = %d
`

// curlOptions are those that `ncrypt11 config` prints for curl and a key.
func curlOptions(t *testing.T, k *kit.Token, label string) map[string]string {
	t.Helper()
	options := make(map[string]string)
	for _, s := range k.Config(t, "curl", label, k.PINOptions(t, k.Owner)...) {
		for _, option := range regexp.MustCompile(`(?m)^(\w+) = "(.*)"$`).FindAllStringSubmatch(s.Text, -1) {
			options[option[1]] = option[2]
		}
	}
	return options
}

func TestPHP(t *testing.T) {
	const name = "worker"
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "fork: PHP-FPM", "php-fpm", "scripts show a certificate by curl and OpenSSL's engine, in workers that are replaced")
		dir := kit.Dir(t, k.Owner)
		authority := kit.NewCA(t)
		key, certificate := authority.Pair(t, "rsa2048", name)
		kit.Run(t, "root", "chown", k.Owner, key)
		k.Import(t, name, key, certificate)

		options := curlOptions(t, k, name)
		site := kit.NewSite(t, authority, "localhost", tls.VersionTLS13)
		socket, config := filepath.Join(dir, "socket"), filepath.Join(dir, "fpm.conf")
		kit.Write(t, k.Owner, config, fmt.Sprintf(pool, filepath.Join(dir, "log"), socket, requestsOfWorker))
		server := kit.Start(t, kit.Command(t, k.Owner, "php-fpm8.2", "--fpm-config", config, "--nodaemonize"))
		kit.Eventually(t, "PHP-FPM listens", func() bool { _, err := os.Stat(socket); return err == nil })

		script, err := filepath.Abs("testdata/client.php")
		if err != nil {
			t.Fatal(err)
		}
		workers := make(map[string]bool)
		requests := kit.Count(24, 1000)
		for range requests {
			ask := kit.Command(t, k.Owner, "cgi-fcgi", "-bind", "-connect", socket)
			ask.Env = append(ask.Env, "SCRIPT_FILENAME="+script, "REQUEST_METHOD=GET", "APP_SERVER="+site.URL(), "APP_CA="+authority.File,
				"APP_KEY="+options["key"], "APP_CERTIFICATE="+options["cert"])
			out, err := kit.Output(ask)
			_, said, _ := strings.Cut(out, "\r\n\r\n")
			worker, said, _ := strings.Cut(strings.TrimSpace(said), " ")
			if err != nil || !strings.Contains(said, kit.Welcome(name, tls.VersionTLS13)) {
				t.Fatalf("%v: %s", err, out)
			}
			workers[worker] = true
		}
		if len(workers) < requests/requestsOfWorker {
			t.Errorf("%d workers have served %d requests", len(workers), requests)
		}
		t.Logf("%d workers", len(workers))
		if err := server.Stop(t, syscall.SIGQUIT); err != nil {
			t.Errorf("it ended by %v", err)
		}
	})
}

// PHP's own extension openssl reads keys from PEM, and hands no URI to an engine.
func TestPHPExtension(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		k.Generate(t, "p256", kit.SignerLabel)
		script, err := filepath.Abs("testdata/pem.php")
		if err != nil {
			t.Fatal(err)
		}
		kit.Apply(t, k.Owner, k.Config(t, "openssl", ""))
		uri := curlOptions(t, k, kit.SignerLabel)["key"]
		kit.Contains(t, uri, "pkcs11:")
		out := kit.Run(t, k.Owner, "php", script, uri)
		if !strings.HasPrefix(out, "no key") {
			t.Fatalf("it takes a URI now, and should be tested: %s", out)
		}
		kit.NotRun(t, k, "PHP, extension openssl", "php-fpm", "signs with a key named by a URI",
			"this extension reads private keys from PEM only; scripts reach keys in tokens by curl")
	})
}
