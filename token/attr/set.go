package attr

import (
	"bytes"
	"cmp"
	"iter"
	"slices"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Set is what is known of an object outside the guard: its public attributes, one value for each type, never a secret one.
// The zero Set is empty. Values are never changed in place, so sets that were cloned from each other share them.
type Set struct {
	rows []Attribute // ascending by type
}

func (s *Set) search(typ ck.AttributeType) (int, bool) {
	return slices.BinarySearchFunc(s.rows, typ, func(a Attribute, t ck.AttributeType) int { return cmp.Compare(a.Type, t) })
}

// Get gives the value of an attribute, which the caller must not change, and whether the set has it. A value may be empty.
func (s *Set) Get(typ ck.AttributeType) ([]byte, bool) {
	i, ok := s.search(typ)
	if !ok {
		return nil, false
	}
	return s.rows[i].Value, true
}

// Bool is the value of a CK_BBOOL attribute; an absent one counts as CK_FALSE.
func (s *Set) Bool(typ ck.AttributeType) bool {
	value, _ := s.Get(typ)
	return len(value) == 1 && value[0] == 1
}

// ULong is the value of a CK_ULONG attribute, and whether the set has it.
func (s *Set) ULong(typ ck.AttributeType) (uint, bool) {
	value, ok := s.Get(typ)
	if !ok {
		return 0, false
	}
	u, err := ParseULong(value)
	return u, err == nil
}

// Put keeps a copy of value, in the place of an earlier one.
func (s *Set) Put(typ ck.AttributeType, value []byte) {
	i, ok := s.search(typ)
	row := Attribute{Type: typ, Value: append([]byte{}, value...)}
	if ok {
		s.rows[i] = row
		return
	}
	s.rows = slices.Insert(s.rows, i, row)
}

// PutBool puts a CK_BBOOL.
func (s *Set) PutBool(typ ck.AttributeType, v bool) { s.Put(typ, Bool(v)) }

// PutULong puts a CK_ULONG.
func (s *Set) PutULong(typ ck.AttributeType, u uint) { s.Put(typ, ULong(u)) }

// Delete removes an attribute, if the set has it.
func (s *Set) Delete(typ ck.AttributeType) {
	if i, ok := s.search(typ); ok {
		s.rows = slices.Delete(s.rows, i, i+1)
	}
}

// Clone is a set that can be changed without changing s.
func (s *Set) Clone() *Set { return &Set{rows: slices.Clone(s.rows)} }

// Len counts the attributes.
func (s *Set) Len() int { return len(s.rows) }

// All runs over the attributes, ascending by type.
func (s *Set) All() iter.Seq2[ck.AttributeType, []byte] {
	return func(yield func(ck.AttributeType, []byte) bool) {
		for i := range s.rows {
			if !yield(s.rows[i].Type, s.rows[i].Value) {
				return
			}
		}
	}
}

// Match says whether the object has each attribute of t with exactly these bytes, as C_FindObjectsInit compares. An empty template
// matches everything. A sensitive value is never in a set, so a template that names one matches nothing and reveals nothing.
func (s *Set) Match(t Template) bool {
	for i := range t {
		value, ok := s.Get(t[i].Type)
		if !ok || !bytes.Equal(value, t[i].Value) {
			return false
		}
	}
	return true
}
