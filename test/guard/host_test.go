package guard_test

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// host is a running host/main.c. Its methods are for one goroutine at a time; must and want end the test and are for the test's own.
type host struct {
	t   *testing.T
	pid int
	cmd *exec.Cmd // nil: a forked child
	in  io.WriteCloser
	out *bufio.Reader
}

// host starts a program that is killed at the test's end, if it has not ended then.
func (s *site) host() *host {
	s.t.Helper()
	cmd := s.program("host", filepath.Join(built, "libncrypt11.so"))
	in, err := cmd.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	h := &host{t: s.t, pid: cmd.Process.Pid, cmd: cmd, in: in, out: bufio.NewReaderSize(out, 1<<20)}
	s.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return h
}

// end ends the host's input, after which it leaves without a word to the library.
func (h *host) end() {
	h.t.Helper()
	_ = h.in.Close()
	if h.cmd == nil {
		return
	}
	if err := h.cmd.Wait(); err != nil {
		h.t.Errorf("the host: %v", err)
	}
}

// words are what a call gave.
type words []string

func (w words) number(i int) uint64 {
	n, err := strconv.ParseUint(w[i], 0, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func (w words) bytes(i int) []byte {
	b, err := hex.DecodeString(strings.TrimPrefix(w[i], "x"))
	if err != nil {
		panic(err)
	}
	return b
}

// ask has the host make a call. The error says that there was no answer.
func (h *host) ask(verb string, args ...any) (ck.RV, words, error) {
	line := verb
	for _, arg := range args {
		line += " " + spelled(arg)
	}
	// The answer is awaited for longer than a call may take, so that a hang has a name.
	overdue := time.AfterFunc(patience, func() { _ = syscall.Kill(h.pid, syscall.SIGKILL) })
	defer overdue.Stop()
	if _, err := io.WriteString(h.in, line+"\n"); err != nil {
		return 0, nil, fmt.Errorf("%s: the host is gone: %w", verb, err)
	}
	answer, err := h.out.ReadString('\n')
	if err != nil {
		if !overdue.Stop() {
			err = errors.New("HANG: killed")
		}
		return 0, nil, fmt.Errorf("%s: no answer: %w", verb, err)
	}
	all := words(strings.Fields(answer))
	return ck.RV(all.number(0)), all[1:], nil
}

func spelled(arg any) string {
	switch a := arg.(type) {
	case string:
		return a
	case []byte:
		return fmt.Sprintf("x%x", a)
	case template:
		return a.String()
	case fmt.Stringer:
		if n, ok := numberOf(arg); ok {
			return n
		}
		return a.String()
	}
	if n, ok := numberOf(arg); ok {
		return n
	}
	panic(fmt.Sprintf("%T", arg))
}

// numberOf spells a number of any type as one, though it may have a name.
func numberOf(arg any) (string, bool) {
	n := fmt.Sprintf("%d", arg)
	_, err := strconv.ParseUint(n, 10, 64)
	return n, err == nil
}

// try is an ask that has to be answered.
func (h *host) try(verb string, args ...any) (ck.RV, words) {
	h.t.Helper()
	rv, got, err := h.ask(verb, args...)
	if err != nil {
		h.t.Fatal(err)
	}
	return rv, got
}

// must is a call that has to go well.
func (h *host) must(verb string, args ...any) words {
	h.t.Helper()
	rv, got := h.try(verb, args...)
	if rv != ck.CKR_OK {
		h.t.Fatalf("%s: %v", verb, rv)
	}
	return got
}

// want is a call that has to give one CK_RV.
func (h *host) want(rv ck.RV, verb string, args ...any) {
	h.t.Helper()
	if got, _ := h.try(verb, args...); got != rv {
		h.t.Errorf("%s: %v, want %v", verb, got, rv)
	}
}

// template is a list of attributes, or two with a slash between.
type template []string

func (t template) String() string { return strings.Join(t, " ") }

// attr spells an attribute: its value is bytes, a bool or a number.
func attr(kind ck.AttributeType, value any) string {
	switch v := value.(type) {
	case []byte:
		return fmt.Sprintf("%d=x%x", kind, v)
	case bool:
		return fmt.Sprintf("%d=%t", kind, v)
	case string:
		return fmt.Sprintf("%d=x%x", kind, v)
	}
	return fmt.Sprintf("%d=%d", kind, value)
}

// with spells a mechanism with a parameter.
func with(m ck.MechanismType, parameter []byte) string { return fmt.Sprintf("%d:x%x", m, parameter) }

// token finds the slot of the tests' token.
func (h *host) token() uint64 {
	h.t.Helper()
	slot, _, ok := h.findToken()
	if !ok {
		h.t.Fatalf("there is no token %s", label)
	}
	return slot
}

func (h *host) findToken() (slot, flags uint64, ok bool) {
	h.t.Helper()
	got := h.must("slots")
	for i := 0; i+2 < len(got); i += 3 {
		if strings.TrimRight(string(got.bytes(i+2)), " ") == label {
			return got.number(i), got.number(i + 1), true
		}
	}
	return 0, 0, false
}

// sessionFlags are those of a read-write session.
const sessionFlags = 2 | 4 // CKF_RW_SESSION, CKF_SERIAL_SESSION

// session initializes the library and opens a session with the tests' token.
func (h *host) session() uint64 {
	h.t.Helper()
	h.must("initialize")
	return h.must("open", h.token(), sessionFlags).number(0)
}

// user is a session with the user logged in.
func (h *host) user() uint64 {
	h.t.Helper()
	session := h.session()
	h.must("login", session, ck.CKU_USER, []byte(userPIN))
	return session
}

// find gives the only object with a label and a class.
func (h *host) find(session uint64, name string, class ck.ObjectClass) uint64 {
	h.t.Helper()
	found := h.must("find", session, attr(ck.CKA_LABEL, name), attr(ck.CKA_CLASS, class))
	if len(found) != 1 {
		h.t.Fatalf("%d objects of class %v are named %s", len(found), class, name)
	}
	return found.number(0)
}

// is reads a CK_BBOOL.
func (h *host) is(session, object uint64, kind ck.AttributeType) bool {
	h.t.Helper()
	return h.must("get", session, object, kind).bytes(0)[0] == 1
}

// loggedIn makes a place with a TPM and a token, and starts a program there with the user logged in.
func loggedIn(t *testing.T) (*site, *host, uint64) {
	t.Helper()
	s, _ := newSite(t)
	s.newToken()
	h := s.host()
	return s, h, h.user()
}
