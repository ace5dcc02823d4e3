package guard_test

import (
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// TestPresenceNeedsNoGuard: programs into which the library is loaded for nothing, and those that want what is public, never ask for a guard. Here one
// would be found that never answers.
func TestPresenceNeedsNoGuard(t *testing.T) {
	t.Parallel()
	for _, login := range []string{"pin", "none"} {
		t.Run("login "+login, func(t *testing.T) {
			t.Parallel()
			s, _ := newSite(t)
			args := []string{"init", "--label", label, "--policy", "vbs-required", "--login", login}
			if login == "pin" {
				args = append(args, "--pin", userPIN, "--so-pin", soPIN)
			}
			s.run(args...)
			h := s.host()
			session := h.logIn(login)
			w := generations()[1]
			made := h.must("pair", session, w.mechanism, append(kept("key", true), w.public...), "/", append(kept("key", true), attr(ck.CKA_SIGN, true)))
			signature := h.must("sign", session, w.signs, made.number(1), digest[:]).bytes(0)
			h.end()
			s.stopGuards()

			isPresent(s.host(), w, signature)
			if n := len(s.guards()); n != 0 {
				t.Errorf("%d guards were started", n)
			}
			contacts := s.listenInstead(t)
			isPresent(s.host(), w, signature)
			if n := contacts.Load(); n != 0 {
				t.Errorf("the guard was contacted %d times", n)
			}
		})
	}
}

// listenInstead puts a silent guard where the site's is looked for.
func (s *site) listenInstead(t *testing.T) *atomic.Int32 {
	t.Helper()
	socket := filepath.Join(s.dir, "silent")
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: socket, Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s.guard = "unix:" + socket
	contacts := &atomic.Int32{}
	go func() {
		for {
			if _, err := l.Accept(); err != nil {
				return
			}
			contacts.Add(1)
		}
	}()
	return contacts
}

// isPresent does what takes no key.
func isPresent(h *host, w generation, signature []byte) {
	h.t.Helper()
	session := h.session()
	public := h.find(session, "key", ck.CKO_PUBLIC_KEY)
	for _, kind := range []ck.AttributeType{ck.CKA_ID, ck.CKA_EC_POINT, ck.CKA_PUBLIC_KEY_INFO} {
		h.must("get", session, public, kind)
	}
	h.must("verify", session, w.signs, public, digest[:], signature)
	h.must("random", session, 32)
	h.must("create", session, template{attr(ck.CKA_CLASS, ck.CKO_DATA), attr(ck.CKA_PRIVATE, false), attr(ck.CKA_TOKEN, true), attr(ck.CKA_VALUE, message)})
	h.must("close", session)
	h.must("finalize")
	h.end()
}
