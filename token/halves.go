package token

import (
	"errors"
	"slices"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// KeepHalves has the session store the public half of every private key that it stores, beside it and in the same durable step: no program sees the one without
// the other. The template says what the public key object is beside its numbers; CKA_CLASS and CKA_KEY_TYPE go without saying.
func (s *Session) KeepHalves(t attr.Template) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	s.halves = slices.Clone(t)
	return nil
}

// withHalf gives the drafts to be kept for one: it, and its public half where that is wanted. The session's lock is held.
func (s *Session) withHalf(d *draft) ([]*draft, error) {
	if s.halves == nil || !d.isToken() || classOf(d.set) != ck.CKO_PRIVATE_KEY {
		return []*draft{d}, nil
	}
	half, err := s.halfOf(d, s.halves)
	return []*draft{d, half}, err
}

// halfOf is the draft of a private key's public half: its numbers, and what t says. The session's lock is held.
func (s *Session) halfOf(d *draft, t attr.Template) (*draft, error) {
	t = append(slices.Clone(t), attr.Attribute{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_PUBLIC_KEY))})
	for _, typ := range append([]ck.AttributeType{ck.CKA_KEY_TYPE}, publicParts...) {
		if value, ok := d.set.Get(typ); ok {
			t = append(t, attr.Attribute{Type: typ, Value: value})
		}
	}
	if keyType := keyTypeOf(d.set); keyType == ck.CKK_ML_KEM || keyType == ck.CKK_ML_DSA { // whose numbers are in CKA_PUBLIC_KEY_INFO alone
		public, err := publicOf(d.set)
		if err != nil {
			return nil, err
		}
		t = append(t, attr.Attribute{Type: ck.CKA_VALUE, Value: public.(interface{ Bytes() []byte }).Bytes()})
	}
	built, err := s.build(attr.Create, t)
	if err != nil {
		return nil, err
	}
	half := draftOf(built)
	if _, _, err := s.admit(half); err != nil {
		return nil, err
	}
	return half, completePublic(half.set)
}

// keepOne keeps a draft, with its public half where that is wanted, or discards it.
func (s *Session) keepOne(keys guard.Keys, d *draft) (ck.ObjectHandle, error) {
	drafts, err := s.withHalf(d)
	var handles []ck.ObjectHandle
	if err == nil {
		handles, err = s.keep(drafts...)
	}
	if err != nil {
		discard(keys, d)
		return 0, err
	}
	return handles[0], nil
}

// DestroyTogether destroys stored objects in one durable step: all of them, or none. Errors: as of DestroyObject.
func (s *Session) DestroyTogether(handles ...ck.ObjectHandle) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	t := s.tok
	t.mu.Lock()
	defer t.mu.Unlock()
	change := &store.Change{}
	for _, h := range handles {
		o, err := s.destroyable(h)
		if err != nil {
			return err
		}
		change.Delete = append(change.Delete, o.id)
	}
	if err := t.st.Commit(change); errors.Is(err, store.ErrNotFound) {
		return ck.CKR_OBJECT_HANDLE_INVALID
	} else if err != nil {
		return err
	}
	for _, id := range change.Delete {
		if err := t.sawDeath(id); err != nil {
			return err
		}
	}
	return nil
}

// destroyable gives a stored object that this session may destroy. The token's lock is held.
func (s *Session) destroyable(h ck.ObjectHandle) (*object, error) {
	o, err := s.object(h)
	if err != nil {
		return nil, err
	}
	set, err := s.tok.attributes(o)
	if err != nil {
		return nil, err
	}
	if err := s.mayWrite(o.isToken(), o.private); err != nil {
		return nil, err
	}
	if o.builtIn || !o.isToken() || !set.Bool(ck.CKA_DESTROYABLE) {
		return nil, ck.CKR_ACTION_PROHIBITED
	}
	return o, nil
}
