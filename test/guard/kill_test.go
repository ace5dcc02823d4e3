package guard_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// signDeadline is the longest that a signature may take to fail: the time that a guard has to answer, and some for a new one to start.
const signDeadline = 45 * time.Second

// storm is what became of the calls of many programs.
type storm struct {
	good, failed atomic.Int64
	stop         atomic.Bool
	mu           sync.Mutex
	codes        map[ck.RV]int
	slowest      time.Duration
	wrong        []error
}

func (st *storm) note(rv ck.RV, took time.Duration, wrong error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if rv != ck.CKR_OK {
		st.codes[rv]++
	}
	st.slowest = max(st.slowest, took)
	if wrong != nil {
		st.wrong = append(st.wrong, wrong)
	}
}

// run has a program sign until it is told to stop.
func (st *storm) run(h *host, session uint64, handles map[string]uint64) {
	all := ways()
	for i := 0; !st.stop.Load(); i++ {
		w := all[i%len(all)]
		start := time.Now()
		rv, got, err := h.ask("sign", session, w.mechanism, handles[w.name], w.data)
		took := time.Since(start)
		switch {
		case err != nil:
			st.note(0, took, err)
			return
		case rv == ck.CKR_OK && !w.good(got.bytes(0)):
			st.note(rv, took, fmt.Errorf("%s: a signature that is not good", w.name))
		case rv == ck.CKR_OK:
			st.good.Add(1)
			st.note(rv, took, nil)
		default:
			st.failed.Add(1)
			st.note(rv, took, nil)
		}
	}
}

// TestGuardIsKilled: whoever kills the guard again and again while eight programs sign costs them time, and nothing else.
func TestGuardIsKilled(t *testing.T) {
	const programs = 8
	s, tpm := newSite(t)
	s.newToken()
	first := s.host()
	session := first.user()
	first.importAll(session)
	st := &storm{codes: map[ck.RV]int{}}
	var running sync.WaitGroup
	hosts := make([]*host, programs)
	sessions := make([]uint64, programs)
	for i := range hosts {
		h := s.host()
		hosts[i], sessions[i] = h, h.user()
		handles := map[string]uint64{}
		for _, w := range ways() {
			handles[w.name] = h.find(sessions[i], w.name, ck.CKO_PRIVATE_KEY)
		}
		running.Go(func() { st.run(h, sessions[i], handles) })
	}
	kills := count{25, 200}.n()
	for range kills {
		time.Sleep(time.Duration(20+rand.IntN(150)) * time.Millisecond)
		s.killGuards()
	}
	time.Sleep(200 * time.Millisecond)
	st.stop.Store(true)
	running.Wait()
	t.Logf("%d kills: %d signatures, %d calls failed: %v; the slowest call took %v", kills, st.good.Load(), st.failed.Load(), st.codes, st.slowest)
	for _, err := range st.wrong {
		t.Error(err)
	}
	if st.good.Load() < int64(kills) || st.slowest > signDeadline {
		t.Error("too few signatures, or a call that took too long")
	}
	for rv := range maps.Keys(st.codes) {
		if rv != ck.CKR_DEVICE_ERROR {
			t.Errorf("a call failed by %v", rv)
		}
	}
	for i, h := range append(hosts, first) {
		if i < programs {
			h.signs(sessions[i], h.find(sessions[i], "ec", ck.CKO_PRIVATE_KEY), ways()[1])
		}
		if left := children(t, h.pid); len(left) != 0 {
			t.Errorf("the program has children %v", left)
		}
	}
	s.reapStrangers()
	s.theGuard()
	// A guard that was killed may have left something in the TPM, which is removed when it is in the way: PINs are tried all the same.
	late := s.host()
	session = late.user()
	late.signs(session, late.find(session, "rsa", ck.CKO_PRIVATE_KEY), ways()[0])
	if n := tpm.Failures(); n != 0 {
		t.Errorf("the TPM counts %d wrong PINs", n)
	}
}

// killGuards kills what guards there are: there may be none at the moment, or one that finds that it is not needed.
func (s *site) killGuards() {
	for _, pid := range s.guards() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
		s.gone(pid)
	}
}

// reapStrangers does what init does for processes that have lost their parents, and waits until there are none that are about to end.
func (s *site) reapStrangers() {
	s.t.Helper()
	for end := time.Now().Add(10 * time.Second); len(s.guards()) > 1 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		for _, pid := range s.guards() {
			_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
		}
	}
}

// TestSessionObjectsAreLost: a session object is in the guard's memory and nowhere else. Who uses it is told once that it is lost; then it is gone.
func TestSessionObjectsAreLost(t *testing.T) {
	t.Parallel()
	s, h, session := loggedIn(t)
	key := h.must("create", session, append(kept("lost", false), secretTemplate(ck.CKK_AES, testKeys().aes)...)).number(0)
	stays := h.must("create", session, append(kept("stays", true), secretTemplate(ck.CKK_AES, testKeys().aes)...)).number(0)
	begun := h.must("open", h.token(), sessionFlags).number(0)
	h.must("encrypt-begin", begun, with(ck.CKM_AES_CBC, make([]byte, 16)), stays, make([]byte, 32))
	s.signalGuard(syscall.SIGKILL)

	h.want(ck.CKR_DEVICE_ERROR, "encrypt-end", begun) // what it had taken is gone, too
	h.want(ck.CKR_OPERATION_NOT_INITIALIZED, "encrypt-end", begun)
	use := []any{session, with(ck.CKM_AES_CBC, make([]byte, 16)), key, make([]byte, 32), 0}
	h.want(ck.CKR_DEVICE_ERROR, "encrypt", use...)
	h.want(ck.CKR_KEY_HANDLE_INVALID, "encrypt", use...)
	if found := h.must("find", session, attr(ck.CKA_LABEL, "lost")); len(found) != 0 {
		t.Error("the lost object is still found")
	}
	checkAES(h, session, stays)
}

// TestGuardIsReplaced: a guard that is told to end, as at an update, has its place taken without anybody logging in again.
func TestGuardIsReplaced(t *testing.T) {
	t.Parallel()
	s, h, session := loggedIn(t)
	handles := h.importAll(session)
	for range 5 {
		old := s.signalGuard(syscall.SIGTERM)
		checkUses(h, session, handles)
		if now := s.theGuard(); now == old {
			t.Error("the guard is still the same")
		}
	}
	// What a login permits, a new guard permits too, and no more.
	h.must("create", session, append(kept("later", true), secretTemplate(ck.CKK_AES, testKeys().aes)...))
	h.must("set-pin", session, []byte(userPIN), []byte("4321"))
	s.signalGuard(syscall.SIGTERM)
	h.must("logout", session)
	h.want(ck.CKR_KEY_HANDLE_INVALID, "sign", session, ways()[0].mechanism, handles["rsa"], message)
	h.must("login", session, ck.CKU_USER, []byte("4321"))
	h.signs(session, h.find(session, "rsa", ck.CKO_PRIVATE_KEY), ways()[0])
}

// TestGuardHangs: calls end within their time, and go on when the guard does.
func TestGuardHangs(t *testing.T) {
	t.Parallel()
	s, h, session := loggedIn(t)
	handles := h.importAll(session)
	h.signs(session, handles["rsa"], ways()[0])
	guard := s.signalGuard(syscall.SIGSTOP)
	start := time.Now()
	h.want(ck.CKR_DEVICE_ERROR, "sign", session, ways()[0].mechanism, handles["rsa"], message)
	if took := time.Since(start); took > signDeadline {
		t.Errorf("the call took %v", took)
	}
	start = time.Now()
	if other := s.host(); len(other.must("initialize")) != 0 || other.token() == 0 {
		t.Error("a program does not find the token")
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("a guard that hangs holds up a program that does not need it, for %v", took)
	}
	for range (count{0, 1}).n() { // the TPM that it asks may take a minute
		start = time.Now()
		late := s.host()
		rv, _ := late.try("login", late.session(), ck.CKU_USER, []byte(userPIN))
		if took := time.Since(start); rv == ck.CKR_OK || took > 90*time.Second {
			t.Errorf("a login: %v after %v", rv, took)
		}
		late.end()
	}
	if err := syscall.Kill(guard, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	checkUses(h, session, handles)
	start = time.Now()
	s.signalGuard(syscall.SIGSTOP)
	h.must("finalize")
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("a guard that hangs holds up a program that ends, for %v", took)
	}
	h.end()
}

// TestGuardsLeave: a guard that nobody needs ends, and nothing of it is left.
func TestGuardsLeave(t *testing.T) {
	t.Parallel()
	s, _ := newSite(t)
	s.configure(`guard_idle = "1s"`)
	s.newToken()
	h := s.host()
	session := h.user()
	key := h.importAll(session)["ec"]
	guard := s.theGuard()
	time.Sleep(1500 * time.Millisecond)
	if !slices.Contains(s.guards(), guard) {
		t.Error("the guard has left though it is needed")
	}
	h.signs(session, key, ways()[1])
	h.must("finalize")
	s.gone(guard)
	if left := s.guards(); len(left) != 0 {
		t.Errorf("guards %v are left", left)
	}
	session = h.user()
	h.signs(session, h.find(session, "ec", ck.CKO_PRIVATE_KEY), ways()[1])
	h.end()
}
