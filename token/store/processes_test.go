package store_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/store"
)

func numbers(known map[store.ID]int) string {
	return fmt.Sprint(slices.Sorted(maps.Values(known)))
}

// A process that is killed loses nothing that was acknowledged, whenever it happens.
func TestKilledWriter(t *testing.T) {
	s := create(t)
	next := 0
	for round := range 8 {
		cmd := child(t, "add forever", s.Path(), strconv.Itoa(next))
		_, out := talk(t, cmd)
		last := -1
		kill := time.AfterFunc(time.Duration(20+17*round)*time.Millisecond, func() { _ = cmd.Process.Kill() })
		for out.Scan() {
			last, _ = strconv.Atoi(out.Text())
		}
		kill.Stop()
		_ = cmd.Wait()
		for n := next; n <= last; n++ {
			if _, err := s.Get(object(n).ID); err != nil {
				t.Fatalf("round %d: object %d was acknowledged: %v", round, n, err)
			}
		}
		// One more may be there: stored, and killed before it could say so. Nothing else may be.
		known := map[store.ID]*store.Object{}
		state(t, s, known, 0)
		if len(known) != last+1 && len(known) != last+2 && last >= 0 {
			t.Fatalf("round %d: %d objects, %d acknowledged", round, len(known), last+1)
		}
		next = len(known)
	}
	if next < 20 {
		t.Errorf("only %d objects were written: the writers were killed too early to show anything", next)
	}
}

// Eight processes create and delete at once, and so does this one. Nothing is lost and nothing comes back.
func TestManyProcesses(t *testing.T) {
	const processes, each = 8, 60
	s := create(t)
	var all []*exec.Cmd
	for p := range processes {
		cmd := child(t, "add and delete", s.Path(), strconv.Itoa(p*each), strconv.Itoa((p+1)*each))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		all = append(all, cmd)
	}
	known := map[store.ID]*store.Object{}
	var rev int64
	for _, cmd := range all {
		rev = state(t, s, known, rev) // in the midst of it
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	state(t, s, known, rev)
	fresh := map[store.ID]*store.Object{}
	state(t, s, fresh, 0)
	for n := range processes * each {
		id := object(n).ID
		if want := n%2 == 0; (fresh[id] != nil) != want || (known[id] != nil) != want {
			t.Errorf("object %d: there %v, known to the follower %v, want %v", n, fresh[id] != nil, known[id] != nil, want)
		}
	}
}

// A change by one process is seen by the next look of another.
func TestTwoProcesses(t *testing.T) {
	s := create(t)
	in, out := talk(t, child(t, "follow", s.Path()))
	tell := func(order, want string) {
		t.Helper()
		if _, err := io.WriteString(in, order+"\n"); err != nil {
			t.Fatal(err)
		}
		if !out.Scan() || out.Text() != want {
			t.Fatalf("after %q the other process knows of %s, want %s", order, out.Text(), want)
		}
	}
	tell("look", "[]")
	for _, n := range []int{5, 6} {
		if err := s.Put(object(n)); err != nil {
			t.Fatal(err)
		}
		tell("look", map[int]string{5: "[5]", 6: "[5 6]"}[n])
	}
	if err := s.Delete(object(5).ID); err != nil {
		t.Fatal(err)
	}
	tell("look", "[6]")

	before, err := s.Version()
	if err != nil {
		t.Fatal(err)
	}
	tell("add 7", "[6]")
	tell("look", "[6 7]") // its own changes are changes, too
	after, err := s.Version()
	if err != nil {
		t.Fatal(err)
	}
	if before == after {
		t.Error("the version did not change when the other process added an object")
	}
	if again, _ := s.Version(); again != after {
		t.Error("the version changed without a change")
	}
	if _, err := s.Get(object(7).ID); err != nil {
		t.Error(err)
	}
}

// Goroutines share a Store.
func TestGoroutines(t *testing.T) {
	s := create(t)
	errs := make(chan error)
	const workers, each = 8, 20
	for w := range workers {
		go func() {
			var err error
			for n := w * each; n < (w+1)*each && err == nil; n++ {
				if err = s.Put(object(n)); err == nil {
					_, err = s.Get(object(n).ID)
				}
				if _, versionErr := s.Version(); err == nil {
					err = versionErr
				}
			}
			errs <- err
		}()
	}
	for range workers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	known := map[store.ID]*store.Object{}
	state(t, s, known, 0)
	if len(known) != workers*each {
		t.Errorf("%d objects, want %d", len(known), workers*each)
	}
}

// opened opens the token once more, as another process would.
func opened(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// One who writes without a pause, on a slow disk, does not keep the others out.
func TestFairness(t *testing.T) {
	hog := create(t)
	s := opened(t, hog.Path())
	var held, stop atomic.Bool
	stopped := make(chan error)
	go func() {
		var err error
		for err == nil && !stop.Load() {
			err = hog.UpdateHeader(func(*store.Header) error {
				held.Store(true)
				time.Sleep(10 * time.Millisecond)
				return nil
			})
		}
		stopped <- err
	}()
	for !held.Load() {
		time.Sleep(time.Millisecond)
	}
	for n := range 5 {
		if err := s.Put(object(n)); err != nil {
			t.Error(err)
		}
	}
	stop.Store(true)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// A lock that is not given back ends the wait and not the token.
func TestLockedOut(t *testing.T) {
	t.Parallel()
	holder := create(t)
	s := opened(t, holder.Path())
	held, release, done := make(chan bool), make(chan bool), make(chan error)
	go func() {
		done <- holder.UpdateHeader(func(*store.Header) error { close(held); <-release; return nil })
	}()
	<-held
	start := time.Now()
	err := s.Put(object(1))
	if waited := time.Since(start); waited < 4*time.Second || waited > 10*time.Second {
		t.Errorf("it waited for %v", waited)
	}
	if !errors.Is(err, ck.CKR_DEVICE_ERROR) || !strings.Contains(err.Error(), "locked") {
		t.Errorf("a write while another holds the lock: %v", err)
	}
	if _, err := s.Header(); err != nil {
		t.Errorf("a read meanwhile: %v", err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := s.Put(object(1)); err != nil {
		t.Errorf("when the lock is free again: %v", err)
	}
}
