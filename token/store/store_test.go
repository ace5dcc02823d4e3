package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/store"
)

func header(serial string) *store.Header {
	return &store.Header{Serial: serial, Label: "test", Policy: store.PolicySoftware, Login: store.LoginPIN}
}

const serial = "0123456789abcdef"

// create makes a token in a new directory.
func create(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.Create(t.TempDir(), header(serial))
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

// object makes an object whose contents follow from n.
func object(n int) *store.Object {
	return &store.Object{
		ID:     store.ID{12: byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)},
		Attrs:  fmt.Appendf(nil, "attributes of %d", n),
		Record: bytes.Repeat([]byte{byte(n)}, 100),
	}
}

func TestPutGet(t *testing.T) {
	s := create(t)
	plain := object(2)
	plain.Record = nil
	if err := s.Put(object(1), plain); err != nil {
		t.Fatal(err)
	}
	for _, want := range []*store.Object{object(1), plain} {
		got, err := s.Get(want.ID)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Attrs, want.Attrs) || !bytes.Equal(got.Record, want.Record) || (got.Record == nil) != (want.Record == nil) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if _, err := s.Get(object(3).ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an object that is not there: %v", err)
	}
}

func TestHeader(t *testing.T) {
	s := create(t)
	h, err := s.Header()
	if err != nil {
		t.Fatal(err)
	}
	if h.Serial != serial || h.Label != "test" || time.Since(h.Created) > time.Minute {
		t.Errorf("header is %+v", h)
	}
	if err := s.UpdateHeader(func(h *store.Header) error { h.UserFailures = 2; return nil }); err != nil {
		t.Fatal(err)
	}
	refuse := errors.New("no")
	if err := s.UpdateHeader(func(h *store.Header) error { h.UserFailures = 9; return refuse }); err != refuse {
		t.Errorf("UpdateHeader gave %v, want the function's own error", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = s.UpdateHeader(func(h *store.Header) error { h.UserFailures = 9; panic("a defect") })
	}()
	if err := s.UpdateHeader(func(h *store.Header) error { h.SOFailures = 1; return nil }); err != nil {
		t.Errorf("after a panic: %v", err)
	}
	if h, err := s.Header(); err != nil || h.UserFailures != 2 || h.SOFailures != 1 {
		t.Errorf("header is %+v, %v; want 2 failures and 1", h, err)
	}
}

// state replays Since into a map, as a token does.
func state(t testing.TB, s *store.Store, known map[store.ID]*store.Object, rev int64) int64 {
	t.Helper()
	rev, err := s.Since(rev,
		func(o *store.Object) error { known[o.ID] = o; return nil },
		func(id store.ID) error { delete(known, id); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

func TestSince(t *testing.T) {
	s := create(t)
	if err := s.Add(object(1), object(2), object(3)); err != nil {
		t.Fatal(err)
	}
	known := map[store.ID]*store.Object{}
	rev := state(t, s, known, 0)
	if len(known) != 3 {
		t.Fatalf("%d objects, want 3", len(known))
	}
	if err := s.Delete(object(2).ID); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(object(4)); err != nil {
		t.Fatal(err)
	}
	state(t, s, known, rev)
	if known[object(2).ID] != nil || known[object(4).ID] == nil || len(known) != 3 {
		t.Errorf("after a deletion and a creation: %v", known)
	}
}
