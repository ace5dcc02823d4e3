package guard_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/test/attack"
)

// TestGuardUnderAttack: a program of the user whom a guard runs as, and one of another, try to look into the guard that serves the user. Keys are
// loaded, and it goes on to serve. test/attack shows that the attempts come through where nothing is protected.
func TestGuardUnderAttack(t *testing.T) {
	t.Parallel()
	root(t)
	attacker := attack.Attacker(t)
	t.Run("a guard of the user's own", func(t *testing.T) {
		t.Parallel()
		s := newSiteOf(t, owner, newTPM(t).Address())
		s.newToken()
		attacked(t, attacker, s, s.theGuard, owner)
	})
	t.Run("a guard with a user of its own", func(t *testing.T) {
		t.Parallel()
		tpm := newTPM(t)
		guard := newSiteOf(t, keeper, tpm.Address())
		s := newSiteOf(t, owner, "none")
		s.guard = guard.serve()
		s.newToken()
		attacked(t, attacker, s, guard.theGuard, keeper)
	})
}

func attacked(t *testing.T, attacker string, s *site, guard func() int, keeper uint32) {
	t.Helper()
	h := s.host()
	session := h.user()
	handles := h.importAll(session)
	for _, w := range ways() {
		h.signs(session, handles[w.name], w)
	}
	pid := guard()
	for _, uid := range []uint32{keeper, owner, stranger} {
		attack.Check(t, attack.RunAs(t, attacker, uid, pid), true)
	}
	for _, w := range ways() {
		h.signs(session, handles[w.name], w)
	}
	if now := guard(); now != pid {
		t.Errorf("the guard %d has become %d", pid, now)
	}
}
