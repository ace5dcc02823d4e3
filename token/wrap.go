package token

import (
	"bytes"

	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// wrapErrors renames what is wrong with a key into what is wrong with a wrapping or unwrapping key (sections 5.18.3 and 5.18.4).
var (
	wrapErrors   = map[ck.RV]ck.RV{ck.CKR_KEY_TYPE_INCONSISTENT: ck.CKR_WRAPPING_KEY_TYPE_INCONSISTENT}
	unwrapErrors = map[ck.RV]ck.RV{ck.CKR_KEY_TYPE_INCONSISTENT: ck.CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT, ck.CKR_KEY_SIZE_RANGE: ck.CKR_UNWRAPPING_KEY_SIZE_RANGE}
)

func renamed(err error, names map[ck.RV]ck.RV) error {
	if rv, ok := names[ck.Code(err)]; ok {
		return ck.Errorf(rv, "%w", err)
	}
	return err
}

// authenticated is mech.Parse for an AEAD mechanism whose associated data has an argument of its own, and is not to be in the parameter as well
// (C_WrapKeyAuthenticated, C_UnwrapKeyAuthenticated).
func authenticated(m ck.Mechanism, op mech.Op, associated []byte) (*mech.Scheme, error) {
	parsed, err := mech.Parse(m, op)
	switch {
	case err != nil:
		return nil, err
	case parsed.Row.Primitive != mech.AESGCM:
		return nil, ck.Errorf(ck.CKR_MECHANISM_INVALID, "%v does not authenticate associated data", m.Type)
	case len(parsed.AAD) != 0:
		return nil, ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "associated data stands in the parameter, and has an argument of its own")
	}
	scheme := *parsed
	scheme.AAD = associated
	return &scheme, nil
}

// WrapKey is C_WrapKey. The key leaves the guard encrypted, and only if its policy lets it.
func (s *Session) WrapKey(m ck.Mechanism, wrapping, key ck.ObjectHandle, out Output) (int, error) {
	scheme, err := mech.Parse(m, mech.OpWrap)
	return s.wrapKey(scheme, err, wrapping, key, out)
}

// WrapKeyAuthenticated is C_WrapKeyAuthenticated.
func (s *Session) WrapKeyAuthenticated(m ck.Mechanism, wrapping, key ck.ObjectHandle, associated []byte, out Output) (int, error) {
	scheme, err := authenticated(m, mech.OpWrap, associated)
	return s.wrapKey(scheme, err, wrapping, key, out)
}

// wrapKey wraps by a scheme, if the mechanism gave one: a closed session is said first.
func (s *Session) wrapKey(scheme *mech.Scheme, parseErr error, wrapping, key ck.ObjectHandle, out Output) (int, error) {
	if err := s.lock(); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	if parseErr != nil {
		return 0, parseErr
	}
	wrapRef, wrapSet, err := s.useFor(wrapping, scheme, mech.OpWrap, ck.CKR_WRAPPING_KEY_HANDLE_INVALID)
	if err != nil {
		return 0, renamed(err, wrapErrors)
	}
	keyRef, keySet, err := s.keyToWrap(key)
	if err != nil {
		return 0, err
	}
	if template, ok := wrapSet.Get(ck.CKA_WRAP_TEMPLATE); ok && !matchesTemplate(keySet, template) {
		return 0, ck.Errorf(ck.CKR_KEY_HANDLE_INVALID, "the key does not match the wrapping key's CKA_WRAP_TEMPLATE")
	}
	once, archived, err := s.archiveToWrap(key, scheme.Row.Type)
	if err != nil {
		return 0, err
	}
	if once != 0 {
		keyRef = once
		defer s.tok.keys.Forget(once)
	}
	wrapped, err := s.wrap(wrapRef, wrapSet, keyRef, scheme)
	if err != nil {
		return 0, renamed(s.tok.noteLost(err), wrapErrors)
	}
	n, err := out.put(wrapped)
	if once != 0 && err == nil && !out.Null { // a length query is no archive
		s.archived(archived)
	}
	return n, err
}

// keyToWrap finds the key that shall be wrapped.
func (s *Session) keyToWrap(h ck.ObjectHandle) (guard.Ref, *attr.Set, error) {
	set, ref, err := s.snapshot(h)
	if err != nil {
		return 0, nil, handleError(err, ck.CKR_KEY_HANDLE_INVALID)
	}
	if class := classOf(set); class != ck.CKO_PRIVATE_KEY && class != ck.CKO_SECRET_KEY {
		return 0, nil, ck.CKR_KEY_NOT_WRAPPABLE
	}
	return ref, set, nil
}

func (s *Session) wrap(wrapRef guard.Ref, wrapSet *attr.Set, keyRef guard.Ref, scheme *mech.Scheme) ([]byte, error) {
	if wrapRef != 0 {
		return s.tok.keys.Wrap(nil, wrapRef, scheme, keyRef)
	}
	return s.tok.keys.WrapPublic(nil, publicHalf(wrapSet), scheme, keyRef)
}

// matchesTemplate compares a key with a template that is an attribute's value (CKA_WRAP_TEMPLATE).
func matchesTemplate(set *attr.Set, value []byte) bool {
	template, err := attr.DecodeNested(value)
	return err == nil && set.Match(template)
}

// demand is what a key has keys be that come out of it: the value of its CKA_UNWRAP_TEMPLATE, CKA_DERIVE_TEMPLATE or CKA_DECAPSULATE_TEMPLATE.
type demand struct {
	template []byte
	by       ck.AttributeType
}

// demandOf is what a key's attribute demands.
func demandOf(set *attr.Set, by ck.AttributeType) demand {
	template, _ := set.Get(by)
	return demand{template, by}
}

// on adds to a template what is demanded, which it must not contradict.
func (d demand) on(t attr.Template) (attr.Template, error) {
	if len(d.template) == 0 {
		return t, nil
	}
	return merge(t, d.template, d.by)
}

// merge adds the entries of a key's CKA_UNWRAP_TEMPLATE or CKA_DERIVE_TEMPLATE to the caller's template, which must not contradict them.
func merge(t attr.Template, value []byte, from ck.AttributeType) (attr.Template, error) {
	required, err := attr.DecodeNested(value)
	if err != nil {
		return nil, err
	}
	for _, a := range required {
		given, ok := t.Find(a.Type)
		if ok && !bytes.Equal(given, a.Value) {
			return nil, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "%v contradicts the key's %v", a.Type, from)
		}
		if !ok {
			t = append(t[:len(t):len(t)], a)
		}
	}
	return t, nil
}

// UnwrapKey is C_UnwrapKey. The plaintext appears in the guard only.
func (s *Session) UnwrapKey(m ck.Mechanism, unwrapping ck.ObjectHandle, wrapped []byte, t attr.Template) (ck.ObjectHandle, error) {
	scheme, err := mech.Parse(m, mech.OpUnwrap)
	return s.unwrapKey(scheme, err, unwrapping, wrapped, t)
}

// UnwrapKeyAuthenticated is C_UnwrapKeyAuthenticated.
func (s *Session) UnwrapKeyAuthenticated(m ck.Mechanism, unwrapping ck.ObjectHandle, wrapped []byte, t attr.Template, associated []byte) (ck.ObjectHandle, error) {
	scheme, err := authenticated(m, mech.OpUnwrap, associated)
	return s.unwrapKey(scheme, err, unwrapping, wrapped, t)
}

func (s *Session) unwrapKey(scheme *mech.Scheme, parseErr error, unwrapping ck.ObjectHandle, wrapped []byte, t attr.Template) (ck.ObjectHandle, error) {
	if err := s.lock(); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	if parseErr != nil {
		return 0, parseErr
	}
	w := &sealed{scheme, wrapped, t, plan.NCRYPT_ALLOW_ALL_USAGES}
	if err := w.known(); err != nil {
		return 0, err
	}
	scheme, wrapped, t = w.scheme, w.data, w.t
	ref, unwrapSet, err := s.useFor(unwrapping, scheme, mech.OpUnwrap, ck.CKR_UNWRAPPING_KEY_HANDLE_INVALID)
	if err != nil {
		return 0, renamed(err, unwrapErrors)
	}
	demands := demandOf(unwrapSet, ck.CKA_UNWRAP_TEMPLATE)
	if t, err = demands.on(t); err != nil {
		return 0, err
	}
	built, err := s.build(attr.Unwrap, t)
	if err != nil {
		return 0, err
	}
	d := draftOf(built)
	d.demand = demands
	handle, err := s.makeKey(d, func(keys guard.Keys, vault guard.Vault) (*guard.Key, error) {
		key, err := keys.Unwrap(vault, ref, scheme, wrapped, specOf(d.set), d.policy())
		if err != nil {
			return nil, err
		}
		return narrow(d, t, keys, vault, key)
	})
	return handle, renamed(err, unwrapErrors)
}
