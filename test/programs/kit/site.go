package kit

import (
	"crypto/tls"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// Site is a web server, the test itself, that serves nobody without a certificate of the authority's.
type Site struct {
	Name, Port string
	Served     atomic.Int64 // pages, each over a connection of its own
	server     *httptest.Server
	problems   problems
}

// problems are what the server logs of connections that came to nothing.
type problems struct {
	mu   sync.Mutex
	text strings.Builder
}

func (p *problems) Write(line []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(line)
}

func (p *problems) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// NewSite starts a site, of the name localhost or one below it, that speaks one version of TLS. Its page says what Welcome does.
func NewSite(t testing.TB, ca *CA, name string, version uint16) *Site {
	t.Helper()
	key, certificate := ca.Pair(t, "p256", name)
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	s := &Site{Name: name}
	s.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/favicon.ico" { // browsers ask for it, or do not
			http.NotFound(w, r)
			return
		}
		s.Served.Add(1)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		welcome := Welcome(r.TLS.PeerCertificates[0].Subject.CommonName, r.TLS.Version)
		_, _ = fmt.Fprintf(w, "<!DOCTYPE html><title>%s</title><h1>%s</h1>\n", welcome, welcome) // who is gone does not read it
	}))
	s.server.TLS = &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool(), MinVersion: version, MaxVersion: version,
		SessionTicketsDisabled: true,
	}
	s.server.Config.SetKeepAlivesEnabled(false)
	s.server.Config.ErrorLog = log.New(&s.problems, "", 0)
	s.server.StartTLS()
	t.Cleanup(func() {
		s.server.Close()
		// A client may give up, and come again with a certificate. What no client may do is to show one and prove it wrongly, and then try again.
		if text := s.problems.String(); strings.Contains(text, "signature") || t.Failed() && text != "" {
			t.Errorf("%s says:\n%s", s.URL(), text)
		}
	})
	s.Port = s.server.URL[strings.LastIndex(s.server.URL, ":")+1:]
	return s
}

// Welcome is the title of a site's page for somebody with a certificate of that name.
func Welcome(name string, version uint16) string {
	return fmt.Sprintf("you are %s, by %s", name, tls.VersionName(version))
}

// URL is the address of the site's page.
func (s *Site) URL() string { return "https://" + s.Name + ":" + s.Port + "/" }
