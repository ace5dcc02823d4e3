package token

import (
	"errors"

	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/secret"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// facts are what the attribute rules need to know of the session.
func (s *Session) facts() (attr.Facts, error) {
	t := s.tok
	t.mu.Lock()
	defer t.mu.Unlock()
	h, err := t.header()
	if err != nil {
		return attr.Facts{}, err
	}
	return attr.Facts{LoggedIn: t.login == user, SO: t.login == officer, NCryptDefaults: planFloor(h).NCryptDefaults() || NCryptSemantics(h)}, nil
}

// build applies the rules to a template that says itself what it makes.
func (s *Session) build(o attr.Origin, t attr.Template) (*attr.New, error) {
	f, err := s.facts()
	if err != nil {
		return nil, err
	}
	if t, err = plan.Expand(t, 0, 0); err != nil {
		return nil, err
	}
	return attr.Build(o, t, f)
}

// CreateObject is C_CreateObject. The template is the caller's to wipe; copies of secret values exist in the guard only.
func (s *Session) CreateObject(t attr.Template) (ck.ObjectHandle, error) {
	if err := s.lock(); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	t, err := newProperty(t)
	if err != nil {
		return 0, err
	}
	t, done, err := withBlob(t)
	defer done()
	if err != nil {
		return 0, err
	}
	built, err := s.build(attr.Create, t)
	if err != nil {
		return 0, err
	}
	d := draftOf(built)
	defer wipePrivateData(d.set) // where it is not admitted
	keys, vault, err := s.admit(d)
	if err != nil {
		return 0, err
	}
	switch {
	case keyed(d.set):
		err = d.importKey(keys, vault, built.Secret)
	case classOf(d.set) == ck.CKO_PUBLIC_KEY:
		err = completePublic(d.set)
	}
	if err != nil {
		discard(keys, d)
		return 0, err
	}
	return s.keepOne(keys, d)
}

// publicParts are the attributes that are not secret but belong to the key material that a guard imports.
var publicParts = []ck.AttributeType{ck.CKA_MODULUS, ck.CKA_PUBLIC_EXPONENT, ck.CKA_EC_PARAMS, ck.CKA_EC_POINT, ck.CKA_PARAMETER_SET}

// importKey hands the key of the template to the guard.
func (d *draft) importKey(keys guard.Keys, vault guard.Vault, secretParts attr.Template) error {
	m := &guard.Material{Class: d.policy().Class, KeyType: d.policy().KeyType}
	for _, a := range secretParts {
		m.Parts = append(m.Parts, guard.Part{Type: a.Type, Value: a.Value})
	}
	for _, typ := range publicParts {
		if value, ok := d.set.Get(typ); ok && len(value) > 0 {
			m.Parts = append(m.Parts, guard.Part{Type: typ, Value: value})
		}
	}
	if m.Class == ck.CKO_DATA {
		value, _ := d.set.Get(ck.CKA_VALUE)
		m.Parts = []guard.Part{{Type: ck.CKA_VALUE, Value: value}}
		d.set.Delete(ck.CKA_VALUE)
		defer secret.Wipe(value)
	}
	return d.make(keys, vault, func(v guard.Vault) (*guard.Key, error) { return keys.Import(v, m, d.policy()) })
}

// CopyObject is C_CopyObject. A key is copied inside the guard.
func (s *Session) CopyObject(h ck.ObjectHandle, t attr.Template) (ck.ObjectHandle, error) {
	if err := s.lock(); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	set, ref, err := s.snapshot(h)
	if err != nil {
		return 0, err
	}
	if keyed(set) && classOf(set) == ck.CKO_DATA {
		return s.copyPrivateData(set, ref, t)
	}
	f, err := s.facts()
	if err != nil {
		return 0, err
	}
	if _, err := keepArchivePolicy(0, t); err != nil {
		return 0, err
	}
	if t, err = plan.Expand(t, classOf(set), keyTypeOf(set)); err != nil {
		return 0, err
	}
	copied, err := attr.Copy(set, t, f)
	if err != nil {
		return 0, err
	}
	d := newDraft(copied)
	over, _ := t.Find(ck.CKA_NCRYPT_OVERWRITE)
	d.overwrite = len(over) == 1 && over[0] == 1
	keys, vault, err := s.admit(d)
	if err != nil {
		return 0, err
	}
	if keyed(copied) {
		if d.key, err = keys.Reissue(vault, ref, d.policy()); err != nil {
			return 0, s.tok.noteLost(err)
		}
	}
	return s.keepOne(keys, d)
}

// snapshot gives an object's attributes and, for a keyed object, its key as it is now.
func (s *Session) snapshot(h ck.ObjectHandle) (*attr.Set, guard.Ref, error) {
	t := s.tok
	t.mu.Lock()
	defer t.mu.Unlock()
	o, err := s.object(h)
	if err != nil {
		return nil, 0, err
	}
	if o.draft != nil {
		return nil, 0, errNotFinal
	}
	set, err := t.attributes(o)
	if err != nil || !keyed(set) {
		return set, 0, err
	}
	ref, err := t.load(o)
	return set, ref, err
}

// DestroyObject is C_DestroyObject.
func (s *Session) DestroyObject(h ck.ObjectHandle) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	t := s.tok
	t.mu.Lock()
	defer t.mu.Unlock()
	o, err := s.object(h)
	if err != nil {
		return err
	}
	set, err := t.attributes(o)
	if err != nil {
		return err
	}
	if err := s.mayWrite(o.isToken(), o.private); err != nil {
		return err
	}
	if o.builtIn || !set.Bool(ck.CKA_DESTROYABLE) {
		return ck.CKR_ACTION_PROHIBITED
	}
	if o.isToken() {
		if err := t.st.Delete(o.id); errors.Is(err, store.ErrNotFound) {
			return ck.CKR_OBJECT_HANDLE_INVALID
		} else if err != nil {
			return err
		}
	}
	t.bury(o)
	return nil
}

// ObjectSize is C_GetObjectSize: the bytes of its attributes, an estimate as the specification allows.
func (s *Session) ObjectSize(h ck.ObjectHandle) (uint, error) {
	if err := s.lock(); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	s.tok.mu.Lock()
	defer s.tok.mu.Unlock()
	o, err := s.object(h)
	if err != nil {
		return 0, err
	}
	set, err := s.tok.attributes(o)
	if err != nil {
		return 0, err
	}
	return uint(len(set.Encode())), nil
}

// SetAttributes is C_SetAttributeValue: all of the template or none of it.
func (s *Session) SetAttributes(h ck.ObjectHandle, t attr.Template) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	tok := s.tok
	facts, err := s.facts()
	if err != nil {
		return err
	}
	if done, err := s.setUnfinished(h, t, facts); done {
		return err
	}
	tok.mu.Lock()
	defer tok.mu.Unlock()
	for {
		err := s.setAttributes(h, t, facts)
		if !errors.Is(err, store.ErrConflict) {
			return tok.dropLost(err)
		}
		if err := tok.sync(); err != nil { // another process changed the object first: apply the template to what it is now
			return err
		}
	}
}

func (s *Session) setAttributes(h ck.ObjectHandle, tmpl attr.Template, facts attr.Facts) error {
	t := s.tok
	o, err := s.object(h)
	if err != nil {
		return err
	}
	if o.builtIn {
		return ck.CKR_ACTION_PROHIBITED
	}
	if err := s.mayWrite(o.isToken(), o.private); err != nil {
		return err
	}
	set, err := t.attributes(o)
	if err != nil {
		return err
	}
	if isProperty(set) {
		tmpl = asStored(tmpl)
	}
	archiving := uint32(0)
	if o.archive != nil {
		archiving = o.archive.bits
	}
	if archiving, err = keepArchivePolicy(archiving, tmpl); err != nil {
		return err
	}
	if tmpl, err = plan.Expand(tmpl, classOf(set), keyTypeOf(set)); err != nil {
		return err
	}
	changed, err := attr.SetAttributes(set, tmpl, facts)
	if err != nil {
		return err
	}
	header, err := t.header()
	if err != nil {
		return err
	}
	if err := takesIn(header, changed); err != nil {
		return err
	}
	t.noteNCrypt(changed)
	if err := t.change(o, changed); err != nil {
		return err
	}
	t.limitArchive(o, archiving)
	return nil
}

// change gives the object new attributes; its key is sealed anew where the guard's policy for it changes with them. The token's lock is held.
func (t *Token) change(o *object, set *attr.Set) error {
	key, err := t.reissued(o, set)
	if err != nil {
		return err
	}
	rev := o.rev
	if o.isToken() {
		if rev, err = t.replace(o, set, key); err != nil {
			if key != nil {
				t.keys.Forget(key.Ref)
			}
			return err
		}
	}
	t.adopt(o, key)
	t.setAttrs(o, set, rev)
	return nil
}

// replace stores the object's new attributes and key, if it is still as this process knows it, and gives its new revision.
func (t *Token) replace(o *object, set *attr.Set, key *guard.Key) (int64, error) {
	row, err := t.st.Get(o.id)
	if err != nil {
		return 0, err
	}
	if row.Rev != o.rev {
		return 0, store.ErrConflict
	}
	row.Attrs = set.Encode()
	if key != nil {
		row.Record = key.Record
	}
	err = t.st.Replace(row, o.rev)
	return row.Rev, err
}

// adopt puts a reissued key in the old one's place.
func (t *Token) adopt(o *object, key *guard.Key) {
	if key != nil {
		t.forget(o)
		o.ref = key.Ref
		t.loaded.touch(o)
	}
}
