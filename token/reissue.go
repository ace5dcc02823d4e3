package token

import (
	"bytes"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/secret"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// reissued seals the object's key under the policy of its new attributes, or the new value of a private data object. It gives nil where
// nothing that the guard knows of changes. The token's lock is held.
func (t *Token) reissued(o *object, set *attr.Set) (*guard.Key, error) {
	if !keyed(set) {
		return nil, nil
	}
	defer wipePrivateData(set)
	policy := policyOf(o.id, set)
	value, ok := set.Get(ck.CKA_VALUE)
	newValue := ok && policy.Class == ck.CKO_DATA
	if !newValue && samePolicy(o.id, o.attrs, set) {
		return nil, nil
	}
	var vault guard.Vault
	var err error
	if o.isToken() {
		if vault, err = t.vaultOf(set); err != nil {
			return nil, err
		}
	}
	if newValue {
		set.Delete(ck.CKA_VALUE)
		defer secret.Wipe(value)
		m := &guard.Material{Class: ck.CKO_DATA, Parts: []guard.Part{{Type: ck.CKA_VALUE, Value: value}}}
		return t.keys.Import(vault, m, policy)
	}
	ref, err := t.load(o)
	if err != nil {
		return nil, err
	}
	return t.keys.Reissue(vault, ref, policy)
}

// samePolicy says whether the guard's policy for an object's key is the same before and after a change of attributes.
func samePolicy(id store.ID, before, after *attr.Set) bool {
	return bytes.Equal(policyOf(id, after).Encode(), policyOf(id, before).Encode())
}

// copyPrivateData copies a data object whose value is in the guard: the copy may have another value, or be readable by all.
func (s *Session) copyPrivateData(set *attr.Set, ref guard.Ref, tmpl attr.Template) (ck.ObjectHandle, error) {
	revealed, err := s.tok.keys.Reveal(ref)
	if err != nil {
		return 0, s.tok.noteLost(err)
	}
	defer revealed.Close()
	whole := set.Clone()
	defer wipePrivateData(whole)
	for _, part := range revealed.Parts {
		whole.Put(part.Type, part.Value)
	}
	f, err := s.facts()
	if err != nil {
		return 0, err
	}
	copied, err := attr.Copy(whole, tmpl, f)
	if err != nil {
		return 0, err
	}
	defer wipePrivateData(copied)
	d := newDraft(copied)
	keys, vault, err := s.admit(d)
	if err != nil {
		return 0, err
	}
	if keyed(copied) {
		if err := d.importKey(keys, vault, nil); err != nil {
			return 0, err
		}
	}
	return s.keepOne(keys, d)
}
