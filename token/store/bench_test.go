package store_test

import (
	"bytes"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/store"
)

// big is an object as large as a sealed key with its attributes.
func big(n int) *store.Object {
	o := object(n)
	o.Attrs, o.Record = bytes.Repeat([]byte{byte(n)}, 800), bytes.Repeat([]byte{byte(n)}, 400)
	return o
}

const benchObjects = 100_000

// filled makes a token with 100,000 objects.
func filled(b *testing.B) *store.Store {
	b.Helper()
	s := create(b)
	for n := 0; n < benchObjects; n += 1000 {
		var some []*store.Object
		for i := range 1000 {
			some = append(some, big(n+i))
		}
		if err := s.Add(some...); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	return s
}

func lookUp(b *testing.B, s *store.Store) {
	if _, err := s.Get(object(rand.IntN(benchObjects)).ID); err != nil {
		b.Error(err)
	}
}

// One durable creation.
func BenchmarkAdd(b *testing.B) {
	s := create(b)
	for n := 0; b.Loop(); n++ {
		if err := s.Add(big(n)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	s := filled(b)
	for b.Loop() {
		lookUp(b, s)
	}
}

func BenchmarkGetWhileAdding(b *testing.B) {
	s := filled(b)
	var stop atomic.Bool
	added := make(chan int)
	go func() {
		n := 0
		for ; !stop.Load(); n++ {
			if err := s.Add(big(benchObjects + n)); err != nil {
				b.Error(err)
				break
			}
		}
		added <- n
	}()
	for b.Loop() {
		lookUp(b, s)
	}
	stop.Store(true)
	b.ReportMetric(float64(<-added)/b.Elapsed().Seconds(), "creates/s")
}

func BenchmarkVersion(b *testing.B) {
	s := create(b)
	if err := s.Put(big(1)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Version(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	s := filled(b)
	for b.Loop() {
		n := 0
		if _, err := s.Since(0, func(*store.Object) error { n++; return nil }, nil); err != nil || n != benchObjects {
			b.Fatal(n, err)
		}
	}
}

// A new process opens the token and looks up one object.
func BenchmarkOpen(b *testing.B) {
	path := filled(b).Path()
	for b.Loop() {
		s, err := store.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		lookUp(b, s)
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
