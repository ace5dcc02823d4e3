package store

import (
	"cmp"
	"hash/maphash"
	"iter"
	"slices"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// indexed are the attributes by which applications look for objects. The others are compared by the caller.
var indexed = map[ck.AttributeType]bool{
	ck.CKA_CLASS:         true,
	ck.CKA_LABEL:         true,
	ck.CKA_UNIQUE_ID:     true,
	ck.CKA_APPLICATION:   true,
	ck.CKA_ISSUER:        true,
	ck.CKA_SERIAL_NUMBER: true,
	ck.CKA_KEY_TYPE:      true,
	ck.CKA_SUBJECT:       true,
	ck.CKA_ID:            true,
	ck.CKA_MODULUS:       true,
	ck.CKA_EC_POINT:      true,

	ck.CKA_NCRYPT_UNIQUE_NAME: true,
}

// Term is an attribute that is looked for: CK_ATTRIBUTE of a search template.
type Term struct {
	Type  ck.AttributeType
	Value []byte
}

// Index finds objects by their attributes, for C_FindObjectsInit (PKCS #11 v3.2, C_FindObjectsInit), in a time that does not depend on how
// many objects there are. It keeps hashes and not values: what it finds are candidates, to be compared by the caller.
//
// It is not safe for concurrent use: the lock that guards the caller's objects guards their index, too.
type Index struct {
	seed    maphash.Seed
	numbers map[ID]uint32 // each object has a small number while it is indexed
	entries []entry       // by number
	free    []uint32      // numbers to use again
	terms   map[uint64]postings
	all     postings
}

// entry is an indexed object. Its hashes lead back to its postings when it is removed.
type entry struct {
	id     ID
	seq    int64
	hashes []uint64
}

// NewIndex makes an empty Index.
func NewIndex() *Index {
	return &Index{seed: maphash.MakeSeed(), numbers: map[ID]uint32{}, terms: map[uint64]postings{}}
}

// Len is the number of objects indexed.
func (x *Index) Len() int { return len(x.numbers) }

// Has says whether an object is indexed.
func (x *Index) Has(id ID) bool {
	_, known := x.numbers[id]
	return known
}

// Put indexes an object, in place of an earlier one with its ID. seq orders what Find returns. attrs gives the attributes that searches may
// match; an indexed attribute that it leaves out is not found.
func (x *Index) Put(id ID, seq int64, attrs iter.Seq2[ck.AttributeType, []byte]) {
	x.Remove(id)
	n := x.number()
	hashes := make([]uint64, 0, len(indexed))
	for typ, value := range attrs {
		if indexed[typ] {
			hashes = append(hashes, x.hash(typ, value))
		}
	}
	slices.Sort(hashes)
	hashes = slices.Clip(slices.Compact(hashes))
	for _, h := range hashes {
		list := x.terms[h]
		list.add(n)
		x.terms[h] = list
	}
	x.all.add(n)
	x.numbers[id] = n
	x.entries[n] = entry{id, seq, hashes}
}

// Remove forgets an object, if it is there.
func (x *Index) Remove(id ID) {
	n, known := x.numbers[id]
	if !known {
		return
	}
	for _, h := range x.entries[n].hashes {
		list := x.terms[h]
		list.remove(n)
		if list.len() == 0 {
			delete(x.terms, h)
		} else {
			x.terms[h] = list
		}
	}
	x.all.remove(n)
	x.entries[n] = entry{}
	x.free = append(x.free, n)
	delete(x.numbers, id)
}

// Find gives the objects that can match all terms, in the order of their creation: all objects where no term is indexed.
func (x *Index) Find(terms []Term) []ID {
	var hashes []uint64
	best := x.all
	for _, t := range terms {
		if !indexed[t.Type] {
			continue
		}
		h := x.hash(t.Type, t.Value)
		list, known := x.terms[h]
		if !known {
			return nil
		}
		if list.len() < best.len() {
			best = list
		}
		hashes = append(hashes, h)
	}
	found := make([]*entry, 0, best.len())
	for n := range best.each() {
		if e := &x.entries[n]; e.hasAll(hashes) {
			found = append(found, e)
		}
	}
	// Numbers are used again, so their order is nearly that of creation and not quite.
	slices.SortFunc(found, func(a, b *entry) int { return cmp.Compare(a.seq, b.seq) })
	ids := make([]ID, len(found))
	for i, e := range found {
		ids[i] = e.id
	}
	return ids
}

func (e *entry) hasAll(hashes []uint64) bool {
	for _, h := range hashes {
		if _, has := slices.BinarySearch(e.hashes, h); !has {
			return false
		}
	}
	return true
}

// number gives out the number of a forgotten object, or a new one.
func (x *Index) number() uint32 {
	if last := len(x.free) - 1; last >= 0 {
		n := x.free[last]
		x.free = x.free[:last]
		return n
	}
	x.entries = append(x.entries, entry{})
	return uint32(len(x.entries) - 1)
}

// hash is of type and value. The seed is random, so that nobody can make attributes whose hashes collide.
func (x *Index) hash(typ ck.AttributeType, value []byte) uint64 {
	var h maphash.Hash
	h.SetSeed(x.seed)
	maphash.WriteComparable(&h, typ)
	_, _ = h.Write(value)
	return h.Sum64()
}
