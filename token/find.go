package token

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// search is a search that is under way (C_FindObjectsInit): the handles that are still to be given out.
type search struct{ found []ck.ObjectHandle }

// FindObjectsInit is C_FindObjectsInit. The objects are those of this moment: one that is destroyed before its handle is used gives
// CKR_OBJECT_HANDLE_INVALID then.
func (s *Session) FindObjectsInit(t attr.Template) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if s.find != nil {
		return ck.CKR_OPERATION_ACTIVE
	}
	found, err := s.matching(t)
	if err != nil {
		return err
	}
	s.find = &search{found}
	return nil
}

// matching gives the handles of all visible objects that t matches.
func (s *Session) matching(tmpl attr.Template) ([]ck.ObjectHandle, error) {
	t := s.tok
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.sync(); err != nil {
		return nil, err
	}
	properties := namesProperty(tmpl)
	rest, live := splitLive(asStored(tmpl))
	also := func(o *object) bool {
		return s.sees(o) && (!properties || isProperty(o.attrs)) && s.matchesLive(o, live)
	}
	found := s.matchingInMemory(rest, also)
	if value, ok := tmpl.Find(ck.CKA_TOKEN); ok && len(value) == 1 && value[0] == 0 {
		return found, nil
	}
	for _, id := range t.candidates(rest) {
		var match bool
		o, err := t.stored(id)
		if err == nil {
			match, err = t.matches(o, rest)
		}
		if match {
			match = also(o)
		}
		switch {
		case ck.Code(err) == ck.CKR_OBJECT_HANDLE_INVALID: // destroyed by another process since sync
		case err != nil:
			return nil, err
		case match:
			found = append(found, o.handle)
		}
	}
	return found, nil
}

// matchingInMemory looks through the objects that are not stored, in the order of their making.
func (s *Session) matchingInMemory(tmpl attr.Template, also func(*object) bool) []ck.ObjectHandle {
	var found []ck.ObjectHandle
	for h, o := range s.tok.objects.unstored {
		if match, _ := s.tok.matches(o, tmpl); match && also(o) { // its attributes are in memory: no error can be
			found = append(found, h)
		}
	}
	slices.Sort(found)
	return found
}

// candidates are the stored objects that may match: those that the index finds.
func (t *Token) candidates(tmpl attr.Template) []store.ID {
	var terms []store.Term
	for _, a := range tmpl {
		terms = append(terms, store.Term{Type: a.Type, Value: a.Value})
	}
	return t.objects.index.Find(terms)
}

func (t *Token) matches(o *object, tmpl attr.Template) (bool, error) {
	if o.private && !t.seesPrivate() {
		return false, nil
	}
	set, err := t.attributes(o)
	if err != nil {
		return false, err
	}
	return set.Match(tmpl), nil
}

// FindObjects is C_FindObjects: up to limit more handles, none when all were given.
func (s *Session) FindObjects(limit int) ([]ck.ObjectHandle, error) {
	if err := s.lock(); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	if s.find == nil {
		return nil, ck.CKR_OPERATION_NOT_INITIALIZED
	}
	n := min(limit, len(s.find.found))
	found := s.find.found[:n]
	s.find.found = s.find.found[n:]
	return found, nil
}

// FindObjectsFinal is C_FindObjectsFinal.
func (s *Session) FindObjectsFinal() error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if s.find == nil {
		return ck.CKR_OPERATION_NOT_INITIALIZED
	}
	s.find = nil
	return nil
}
