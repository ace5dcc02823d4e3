package token

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
)

// Reading is one entry of a C_GetAttributeValue call.
type Reading struct {
	Type  ck.AttributeType
	Value []byte
	Err   error // CKR_ATTRIBUTE_SENSITIVE, CKR_ATTRIBUTE_TYPE_INVALID, or what a guard answered
}

// GetAttributes is C_GetAttributeValue. It fills in each entry of readings, in order, and hands them to use while secret values among them
// are alive; use gets only values that may be shown.
func (s *Session) GetAttributes(h ck.ObjectHandle, readings []Reading, use func()) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	t := s.tok
	t.mu.Lock()
	o, err := t.object(h)
	var set *attr.Set
	if err == nil {
		set, err = t.attributes(o)
	}
	if err != nil {
		t.mu.Unlock()
		return err
	}
	var ref guard.Ref
	if wantsSecret(set, readings) {
		ref, err = t.load(o)
	}
	if asksUsable(set, readings) && o.isToken() && !t.keyUsable(set) {
		set = set.Clone()
		set.PutBool(ck.CKA_NCRYPT_USABLE, false)
	}
	t.mu.Unlock()
	if err != nil {
		return err
	}
	return t.noteLost(s.read(set, ref, readings, use))
}

// asksUsable says whether it is asked if the key can still be used, which only the guard knows.
func asksUsable(set *attr.Set, readings []Reading) bool {
	_, has := set.Get(ck.CKA_NCRYPT_USABLE)
	return has && slices.ContainsFunc(readings, func(r Reading) bool { return r.Type == ck.CKA_NCRYPT_USABLE })
}

// wantsSecret says whether a value is asked for that only the guard has, and may reveal.
func wantsSecret(set *attr.Set, readings []Reading) bool {
	for i := range readings {
		if readable(set, readings[i].Type) == attr.Secret {
			return true
		}
	}
	return false
}

// readable is attr.Readable, and for a private data object its value, which the guard keeps.
func readable(set *attr.Set, typ ck.AttributeType) attr.Access {
	if typ == ck.CKA_VALUE && classOf(set) == ck.CKO_DATA && keyed(set) {
		return attr.Secret
	}
	return attr.Readable(set, typ)
}

func (s *Session) read(set *attr.Set, ref guard.Ref, readings []Reading, use func()) error {
	var revealed *guard.Revealed
	if ref != 0 {
		var err error
		if revealed, err = s.tok.keys.Reveal(ref); err != nil {
			return err
		}
		defer revealed.Close()
	}
	for i := range readings {
		r := &readings[i]
		switch readable(set, r.Type) {
		case attr.Open:
			r.Value, _ = set.Get(r.Type)
		case attr.Secret:
			r.Value, r.Err = revealedPart(revealed, r.Type)
		case attr.Sensitive:
			r.Err = ck.CKR_ATTRIBUTE_SENSITIVE
		default:
			r.Err = ck.CKR_ATTRIBUTE_TYPE_INVALID
		}
	}
	use()
	return nil
}

func revealedPart(revealed *guard.Revealed, typ ck.AttributeType) ([]byte, error) {
	for _, part := range revealed.Parts {
		if part.Type == typ {
			return part.Value, nil
		}
	}
	return nil, ck.CKR_ATTRIBUTE_TYPE_INVALID
}
