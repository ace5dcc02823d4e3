package token

import (
	"sync"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

func TestSessionHandlesAreNotUsedTwice(t *testing.T) {
	table := newSessionTable(1<<32 - 3) // the generation wraps around during the test
	seen := map[ck.SessionHandle]bool{}
	for range 10 {
		s := &Session{}
		if err := table.add(s); err != nil {
			t.Fatal(err)
		}
		if s.handle == 0 || seen[s.handle] {
			t.Fatalf("handle %#x again", s.handle)
		}
		seen[s.handle] = true
		if got, err := table.get(s.handle); got != s || err != nil {
			t.Fatalf("get(%#x) = %v, %v", s.handle, got, err)
		}
		if !table.remove(s) || table.remove(s) {
			t.Fatal("of two removals one must win")
		}
		if _, err := table.get(s.handle); ck.Code(err) != ck.CKR_SESSION_HANDLE_INVALID {
			t.Fatalf("a closed session is found: %v", err)
		}
		table.release(s)
	}
}

func TestSessionTableFills(t *testing.T) {
	table := newSessionTable(0)
	var last *Session
	for range maxSessions {
		last = &Session{}
		if err := table.add(last); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.add(&Session{}); ck.Code(err) != ck.CKR_SESSION_COUNT {
		t.Fatalf("one session too many: %v", err)
	}
	if len(table.all()) != maxSessions {
		t.Fatal("not all are listed")
	}
	table.remove(last)
	if err := table.add(&Session{}); ck.Code(err) != ck.CKR_SESSION_COUNT {
		t.Fatalf("a place that its last session has not released: %v", err)
	}
	table.release(last)
	if err := table.add(&Session{}); err != nil {
		t.Fatalf("a place that is free again: %v", err)
	}
}

func TestStrangeHandlesFindNothing(t *testing.T) {
	table := newSessionTable(7)
	if err := table.add(&Session{}); err != nil {
		t.Fatal(err)
	}
	for _, h := range []ck.SessionHandle{0, 1, 2, 1 << indexBits, ^ck.SessionHandle(0), maxSessions + 1} {
		if _, err := table.get(h); err == nil {
			t.Errorf("%#x finds a session", h)
		}
	}
}

func TestSessionTableConcurrently(t *testing.T) {
	table := newSessionTable(0)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 2000 {
				s := &Session{}
				if table.add(s) != nil {
					t.Error("add failed")
					return
				}
				if got, _ := table.get(s.handle); got != s {
					t.Error("another session under our handle")
				}
				table.remove(s)
				table.release(s)
			}
		})
	}
	wg.Wait()
	if n := len(table.all()); n != 0 {
		t.Fatalf("%d sessions are left", n)
	}
}
