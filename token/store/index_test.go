package store_test

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// attributes iterates over terms, as an object's attributes.
func attributes(terms ...store.Term) iter.Seq2[ck.AttributeType, []byte] {
	return func(yield func(ck.AttributeType, []byte) bool) {
		for _, t := range terms {
			if !yield(t.Type, t.Value) {
				return
			}
		}
	}
}

func ulong(n uint) []byte { return binary.NativeEndian.AppendUint64(nil, uint64(n)) }

// key is the nth of many objects as applications make them: threes that share an ID.
func key(n int) (store.ID, []store.Term) {
	class := []ck.ObjectClass{ck.CKO_PRIVATE_KEY, ck.CKO_PUBLIC_KEY, ck.CKO_CERTIFICATE}[n%3]
	id := object(n).ID
	return id, []store.Term{
		{Type: ck.CKA_CLASS, Value: ulong(uint(class))},
		{Type: ck.CKA_KEY_TYPE, Value: ulong(uint(ck.CKK_EC))},
		{Type: ck.CKA_LABEL, Value: fmt.Appendf(nil, "label %d", n)},
		{Type: ck.CKA_ID, Value: ulong(uint(n / 3))},
		{Type: ck.CKA_UNIQUE_ID, Value: []byte(id.String())},
		{Type: ck.CKA_EC_POINT, Value: fmt.Appendf(nil, "point %d", n)},
		{Type: ck.CKA_SUBJECT, Value: nil},
		{Type: ck.CKA_SIGN, Value: []byte{1}},
	}
}

func TestIndexFind(t *testing.T) {
	x := store.NewIndex()
	const many = 6000
	var ids []store.ID
	for n := range many {
		id, terms := key(n)
		ids = append(ids, id)
		x.Put(id, int64(n), attributes(terms...))
	}
	_, terms := key(4)
	class, keyType, label, id, subject, sign := terms[0], terms[1], terms[2], terms[3], terms[6], terms[7]
	public := slices.Collect(func(yield func(store.ID) bool) {
		for n := 1; n < many; n += 3 {
			yield(ids[n])
		}
	})
	for _, c := range []struct {
		name  string
		terms []store.Term
		want  []store.ID
	}{
		{"no template", nil, ids},
		{"an attribute that is not indexed", []store.Term{sign}, ids},
		{"all alike", []store.Term{keyType}, ids},
		{"empty", []store.Term{subject}, ids},
		{"class", []store.Term{class}, public},
		{"label", []store.Term{label}, ids[4:5]},
		{"ID", []store.Term{id}, ids[3:6]},
		{"ID and class", []store.Term{keyType, id, class}, ids[4:5]},
		{"class and label of another", []store.Term{{Type: ck.CKA_CLASS, Value: ulong(uint(ck.CKO_DATA))}, label}, nil},
		{"the value of another type", []store.Term{{Type: ck.CKA_APPLICATION, Value: label.Value}}, nil},
		{"an empty label", []store.Term{{Type: ck.CKA_LABEL}}, nil},
	} {
		if got := x.Find(c.terms); !slices.Equal(got, c.want) {
			t.Errorf("%s: %d objects, want %d, in the order of creation", c.name, len(got), len(c.want))
		}
	}
}

// The index does what a list of all objects would do, through any sequence of changes.
func TestIndexModel(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	x := store.NewIndex()
	type entry struct {
		seq   int64
		terms []store.Term
	}
	model := map[store.ID]entry{}
	labels, classes := 40, uint(3)
	for step := range 60_000 {
		id := object(random.IntN(4000)).ID
		// Grow, then shrink: lists become sets of bits and lists again.
		if grow := step/15_000%2 == 0; random.IntN(10) < map[bool]int{true: 8, false: 2}[grow] {
			e := entry{int64(random.IntN(1000_000)), []store.Term{
				{Type: ck.CKA_CLASS, Value: ulong(random.UintN(classes))},
				{Type: ck.CKA_LABEL, Value: ulong(uint(random.IntN(labels)))},
				{Type: ck.CKA_ID, Value: ulong(random.UintN(3000))},
			}}
			x.Put(id, e.seq, attributes(e.terms...))
			model[id] = e
		} else {
			x.Remove(id)
			delete(model, id)
		}
		if step%500 != 0 {
			continue
		}
		terms := [][]store.Term{
			nil,
			{{Type: ck.CKA_CLASS, Value: ulong(random.UintN(classes))}},
			{{Type: ck.CKA_CLASS, Value: ulong(0)}, {Type: ck.CKA_LABEL, Value: ulong(uint(random.IntN(labels)))}},
			{{Type: ck.CKA_ID, Value: ulong(random.UintN(3000))}},
		}[step/500%4]
		var want []store.ID
		for id, e := range model {
			if !slices.ContainsFunc(terms, func(a store.Term) bool {
				return !slices.ContainsFunc(e.terms, func(b store.Term) bool { return a.Type == b.Type && string(a.Value) == string(b.Value) })
			}) {
				want = append(want, id)
			}
		}
		got := x.Find(terms)
		if !slices.IsSortedFunc(got, func(a, b store.ID) int { return int(model[a].seq - model[b].seq) }) {
			t.Fatalf("step %d: not in the order of creation", step)
		}
		byID := func(a, b store.ID) int { return slices.Compare(a[:], b[:]) }
		slices.SortFunc(got, byID)
		slices.SortFunc(want, byID)
		if !slices.Equal(got, want) || x.Len() != len(model) {
			t.Fatalf("step %d: found %d of %d, want %d of %d", step, len(got), x.Len(), len(want), len(model))
		}
	}
}

// 100,000 objects are indexed in less than 40 MiB.
func TestIndexMemory(t *testing.T) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	x := filledIndex(100_000)
	used := heap() - before
	t.Logf("%d bytes for each of %d objects", used/uint64(x.Len()), x.Len())
	if used > 40<<20 {
		t.Errorf("the index of %d objects takes %d bytes", x.Len(), used)
	}
	runtime.KeepAlive(x)
}

func filledIndex(many int) *store.Index {
	x := store.NewIndex()
	for n := range many {
		id, terms := key(n)
		x.Put(id, int64(n), attributes(terms...))
	}
	return x
}

func BenchmarkIndexFind(b *testing.B) {
	for _, many := range []int{1000, 100_000} {
		x := filledIndex(many)
		var templates [256][]store.Term
		for i := range templates {
			_, terms := key(i * many / len(templates))
			templates[i] = []store.Term{terms[0], terms[3]}
		}
		b.Run(fmt.Sprintf("class and id among %d", many), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if len(x.Find(templates[i%len(templates)])) != 1 {
					b.Fatal("not found")
				}
			}
		})
		b.Run(fmt.Sprintf("all of %d", many), func(b *testing.B) {
			for b.Loop() {
				if len(x.Find(nil)) != many {
					b.Fatal("not found")
				}
			}
		})
	}
}

func BenchmarkIndexReplace(b *testing.B) {
	const many = 100_000
	x := filledIndex(many)
	for n := 0; b.Loop(); n++ {
		id, terms := key(n % many)
		x.Put(id, int64(n), attributes(terms...))
	}
}
