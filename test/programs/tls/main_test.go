// Package tls_test has TLS servers use keys in tokens: their masters load the keys as root, and their workers sign with them as another user.
package tls_test

import (
	"crypto/tls"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

func TestMain(m *testing.M) { kit.Main(m, "bookworm") }

// workers is who Debian's web servers work as.
const workers = "www-data"

// What is done with a web server, and how it begins to answer.
const (
	request = "GET / HTTP/1.1\r\nHost: site\r\nConnection: close\r\n\r\n"
	answer  = "HTTP/1.1 200 "
)

// site is a server that a test has set up: it listens at an address for each of its keys.
type site struct {
	ca        *kit.CA
	keys      []string
	addresses map[string]string // by the key's label
	sections  map[string][]kit.Section
}

// kinds are those of the servers' keys.
var kinds = []string{"rsa2048", "p256"}

// newSite brings a key of each kind into the token, and its certificate where `ncrypt11 config` says that it is. It gives what that prints.
func newSite(t *testing.T, k *kit.Token, program string) *site {
	t.Helper()
	s := &site{ca: kit.NewCA(t), keys: kinds, addresses: map[string]string{}, sections: map[string][]kit.Section{}}
	var pin []string
	if k.PIN != "" {
		pin = []string{"--pin-file", pinFile(t, k)}
	}
	for i, kind := range kinds {
		keyFile, certificateFile := s.ca.Pair(t, kind, "site")
		k.Import(t, kind, keyFile, certificateFile)
		certificate, err := os.ReadFile(certificateFile)
		if err != nil {
			t.Fatal(err)
		}
		put(t, "/etc/ssl/certs/"+kind+".pem", string(certificate))
		if err := os.Remove(keyFile); err != nil { // nobody has it but the token
			t.Fatal(err)
		}
		s.addresses[kind] = "127.0.0.1:" + strconv.Itoa(8443+i)
		s.sections[kind] = k.Config(t, program, kind, pin...)
		kit.Apply(t, "root", s.sections[kind])
	}
	return s
}

// put writes a file that everybody may read, until the test ends.
func put(t *testing.T, path, text string) {
	t.Helper()
	kit.Apply(t, "root", []kit.Section{{Action: "file", Where: path, Text: text}})
}

// pinFile is a file that root alone may read, without a newline at its end.
func pinFile(t *testing.T, k *kit.Token) string {
	t.Helper()
	const path = "/etc/ssl/private/ncrypt11.pin"
	put(t, path, k.PIN)
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// included is where the section for this key is that the program's own configuration is to include.
func (s *site) included(kind string) string {
	for _, section := range s.sections[kind] {
		if strings.HasSuffix(section.Where, "ncrypt11-"+kind+".conf") {
			return section.Where
		}
	}
	panic("no section is for the key " + kind)
}

// config is a client's that accepts one version of TLS, and the certificate of the authority only.
func (s *site) config(version uint16) *tls.Config {
	return &tls.Config{RootCAs: s.ca.Pool(), ServerName: "site", MinVersion: version, MaxVersion: version}
}

// await waits until the server listens at all its addresses and has said what its number is.
func (s *site) await(t *testing.T, pidFile string) {
	t.Helper()
	for _, kind := range s.keys {
		kit.Await(t, s.addresses[kind], nil)
	}
	kit.Eventually(t, "there is "+pidFile, func() bool {
		text, err := os.ReadFile(pidFile)
		return err == nil && strings.HasSuffix(string(text), "\n")
	})
}

// handshakes is how many each server is to bear.
func handshakes() int { return kit.Count(80, 10000) }

// served is a row's words for so many handshakes.
func served(n int) string {
	return fmt.Sprintf("served TLS 1.2 and 1.3, %d handshakes, 8 at a time, with RSA and ECDSA keys", n)
}

// handshakes makes n connections, eight at a time: as many with each key and each version of TLS.
func (s *site) handshakes(t *testing.T, n int) {
	t.Helper()
	for _, kind := range s.keys {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			kit.Handshakes(t, s.addresses[kind], n/(2*len(s.keys)), 8, s.config(version), request, answer)
		}
	}
}

// busy makes one connection after the other, by each key and version, while something is done to the server. None may fail.
func (s *site) busy(t *testing.T, do func()) {
	t.Helper()
	var done atomic.Bool
	var made atomic.Int64
	failed := make(chan error, 2*len(s.keys))
	for _, kind := range s.keys {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			go func() {
				for !done.Load() {
					if err := kit.Handshake(s.addresses[kind], s.config(version), request, answer); err != nil {
						failed <- fmt.Errorf("%s, %s: %w", kind, tls.VersionName(version), err)
						return
					}
					made.Add(1)
				}
				failed <- nil
			}()
		}
	}
	var meanwhile int64
	func() {
		defer done.Store(true) // also where something fails the test
		kit.Eventually(t, "clients come", func() bool { return made.Load() >= int64(cap(failed)) || len(failed) > 0 })
		before := made.Load()
		do()
		meanwhile = made.Load() - before
	}()
	for range cap(failed) {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	if meanwhile == 0 {
		t.Error("nobody came meanwhile")
	}
	t.Logf("%d handshakes meanwhile", meanwhile)
}

// pidIn reads a pid file.
func pidIn(t *testing.T, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return pid
}

// stop ends a daemon that left its number in a file.
func stop(t *testing.T, name, pidFile string) {
	t.Helper()
	master := pidIn(t, pidFile)
	if err := syscall.Kill(master, syscall.SIGTERM); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	kit.Gone(t, []int{master})
}
