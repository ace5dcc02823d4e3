package guard_test

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// fork has the host fork. The child is a host with lines of its own, that was forked in the middle of a program's life.
func (h *host) fork(s *site, name string) *host {
	h.t.Helper()
	paths := []string{filepath.Join(s.dir, name+".in"), filepath.Join(s.dir, name+".out")}
	for _, path := range paths {
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			h.t.Fatal(err)
		}
	}
	pid := int(h.must("fork", paths[0], paths[1]).number(0))
	in, err := os.OpenFile(paths[0], os.O_WRONLY, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	out, err := os.Open(paths[1])
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL); in.Close(); out.Close() })
	child := &host{t: h.t, pid: pid, in: in, out: bufio.NewReaderSize(out, 1<<20)}
	if _, err := child.out.ReadString('\n'); err != nil { // its own answer to having been forked
		h.t.Fatal(err)
	}
	return child
}

// sockets are the inodes of a process's sockets.
func (h *host) sockets() (found []string) {
	h.t.Helper()
	dir := filepath.Join("/proc", strconv.Itoa(h.pid), "fd")
	entries, err := os.ReadDir(dir)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range entries {
		if target, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil && strings.HasPrefix(target, "socket:") {
			found = append(found, target)
		}
	}
	return found
}

// TestServerForks: a server logs in and forks workers, as nginx does. Each has a login and connections of its own, the parent's are closed there, and
// when all have ended the guard remembers nobody.
func TestServerForks(t *testing.T) {
	t.Parallel()
	s, _ := newSite(t)
	s.newToken()
	nobody := s.report().Sessions // that of who asks
	master := s.host()
	session := master.user()
	handles := master.importAll(session)
	checkUses(master, session, handles)
	if len(master.sockets()) == 0 {
		t.Fatal("the server has no connections, so the test shows nothing")
	}
	var workers []*host
	for i := range 4 {
		w := master.fork(s, "worker"+strconv.Itoa(i))
		workers = append(workers, w)
		w.want(ck.CKR_CRYPTOKI_NOT_INITIALIZED, "sign", session, ways()[0].mechanism, handles["rsa"], message)
		own := w.user()
		for _, way := range ways() {
			w.signs(own, w.find(own, way.name, ck.CKO_PRIVATE_KEY), way)
		}
		for _, socket := range w.sockets() {
			if slices.Contains(master.sockets(), socket) {
				t.Errorf("worker %d shares %s with the server", i, socket)
			}
		}
		checkUses(master, session, handles)
	}
	if n := s.report().Sessions; n <= nobody+len(workers) {
		t.Errorf("%d sessions for a server and %d workers", n-nobody, len(workers))
	}
	checkWorkersAlone(t, s, master, workers, nobody)
	master.end()
	eventually(t, "the guard has no sessions", func() bool { return s.report().Sessions == nobody })
	if n := len(s.guards()); n != 1 {
		t.Errorf("%d guards", n)
	}
}

// checkWorkersAlone has the server end its part, a worker die, and the others go on.
func checkWorkersAlone(t *testing.T, s *site, master *host, workers []*host, nobody int) {
	t.Helper()
	master.must("finalize")
	eventually(t, "the guard has the workers' sessions alone", func() bool { return s.report().Sessions <= nobody+len(workers) })
	if err := syscall.Kill(workers[0].pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	master.must("wait", workers[0].pid)
	eventually(t, "the guard has forgotten a worker that was killed", func() bool { return s.report().Sessions <= nobody+len(workers)-1 })
	for _, w := range workers[1:] {
		got := w.must("slots")
		if len(got) == 0 {
			t.Error("a worker has no slots")
		}
		own := w.must("open", w.token(), sessionFlags).number(0)
		for _, way := range ways() {
			w.signs(own, w.find(own, way.name, ck.CKO_PRIVATE_KEY), way)
		}
		w.end()
		master.must("wait", w.pid)
	}
}
