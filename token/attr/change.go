package attr

import (
	"bytes"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// SetAttributes is C_SetAttributeValue: the set with t's values, or an error and no change. Errors are those of Build, and
// CKR_ACTION_PROHIBITED where CKA_MODIFIABLE is FALSE.
func SetAttributes(s *Set, t Template, f Facts) (*Set, error) {
	if !s.Bool(ck.CKA_MODIFIABLE) {
		return nil, ck.Errorf(ck.CKR_ACTION_PROHIBITED, "CKA_MODIFIABLE is FALSE")
	}
	return change(s, t, &f, modifiable)
}

// Copy is C_CopyObject: the attributes of the copy, without what names the original. Errors are those of Build, and
// CKR_ACTION_PROHIBITED where CKA_COPYABLE is FALSE.
func Copy(s *Set, t Template, f Facts) (*Set, error) {
	if !s.Bool(ck.CKA_COPYABLE) {
		return nil, ck.Errorf(ck.CKR_ACTION_PROHIBITED, "CKA_COPYABLE is FALSE")
	}
	s = s.Clone()
	for _, typ := range []ck.AttributeType{ck.CKA_UNIQUE_ID, ck.CKA_NCRYPT_KEY_NAME, ck.CKA_NCRYPT_UNIQUE_NAME} {
		s.Delete(typ)
	}
	return keptPrivate(s, t, &f, modifiable|changeOnCopy)
}

// SetUntilFinal is C_SetAttributeValue for a key that is not final yet: what was said of it when it was begun may be said anew. What goes one way only does so
// here too. Errors are those of SetAttributes.
func SetUntilFinal(s *Set, t Template, f Facts) (*Set, error) {
	if !s.Bool(ck.CKA_MODIFIABLE) {
		return nil, ck.Errorf(ck.CKR_ACTION_PROHIBITED, "CKA_MODIFIABLE is FALSE")
	}
	return keptPrivate(s, t, &f, modifiable|changeOnCopy|untilFinal)
}

// keptPrivate changes attributes, but for the one that hides a private object.
func keptPrivate(s *Set, t Template, f *Facts, allowed flag) (*Set, error) {
	set, err := change(s, t, f, allowed)
	if err == nil && s.Bool(ck.CKA_PRIVATE) && !set.Bool(ck.CKA_PRIVATE) {
		return nil, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "a private object, or a copy of one, is private")
	}
	return set, err
}

// change applies a template to an object that exists. allowed are the flags of which a row must have one.
func change(s *Set, t Template, f *Facts, allowed flag) (*Set, error) {
	if err := checkCount(t); err != nil {
		return nil, err
	}
	sch, err := schemaOf(s)
	if err != nil {
		return nil, err
	}
	out := s.Clone()
	seen := make(map[ck.AttributeType]bool, len(t))
	for i := range t {
		r, err := sch.lookup(t[i].Type)
		if err != nil {
			return nil, err
		}
		if seen[r.typ] {
			return nil, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "%v is given twice", r.typ)
		}
		seen[r.typ] = true
		if !r.is(allowed | oneWayTrue | oneWayFalse | onlySO) {
			return nil, r.readOnly()
		}
		value, err := r.normalize(t[i].Value)
		if err != nil {
			return nil, err
		}
		if err := r.mayBecome(s, value, f); err != nil {
			return nil, err
		}
		if !r.is(transient) {
			out.Put(r.typ, value)
		}
	}
	if err := consistent(out); err != nil {
		return nil, err
	}
	return out, nil
}

// mayBecome keeps to the rules of attributes that go one way, or are the SO's. Setting what is already set is no change.
func (r *rule) mayBecome(s *Set, value []byte, f *Facts) error {
	now, ok := s.Get(r.typ)
	if ok && bytes.Equal(now, value) || !r.is(oneWayTrue|oneWayFalse|onlySO) {
		return nil
	}
	on := value[0] == 1
	if r.is(oneWayTrue) && !on || r.is(oneWayFalse) && on || r.is(onlySO) && !f.SO {
		return r.readOnly()
	}
	return nil
}

func (r *rule) readOnly() error {
	return ck.Errorf(ck.CKR_ATTRIBUTE_READ_ONLY, "%v cannot be changed so", r.typ)
}
