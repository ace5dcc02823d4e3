package ncryptmap_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// raceHome has this program be a racer in that home, and no test.
const raceHome = "NCRYPT11_TEST_RACE"

func TestMain(m *testing.M) {
	if home := os.Getenv(raceHome); home != "" {
		race(home, os.Stdin, os.Stdout)
		return
	}
	os.Exit(m.Run())
}

// race does what it is told, a word a line, and answers how each ended.
func race(home string, in io.Reader, out io.Writer) {
	t := &quitter{out: out}
	defer t.quit()
	s := open(t, home)
	for lines := bufio.NewScanner(in); lines.Scan(); {
		fmt.Fprintln(out, uint32(nte.Code(s.raceOnce(lines.Text()))))
	}
}

// quitter is a test that is none: it ends the program.
type quitter struct {
	testing.TB
	out   io.Writer
	after []func()
}

func (q *quitter) Helper()          {}
func (q *quitter) Cleanup(f func()) { q.after = append(q.after, f) }
func (q *quitter) Fatal(args ...any) {
	fmt.Fprintln(q.out, args...)
	os.Exit(1)
}

func (q *quitter) quit() {
	for _, f := range slices.Backward(q.after) {
		f()
	}
}

const raced = "raced"

// raceOnce does one thing to the one name.
func (s *site) raceOnce(what string) error {
	if what == "delete" {
		h, err := s.OpenKey(s.provider, raced, 0, 0)
		if err != nil {
			return err
		}
		if err = s.DeleteKey(h, 0); err != nil {
			_ = s.FreeObject(h)
		}
		return err
	}
	flags := map[string]uint32{"create": 0, "overwrite": overwrite, "archive": overwrite}[what]
	h, err := s.CreatePersistedKey(s.provider, "ECDSA_P256", raced, 0, flags)
	if err != nil {
		return err
	}
	defer s.FreeObject(h)
	if what == "archive" { // a key that is made in two steps
		if err := s.set(h, "Export Policy", 8); err != nil {
			return err
		}
	}
	if err := s.SetProperty(h, "mine", []byte(what), onlyOwn); err != nil {
		return err
	}
	return s.FinalizeKey(h, 0)
}

// racer is another process.
type racer struct {
	in  io.WriteCloser
	out *bufio.Reader
}

func startRacer(t *testing.T, home string) *racer {
	t.Helper()
	program := exec.Command(os.Args[0])
	program.Env = append(os.Environ(), raceHome+"="+home)
	program.Stderr = os.Stderr
	in, err := program.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := program.Wait(); err != nil {
			t.Errorf("a racer: %v", err)
		}
	})
	return &racer{in, bufio.NewReader(out)}
}

func (r *racer) tell(t *testing.T, what string) {
	if _, err := fmt.Fprintln(r.in, what); err != nil {
		t.Fatal(err)
	}
}

func (r *racer) hear(t *testing.T) nte.Status {
	line, err := r.out.ReadString('\n')
	var status uint32
	if _, scanErr := fmt.Sscan(line, &status); err != nil || scanErr != nil {
		t.Fatalf("a racer says %q, %v", line, err)
	}
	return nte.Status(status)
}

// Two processes do things to one name, at once and over and over: there is always one key of it that is whole, or none. NCRYPT11_LONG=1 takes minutes.
func TestB17RacingProcesses(t *testing.T) {
	rounds := 300
	if os.Getenv("NCRYPT11_LONG") != "" {
		rounds = 10000
	}
	home := t.TempDir()
	one, other := startRacer(t, home), startRacer(t, home)
	observer := open(t, home)
	things := []string{"create", "overwrite", "delete", "archive"}
	there := false
	for i := range rounds {
		a, b := things[i%4], things[i/4%4]
		one.tell(t, a)
		other.tell(t, b)
		statusA, statusB := one.hear(t), other.hear(t)
		round := fmt.Sprintf("round %d, %s (%v) against %s (%v), there was a key: %v", i, a, statusA, b, statusB, there)
		if !raceMayEnd(there, a, b, statusA, statusB) {
			t.Fatalf("%s: this cannot be", round)
		}
		there = observer.whole(round)
		if t.Failed() {
			return
		}
	}
	if n := len(tokens(t, observer.engine)); n != 1 {
		t.Errorf("%d tokens were made", n)
	}
}

// raceMayEnd says whether there is an order of the two in which they end so.
func raceMayEnd(there bool, a, b string, statusA, statusB nte.Status) bool {
	ends := func(what string, there bool) (nte.Status, bool) {
		switch {
		case what == "create" && there:
			return nte.NTE_EXISTS, there
		case what == "delete" && !there:
			return nte.NTE_BAD_KEYSET, there
		}
		return nte.ERROR_SUCCESS, what != "delete"
	}
	inOrder := func(first, second string, statusFirst, statusSecond nte.Status) bool {
		status, now := ends(first, there)
		if status != statusFirst {
			return false
		}
		status, _ = ends(second, now)
		// A key that another one replaces between opening it and deleting it is not there any more, while its name is.
		return status == statusSecond || second == "delete" && statusSecond == nte.NTE_BAD_KEYSET
	}
	return inOrder(a, b, statusA, statusB) || inOrder(b, a, statusB, statusA)
}

// whole says whether there is a key, and checks that it is whole: that it signs, that there is its public half and no other, and its property.
func (s *site) whole(when string) bool {
	s.t.Helper()
	names := s.names(0)
	stored := storedObjects(s.t, s.engine)
	if len(names) == 0 {
		if stored != 0 {
			s.t.Errorf("%s: %d objects of no key", when, stored)
		}
		return false
	}
	h, err := s.OpenKey(s.provider, raced, 0, 0)
	if len(names) != 1 || err != nil || stored != 3 {
		s.t.Errorf("%s: the keys are %s, with %d objects, %v", when, strings.Join(names, ", "), stored, err)
		return true
	}
	defer s.FreeObject(h)
	signature := s.signs(when, h, nte.ERROR_SUCCESS)
	public := s.imported("ECCPUBLICBLOB", "", s.export(h, "ECCPUBLICBLOB"), 0)
	defer s.FreeObject(public)
	s.want(when, s.VerifySignature(public, nil, aHash, signature, 0), nte.ERROR_SUCCESS)
	s.reads(h, "mine", onlyOwn, nte.ERROR_SUCCESS)
	return true
}

// tokens are the slots of the tokens that an engine sees.
func tokens(t testing.TB, p *token.Provider) []ck.SlotID {
	t.Helper()
	slots, err := p.SlotList(true)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(slots, func(slot ck.SlotID) bool {
		_, err := p.Describe(slot)
		return err != nil // the slot of a token that is yet to be made
	})
}

// storedObjects counts the objects that are stored in the tokens of an engine, whatever they are.
func storedObjects(t testing.TB, p *token.Provider) int {
	t.Helper()
	n := 0
	for _, slot := range tokens(t, p) {
		handle, err := p.OpenSession(slot, ck.CKF_SERIAL_SESSION)
		if err != nil {
			t.Fatal(err)
		}
		s, err := p.Session(handle)
		if err != nil {
			t.Fatal(err)
		}
		for _, class := range []ck.ObjectClass{ck.CKO_PRIVATE_KEY, ck.CKO_PUBLIC_KEY, ck.CKO_SECRET_KEY, ck.CKO_DATA} {
			n += len(found(t, s, class))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return n
}
