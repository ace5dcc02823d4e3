package token

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
)

// Reading is one entry of a C_GetAttributeValue call.
type Reading struct {
	Type  ck.AttributeType
	Value []byte
	Err   error // CKR_ATTRIBUTE_SENSITIVE, CKR_ATTRIBUTE_TYPE_INVALID, or what a guard answered

	Untaken bool // for who uses it to say: the value was not given to anybody, only its length
	secret  bool // the guard revealed it
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
	o, err := s.object(h)
	var set *attr.Set
	if err == nil {
		set, err = t.attributes(o)
	}
	if err != nil {
		t.mu.Unlock()
		return err
	}
	v := view{set: s.asOfNow(o, set, readings), like: set}
	if v.ref = s.archiveOf(o, plan.NCRYPT_ALLOW_PLAINTEXT_ARCHIVING_FLAG); v.ref != 0 {
		v.like = revealing(set)
	}
	switch {
	case !v.wantsSecret(readings):
		v.ref = 0
	case v.ref != 0:
		v.archived = o
	case o.draft != nil:
		v.like = withheld(set)
	default:
		v.ref, err = t.load(o)
	}
	t.mu.Unlock()
	if err != nil {
		return err
	}
	return t.noteLost(s.read(&v, readings, use))
}

// view is how a session sees an object.
type view struct {
	set, like *attr.Set // its attributes; those that say whether its secrets may be shown
	ref       guard.Ref // what shows them; 0: nothing
	archived  *object   // they may be shown once, and this is the time
}

// revealing and withheld are the attributes of a key whose secrets may be shown, and may not.
func revealing(set *attr.Set) *attr.Set { return shown(set, true) }
func withheld(set *attr.Set) *attr.Set  { return shown(set, false) }

func shown(set *attr.Set, on bool) *attr.Set {
	set = set.Clone()
	set.PutBool(ck.CKA_EXTRACTABLE, on)
	set.PutBool(ck.CKA_SENSITIVE, !on)
	return set
}

// wantsSecret says whether a value is asked for that only the guard has, and may reveal.
func (v *view) wantsSecret(readings []Reading) bool {
	for i := range readings {
		if v.readable(readings[i].Type) == attr.Secret {
			return true
		}
	}
	return false
}

// readable says how an attribute may be read: which it has, its attributes tell, and which are shown of those that it has not, those that it is seen like.
func (v *view) readable(typ ck.AttributeType) attr.Access {
	typ = standsFor(v.set, typ)
	if _, ok := v.set.Get(typ); ok {
		return attr.Open
	}
	return readable(v.like, typ)
}

// readable is attr.Readable, and for a private data object its value, which the guard keeps.
func readable(set *attr.Set, typ ck.AttributeType) attr.Access {
	if typ == ck.CKA_VALUE && classOf(set) == ck.CKO_DATA && keyed(set) {
		return attr.Secret
	}
	return attr.Readable(set, typ)
}

func (s *Session) read(v *view, readings []Reading, use func()) error {
	var revealed *guard.Revealed
	if v.ref != 0 {
		var err error
		if revealed, err = s.tok.keys.Reveal(v.ref); err != nil {
			return err
		}
		defer revealed.Close()
	}
	for i := range readings {
		r := &readings[i]
		switch v.readable(r.Type) {
		case attr.Open:
			r.Value, _ = v.set.Get(standsFor(v.set, r.Type))
		case attr.Secret:
			r.secret = true
			r.Value, r.Err = revealedPart(revealed, standsFor(v.set, r.Type))
		case attr.Sensitive:
			r.Err = ck.CKR_ATTRIBUTE_SENSITIVE
		default:
			r.Err = ck.CKR_ATTRIBUTE_TYPE_INVALID
		}
	}
	use()
	if v.archived != nil && slices.ContainsFunc(readings, func(r Reading) bool { return r.secret && r.Err == nil && !r.Untaken }) {
		s.archived(v.archived)
	}
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
