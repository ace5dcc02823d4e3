// Package wrapping_test has keys wrapped by other programs and unwrapped by the built library, and the reverse: by each mechanism, of each type. What came of it is
// docs/WRAPPING.md, which
//
//	go test ./test/wrapping -run TestWrapping -write
//
// writes, and TestWrapping compares.
package wrapping_test

import (
	"crypto/elliptic"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// peer is another program, and what is known of it.
type peer struct {
	name  string
	start func(t testing.TB, f *fixtures) (s side, version string)
	differences
}

// differences are what a peer wraps in a way that is its own, so that we cannot read it. The reason says what it does.
type differences []struct {
	typ    ck.MechanismType
	key    string // a payload's name; empty: every one
	reason string
}

func (d differences) reason(m *mechanism, p *payload) string {
	for _, row := range d {
		if row.typ == m.typ && (row.key == "" || row.key == p.name) {
			return row.reason
		}
	}
	return ""
}

var peers = []peer{
	{"SoftHSM2", func(t testing.TB, f *fixtures) (side, string) {
		s := softHSM(t, f)
		return s, s.version(t)
	}, differences{{ck.CKM_AES_KEY_WRAP_PAD, "secret, 21", "it adds zeros to a key of 21 bytes, and gives back 24"}}},
	{"NSS's softokn", func(t testing.TB, f *fixtures) (side, string) {
		s := softokn(t, f)
		return s, s.version(t)
	}, differences{{ck.CKM_AES_KEY_WRAP_PAD, "", "it pads as PKCS #7 does and wraps that as RFC 3394 does; we do as RFC 5649 does"}}},
	{"OpenSSL", func(t testing.TB, f *fixtures) (side, string) {
		out, err := exec.Command("openssl", "version").Output()
		must(t, err)
		return newOpenSSL(t, f), strings.Fields(string(out))[1]
	}, nil},
}

func newFixtures(t testing.TB) *fixtures {
	t.Helper()
	return &fixtures{newRSA(t, 2048), random(32), newEC(t, elliptic.P256())}
}

func TestWrapping(t *testing.T) {
	f := newFixtures(t)
	us, keys, rows := ours(t, f), payloads(t), mechanisms()
	doc := newDocument(keys)
	for _, peer := range peers {
		them, version := peer.start(t, f)
		table := doc.table(peer.name, version)
		for _, m := range rows {
			cells := make([]outcome, len(keys))
			for i, p := range keys {
				cells[i] = peer.meet(t, us, them, m, p)
			}
			table.add(m, cells)
		}
	}
	doc.compare(t)
}

// outcome is what came of a mechanism and a key between two sides. No error is success.
type outcome struct {
	none          bool // the mechanism cannot wrap such a key
	reads, isRead bool // we read what they wrapped, they read what we did
	reason        string
}

// meet has two sides wrap for each other. What we do must be right; what they cannot is noted.
func (peer *peer) meet(t *testing.T, us, them side, m *mechanism, p *payload) outcome {
	t.Helper()
	if !m.takes(p) {
		return outcome{none: true}
	}
	var o outcome
	var reasons []string
	note := func(err error) { reasons = append(reasons, err.Error()) }
	wrapped, err := them.wrap(m, p)
	switch {
	case err != nil:
		note(err)
	default:
		err = pass(us, m, p, wrapped)
		o.reads = err == nil
		if reason := peer.reason(m, p); err != nil && reason != "" {
			note(errors.New(reason))
		} else if err != nil || reason != "" {
			t.Errorf("%s, %s, %s: we read it: %v; a difference that is known: %q", peer.name, m.name, p.name, err, reason)
		}
	}
	wrapped, err = us.wrap(m, p)
	if err != nil {
		t.Errorf("%s, %s: we do not wrap it: %v", m.name, p.name, err)
		return o
	}
	if err = pass(us, m, p, wrapped); err != nil {
		t.Errorf("%s, %s: we do not read our own: %v", m.name, p.name, err)
	}
	err = pass(them, m, p, wrapped)
	if o.isRead = err == nil; !o.isRead {
		if errors.Is(err, errAnother) {
			t.Errorf("%s, %s, %s: %v", peer.name, m.name, p.name, err)
		}
		note(err)
	}
	o.reason = strings.Join(unique(reasons), "; ")
	return o
}

func unique(reasons []string) (out []string) {
	for _, r := range reasons {
		if len(out) == 0 || out[len(out)-1] != r {
			out = append(out, r)
		}
	}
	return out
}

// pass has a side unwrap a key, which must be that key.
func pass(s side, m *mechanism, p *payload, wrapped []byte) error {
	parts, err := s.unwrap(m, p, wrapped)
	if err != nil {
		return err
	}
	return p.same(parts)
}

func (tok *token) version(t testing.TB) string {
	t.Helper()
	info, err := tok.GetInfo()
	must(t, err)
	return fmt.Sprintf("%d.%d", info.LibraryVersion.Major, info.LibraryVersion.Minor)
}
