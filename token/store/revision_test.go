package store_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/store"
)

func TestAdd(t *testing.T) {
	s := create(t)
	first := object(1)
	if err := s.Add(first); err != nil {
		t.Fatal(err)
	}
	if first.Rev == 0 || first.Seq == 0 {
		t.Errorf("the object learned revision %d and place %d", first.Rev, first.Seq)
	}
	if err := s.Add(object(2), object(1)); !errors.Is(err, store.ErrExists) {
		t.Errorf("an ID that is taken: %v", err)
	}
	if _, err := s.Get(object(2).ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the other half of a failed Add: %v", err)
	}
	large := object(3)
	large.Record = make([]byte, store.MaxObject)
	if err := s.Add(large); !errors.Is(err, ck.CKR_DEVICE_MEMORY) {
		t.Errorf("a large object: %v", err)
	}
	large.Record = large.Record[:store.MaxObject-len(large.Attrs)]
	if err := s.Add(large); err != nil {
		t.Errorf("the largest object: %v", err)
	}
	if got, err := s.Get(large.ID); err != nil || len(got.Record) != len(large.Record) {
		t.Errorf("the largest object: %v", err)
	}
}

func TestReplace(t *testing.T) {
	s := create(t)
	old, other := object(1), object(2)
	if err := s.Add(old, other); err != nil {
		t.Fatal(err)
	}
	changed := *old
	changed.Attrs = []byte("changed")
	if err := s.Replace(&changed, old.Rev); err != nil {
		t.Fatal(err)
	}
	if changed.Seq != old.Seq || changed.Rev <= other.Rev {
		t.Errorf("replaced at revision %d, place %d; it was at %d, %d", changed.Rev, changed.Seq, old.Rev, old.Seq)
	}
	late := *old
	late.Attrs = []byte("late")
	if err := s.Replace(&late, old.Rev); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a second change of the same revision: %v", err)
	}
	if late.Rev != old.Rev {
		t.Errorf("the object that was refused got revision %d", late.Rev)
	}
	if got, err := s.Get(old.ID); err != nil || string(got.Attrs) != "changed" || got.Rev != changed.Rev || got.Seq != old.Seq {
		t.Errorf("stored is %+v, %v", got, err)
	}
	if err := s.Replace(object(3), 1); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an object that is not there: %v", err)
	}
}

func TestDelete(t *testing.T) {
	s := create(t)
	if err := s.Add(object(1), object(2)); err != nil {
		t.Fatal(err)
	}
	for _, ids := range [][]store.ID{{object(3).ID}, {object(1).ID, object(3).ID}, {object(1).ID, object(1).ID}} {
		if err := s.Delete(ids...); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("deleting %v: %v", ids, err)
		}
	}
	known := map[store.ID]*store.Object{}
	rev := state(t, s, known, 0)
	if len(known) != 2 {
		t.Errorf("deletions that failed left %d objects, want 2", len(known))
	}
	// Gone and back again between two looks.
	if err := s.Delete(object(1).ID, object(2).ID); err != nil {
		t.Fatal(err)
	}
	if err := s.Add(object(1)); err != nil {
		t.Fatal(err)
	}
	state(t, s, known, rev)
	if len(known) != 1 || known[object(1).ID] == nil {
		t.Errorf("known is %v", known)
	}
}

// Since works in batches, and other changes come between them.
func TestSinceMeanwhile(t *testing.T) {
	const many = 1500
	s := create(t)
	for n := range many {
		if err := s.Put(object(n)); err != nil {
			t.Fatal(err)
		}
	}
	known := map[store.ID]*store.Object{}
	last, step := int64(0), 0
	rev, err := s.Since(0,
		func(o *store.Object) error {
			if o.Rev <= last {
				t.Errorf("revision %d after %d", o.Rev, last)
			}
			last = o.Rev
			known[o.ID] = o
			step++
			switch step {
			case 100: // one that was reported and one that was not
				return s.Delete(object(50).ID, object(many-1).ID)
			case 700:
				return s.Put(object(60), object(many))
			}
			return nil
		},
		func(id store.ID) error {
			if known[id] == nil && id != object(many-1).ID {
				t.Errorf("%s is gone and was never there", id)
			}
			delete(known, id)
			return nil
		})
	if err != nil {
		t.Fatal(err)
	}
	fresh := map[store.ID]*store.Object{}
	if now := state(t, s, fresh, 0); now != rev {
		t.Errorf("Since ended at revision %d, the token is at %d", rev, now)
	}
	if len(known) != len(fresh) || len(fresh) != many-1 {
		t.Errorf("%d objects known, %d there, want %d", len(known), len(fresh), many-1)
	}
	for id, o := range fresh {
		if known[id] == nil || known[id].Rev != o.Rev {
			t.Errorf("%s is known as %+v and is %+v", id, known[id], o)
		}
	}
	stop := errors.New("stop")
	if _, err := s.Since(0, func(*store.Object) error { return stop }, nil); err != stop {
		t.Errorf("Since gave %v, want the callback's error", err)
	}
}

// Old tombstones are forgotten, and whoever may have missed one is told to load everything.
func TestResync(t *testing.T) {
	const many = 20000
	s := create(t)
	var all []*store.Object
	var ids []store.ID
	for n := range many {
		all, ids = append(all, object(n)), append(ids, object(n).ID)
	}
	if err := s.Add(all...); err != nil {
		t.Fatal(err)
	}
	known := map[store.ID]*store.Object{}
	rev := state(t, s, known, 0)
	if err := s.Delete(ids[:100]...); err != nil {
		t.Fatal(err)
	}
	near := state(t, s, known, rev)
	if len(known) != many-100 {
		t.Fatalf("%d objects known, want %d", len(known), many-100)
	}
	if err := s.Delete(ids[100:10000]...); err != nil {
		t.Fatal(err)
	}
	state(t, s, known, near)
	if len(known) != 10000 {
		t.Errorf("%d objects known, want 10000", len(known))
	}
	if err := s.Delete(ids[10000:]...); err != nil {
		t.Fatal(err)
	}
	none := func(o *store.Object) error { t.Errorf("%s is there", o.ID); return nil }
	if _, err := s.Since(rev, none, func(store.ID) error { return nil }); !errors.Is(err, store.ErrResync) {
		t.Errorf("from before the oldest tombstone: %v", err)
	}
	now, err := s.Since(0, none, func(id store.ID) error { t.Errorf("%s is gone and was never there", id); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Since(now+1, none, nil); !errors.Is(err, store.ErrResync) {
		t.Errorf("from a revision that was never given out: %v", err)
	}
}

func TestReset(t *testing.T) {
	s := create(t)
	if err := s.Put(object(1), object(2)); err != nil {
		t.Fatal(err)
	}
	known := map[store.ID]*store.Object{}
	rev := state(t, s, known, 0)
	old, err := s.Header()
	if err != nil {
		t.Fatal(err)
	}
	fresh := header("another0serial00")
	fresh.Label, fresh.Initialized = "again", true
	if err := s.Reset(fresh); err != nil {
		t.Fatal(err)
	}
	h, err := s.Header()
	if err != nil {
		t.Fatal(err)
	}
	if h.Label != "again" || h.Serial != serial || !h.Created.Equal(old.Created) || h.Generation == old.Generation || h.Generation != fresh.Generation {
		t.Errorf("header is %+v, was %+v", h, old)
	}
	if _, err := s.Since(rev, nil, nil); !errors.Is(err, store.ErrResync) {
		t.Errorf("from before the reset: %v", err)
	}
	if state(t, s, map[store.ID]*store.Object{}, 0) <= rev {
		t.Error("revisions began anew")
	}
	if _, err := s.Get(object(1).ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an object survived: %v", err)
	}
	bad := header(serial)
	bad.Policy = "none"
	if err := s.Reset(bad); !errors.Is(err, ck.CKR_ARGUMENTS_BAD) {
		t.Errorf("a header with an unknown policy: %v", err)
	}
}

func TestClosed(t *testing.T) {
	s := create(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, versionErr := s.Version()
	_, getErr := s.Get(object(1).ID)
	for _, err := range []error{versionErr, getErr, s.Put(object(1)), s.UpdateHeader(func(*store.Header) error { return nil })} {
		if !errors.Is(err, ck.CKR_DEVICE_REMOVED) {
			t.Errorf("a call on a closed store: %v", err)
		}
	}
}

// What was deleted or replaced is no longer in the closed token's files.
func TestDeletedIsOverwritten(t *testing.T) {
	s := create(t)
	secret := bytes.Repeat([]byte("sealed key"), 2000) // some on overflow pages
	for n := range 20 {
		o := object(n)
		o.Record = append([]byte{byte(n)}, secret[:30<<n%len(secret)]...)
		if err := s.Put(o); err != nil {
			t.Fatal(err)
		}
		if n%2 == 0 {
			o.Record = nil
			if err := s.Put(o); err != nil {
				t.Fatal(err)
			}
		} else if err := s.Delete(o.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(s.Path(), "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, secret[:20]) {
			t.Errorf("%s still has a deleted record", name)
		}
	}
}
