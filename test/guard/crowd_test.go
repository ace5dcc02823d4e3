package guard_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// TestManyStartAtOnce: programs that all find no guard make do with one.
func TestManyStartAtOnce(t *testing.T) {
	t.Parallel()
	s, _ := newSite(t)
	s.newToken()
	first := s.host()
	first.importAll(first.user())
	first.end()
	for range (count{3, 30}).n() {
		s.stopGuards()
		var all sync.WaitGroup
		errs := make(chan error, 12)
		for range cap(errs) {
			h := s.host()
			all.Go(func() { errs <- h.signOnce() })
		}
		all.Wait()
		for range cap(errs) {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		eventually(t, "there is one guard", func() bool { s.reapStrangers(); return len(s.guards()) == 1 })
	}
}

// signOnce is a program's whole life, for any goroutine.
func (h *host) signOnce() error {
	step := func(verb string, args ...any) (words, error) {
		rv, got, err := h.ask(verb, args...)
		if err == nil && rv != ck.CKR_OK {
			err = fmt.Errorf("%s: %v", verb, rv)
		}
		return got, err
	}
	if _, err := step("initialize"); err != nil {
		return err
	}
	slots, err := step("slots")
	if err != nil {
		return err
	}
	session, err := step("open", slots.number(0), sessionFlags)
	if err != nil {
		return err
	}
	if _, err := step("login", session.number(0), ck.CKU_USER, []byte(userPIN)); err != nil {
		return err
	}
	w := ways()[1]
	key, err := step("find", session.number(0), attr(ck.CKA_LABEL, w.name), attr(ck.CKA_CLASS, ck.CKO_PRIVATE_KEY))
	if err != nil {
		return err
	}
	signature, err := step("sign", session.number(0), w.mechanism, key.number(0), w.data)
	if err != nil {
		return err
	}
	if !w.good(signature.bytes(0)) {
		return fmt.Errorf("a signature that is not good")
	}
	_, err = step("finalize")
	return err
}

// TestComingAndGoing: a guard that leaves for want of work, and a program that comes at that moment, do not miss each other.
func TestComingAndGoing(t *testing.T) {
	t.Parallel()
	s, _ := newSite(t)
	s.configure(`guard_idle = "1s"`)
	s.newToken()
	first := s.host()
	first.importAll(first.user())
	first.end()
	h := s.host()
	for range (count{8, 60}).n() {
		if err := h.signOnce(); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Duration(970+rand.IntN(120)) * time.Millisecond) // and then it leaves, or has just left
	}
	h.end()
	eventually(t, "there is no guard", func() bool { s.reapStrangers(); return len(s.guards()) == 0 })
}

// TestKeysAreMadeWhileGuardIsKilled: a key of which a program was told is there and works; of one that could not be made nothing is left.
func TestKeysAreMadeWhileGuardIsKilled(t *testing.T) {
	const programs = 3
	s, _ := newSite(t)
	s.newToken()
	c := generations()[1]
	var running sync.WaitGroup
	stop := make(chan struct{})
	made := make([][]string, programs)
	lost := make([]int, programs)
	for i := range programs {
		h := s.host()
		session := h.user()
		running.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				name := fmt.Sprintf("key %d of %d", n, i)
				rv, _, err := h.ask("pair", session, c.mechanism, append(kept(name, true), c.public...), "/", append(kept(name, true), attr(ck.CKA_SIGN, true)))
				switch {
				case err != nil:
					t.Error(err)
					return
				case rv == ck.CKR_OK:
					made[i] = append(made[i], name)
				case rv == ck.CKR_DEVICE_ERROR:
					lost[i]++
				default:
					t.Errorf("%s: %v", name, rv)
				}
			}
		})
	}
	for range (count{15, 150}).n() {
		time.Sleep(time.Duration(20+rand.IntN(100)) * time.Millisecond)
		s.killGuards()
	}
	close(stop)
	running.Wait()
	checkMade(s, c, made, lost)
}

func checkMade(s *site, c generation, made [][]string, lost []int) {
	s.t.Helper()
	h := s.host()
	session := h.user()
	total := 0
	for _, names := range made {
		for _, name := range names {
			key := h.find(session, name, ck.CKO_PRIVATE_KEY)
			signature := h.must("sign", session, c.signs, key, digest[:]).bytes(0)
			h.must("verify", session, c.signs, h.find(session, name, ck.CKO_PUBLIC_KEY), digest[:], signature)
			total++
		}
	}
	s.t.Logf("%d keys were made, %v could not be made", total, lost)
	if total == 0 {
		s.t.Error("no key was made")
	}
	left := 0 // of keys that could not be made
	for _, class := range []ck.ObjectClass{ck.CKO_PRIVATE_KEY, ck.CKO_PUBLIC_KEY} {
		left += int(h.must("count", session, attr(ck.CKA_CLASS, class)).number(0)) - total
	}
	if left != 0 {
		s.t.Errorf("%d objects too many", left)
	}
}
