// Package browsers_test has browsers log in to sites with certificates whose keys are in tokens. They run on a screen in memory, where the test looks
// at windows and types as a person would.
package browsers_test

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

func TestMain(m *testing.M) { kit.Main(m, "bookworm") }

const did = "logs in to TLS 1.2 and 1.3 sites with RSA and ECDSA certificates, of tokens with a PIN and without; the PIN is asked for when it is needed, and again after a wrong one"

// browser is a running one.
type browser struct {
	*screen
	pinWindow string // the title of the window that asks for a PIN
	asked     int    // how often it did
}

// page is what a browser is to show.
type page struct {
	*kit.Site
	title string
	pin   string // of the token with the key for it; empty: it has none
}

// department certifies one person, and has two sites for that person: so it is clear for every site which certificate is to be sent.
type department struct {
	ca    *kit.CA
	pages []page
}

// newDepartments are one for each key that a test has: RSA and ECDSA keys in that token, and in one more of its kind that has no PIN.
func newDepartments(t *testing.T, k *kit.Token) []department {
	t.Helper()
	var list []department
	for _, token := range []*kit.Token{kit.NewToken(t, kit.Spec{Owner: kit.User, NoPIN: true}, k.Guarded), k} {
		for _, kind := range []string{"rsa2048", "p256"} {
			name := "alice-" + kind + "-" + token.Label
			ca := kit.NewNamedCA(t, "Department of "+name)
			key, certificate := ca.Pair(t, kind, name)
			token.Import(t, kind, key, certificate)
			d := department{ca: ca}
			for version, host := range map[uint16]string{tls.VersionTLS12: "old", tls.VersionTLS13: "new"} {
				site := kit.NewSite(t, ca, host+"."+kind+"."+token.Label+".localhost", version)
				d.pages = append(d.pages, page{Site: site, title: kit.Welcome(name, version), pin: token.PIN})
			}
			list = append(list, d)
		}
	}
	return list
}

// visitAll goes to every site, again and again where that is asked for. The sites see who comes anew each time.
func (b *browser) visitAll(t *testing.T, departments []department) {
	t.Helper()
	rounds := kit.Count(1, 5)
	for range rounds {
		for _, d := range departments {
			for i := range d.pages {
				b.visit(t, &d.pages[i])
			}
		}
	}
	for _, d := range departments {
		for _, p := range d.pages {
			if served := p.Served.Load(); served < int64(rounds) {
				t.Errorf("%s served %d pages in %d rounds", p.Name, served, rounds)
			}
		}
	}
	if b.asked < 2 {
		t.Errorf("the PIN was asked for %d times, though the first answer was wrong", b.asked)
	}
	b.keep(t, strings.ReplaceAll(t.Name(), "/", "-")+".png")
}

// patience is how long a browser may take for a step before one tries again: what is typed too early, a busy machine's windows do not get.
const patience = 10 * time.Second

// visit enters a site's address until the browser shows the site's page.
func (b *browser) visit(t *testing.T, p *page) {
	t.Helper()
	for range 6 {
		b.run(t, "xdotool", "key", "ctrl+l")
		b.answer(t, p.URL())
		if b.shows(t, p) {
			return
		}
		t.Logf("%s does not show %q, and is entered again", p.URL(), p.title)
	}
	b.failed(t, "%s does not show %q", p.URL(), p.title)
}

// shows answers what the browser asks, and says whether it shows the page then.
func (b *browser) shows(t *testing.T, p *page) bool {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if b.window(t, p.title) != "" {
			return true
		}
		if id := b.window(t, b.pinWindow); id != "" {
			b.enterPIN(t, id, p.pin)
			deadline = time.Now().Add(patience)
		} else if b.isDimmed(t) && b.isStill(t) && b.isDimmed(t) {
			// It asks which certificate is to be sent: there is one. Who answers before the question is whole has said none, and is not asked again.
			b.run(t, "xdotool", "key", "Return")
			until(2*time.Second, func() bool { return !b.isDimmed(t) }) // a second return key would be for what comes next
			deadline = time.Now().Add(patience)
		}
	}
	return false
}

// enterPIN types into a window that asks for the PIN: a wrong one first, and then the right one, which is enough for as long as the browser runs.
func (b *browser) enterPIN(t *testing.T, id, pin string) {
	t.Helper()
	if b.asked++; b.asked > 4 || pin == "" {
		b.failed(t, "it asks for a PIN %d times, now for a token with the PIN %q", b.asked, pin)
	}
	if b.asked == 1 {
		pin = "1" + pin
	}
	for range 3 {
		b.run(t, "xdotool", "windowactivate", id)
		b.answer(t, pin)
		if until(patience, func() bool { return b.window(t, b.pinWindow) != id }) {
			return
		}
	}
	b.failed(t, "the window for the PIN does not close")
}

// until waits for something for a time, and says whether it came.
func until(patience time.Duration, so func() bool) bool {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if so() {
			return true
		}
	}
	return false
}

// failed ends the test with a picture.
func (b *browser) failed(t *testing.T, format string, args ...any) {
	t.Helper()
	picture := strings.ReplaceAll(t.Name(), "/", "-") + "-failed.png"
	b.keep(t, picture)
	t.Fatalf(format+"; see "+kit.Artefacts(t)+"/"+picture, args...)
}
