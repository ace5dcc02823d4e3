package token

import (
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// EncapsulateKey is C_EncapsulateKey. A call that asks for the length, or has no room for the ciphertext, makes no key.
func (s *Session) EncapsulateKey(m ck.Mechanism, public ck.ObjectHandle, t attr.Template, out Output) (int, ck.ObjectHandle, error) {
	if err := s.lock(); err != nil {
		return 0, 0, err
	}
	defer s.mu.Unlock()
	scheme, err := mech.Parse(m, mech.OpEncapsulate)
	if err != nil {
		return 0, 0, err
	}
	_, set, err := s.useFor(public, scheme, mech.OpEncapsulate, ck.CKR_KEY_HANDLE_INVALID)
	if err != nil {
		return 0, 0, err
	}
	kem, err := pubkey.DecodeKEM(valuesOf(set)(ck.CKA_PARAMETER_SET))
	if err != nil {
		return 0, 0, err
	}
	if done, err := out.ask(kem.Ciphertext); done {
		return kem.Ciphertext, 0, err
	}
	d, err := s.encapsulated(t)
	if err != nil {
		return 0, 0, err
	}
	if template, ok := set.Get(ck.CKA_ENCAPSULATE_TEMPLATE); ok && !matchesTemplate(d.set, template) {
		return 0, 0, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "the key would not match the public key's CKA_ENCAPSULATE_TEMPLATE")
	}
	d.demand = demandOf(set, ck.CKA_ENCAPSULATE_TEMPLATE)
	var ciphertext []byte
	handle, err := s.makeKey(d, func(keys guard.Keys, vault guard.Vault) (key *guard.Key, err error) {
		key, ciphertext, err = keys.Encapsulate(vault, publicHalf(set), scheme, specOf(d.set), d.policy())
		return key, err
	})
	if err != nil {
		return 0, 0, err
	}
	n, err := out.put(ciphertext)
	return n, handle, err
}

// DecapsulateKey is C_DecapsulateKey.
func (s *Session) DecapsulateKey(m ck.Mechanism, private ck.ObjectHandle, t attr.Template, ciphertext []byte) (ck.ObjectHandle, error) {
	if err := s.lock(); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	scheme, err := mech.Parse(m, mech.OpDecapsulate)
	if err != nil {
		return 0, err
	}
	ref, set, err := s.useFor(private, scheme, mech.OpDecapsulate, ck.CKR_KEY_HANDLE_INVALID)
	if err != nil {
		return 0, err
	}
	demands := demandOf(set, ck.CKA_DECAPSULATE_TEMPLATE)
	if t, err = demands.on(t); err != nil {
		return 0, err
	}
	d, err := s.encapsulated(t)
	if err != nil {
		return 0, err
	}
	d.demand = demands
	return s.makeKey(d, func(keys guard.Keys, vault guard.Vault) (*guard.Key, error) {
		return keys.Decapsulate(vault, ref, scheme, ciphertext, specOf(d.set), d.policy())
	})
}

// encapsulated applies the rules to a template for a key that two sides have: those of C_UnwrapKey, but that it is a secret key, and a generic one unless
// the template says so.
func (s *Session) encapsulated(t attr.Template) (*draft, error) {
	f, err := s.facts()
	if err != nil {
		return nil, err
	}
	f.Class = ck.CKO_SECRET_KEY
	if _, given := t.Find(ck.CKA_KEY_TYPE); !given {
		t = append(t[:len(t):len(t)], attr.Attribute{Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(ck.CKK_GENERIC_SECRET))})
	}
	if t, err = plan.Expand(t, f.Class, ck.CKK_GENERIC_SECRET); err != nil {
		return nil, err
	}
	built, err := attr.Build(attr.Unwrap, t, f)
	if err != nil {
		return nil, err
	}
	return draftOf(built), nil
}

// publicHalf are the parts of a public key that a guard is told.
func publicHalf(set *attr.Set) (parts []guard.Part) {
	for _, typ := range append([]ck.AttributeType{ck.CKA_VALUE}, publicParts...) {
		if value, ok := set.Get(typ); ok {
			parts = append(parts, guard.Part{Type: typ, Value: value})
		}
	}
	return parts
}
