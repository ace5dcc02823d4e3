package token

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// liveAttributes are those of keys that say how things are at the moment, and are not what is stored. Those that are asked of the guard are so only where somebody
// wants to know.
var liveAttributes = map[ck.AttributeType]func(s *Session, o *object, set, now *attr.Set){
	ck.CKA_NCRYPT_USABLE: func(s *Session, o *object, set, now *attr.Set) {
		if o.isToken() && !s.tok.keyUsable(set) {
			now.PutBool(ck.CKA_NCRYPT_USABLE, false)
		}
	},
	ck.CKA_NCRYPT_STATE: func(s *Session, o *object, set, now *attr.Set) {
		now.PutULong(ck.CKA_NCRYPT_STATE, s.stateOf(o, set))
	},
	ck.CKA_NCRYPT_ARCHIVES_LEFT: func(s *Session, o *object, _, now *attr.Set) {
		left := uint(0)
		if s.archiving(o) != 0 {
			left = 1
		}
		now.PutULong(ck.CKA_NCRYPT_ARCHIVES_LEFT, left)
	},
	ck.CKA_NCRYPT_EXPORT_POLICY: func(s *Session, o *object, set, now *attr.Set) {
		now.PutULong(ck.CKA_NCRYPT_EXPORT_POLICY, uint(plan.ExportPolicy(set)|s.archiving(o)))
	},
}

// asOfNow gives an object's attributes with those that are asked for as they are at the moment. The token's lock is held.
func (s *Session) asOfNow(o *object, set *attr.Set, readings []Reading) *attr.Set {
	class := classOf(set)
	if class != ck.CKO_PRIVATE_KEY && class != ck.CKO_SECRET_KEY {
		return set
	}
	now := set
	for i := range readings {
		live, ok := liveAttributes[readings[i].Type]
		if !ok {
			continue
		}
		if now == set {
			now = set.Clone()
		}
		live(s, o, set, now)
	}
	return now
}

// searched are the live attributes that are not what is stored, and so not what the index of stored objects finds.
var searched = []ck.AttributeType{ck.CKA_NCRYPT_USABLE, ck.CKA_NCRYPT_STATE, ck.CKA_NCRYPT_ARCHIVES_LEFT}

// splitLive takes these out of the template of a search.
func splitLive(tmpl attr.Template) (rest, live attr.Template) {
	for _, a := range tmpl {
		if slices.Contains(searched, a.Type) {
			live = append(live, a)
		} else {
			rest = append(rest, a)
		}
	}
	return rest, live
}

// matchesLive says whether that is how an object is at the moment. The token's lock is held.
func (s *Session) matchesLive(o *object, live attr.Template) bool {
	if len(live) == 0 {
		return true
	}
	readings := make([]Reading, len(live))
	for i := range live {
		readings[i].Type = live[i].Type
	}
	return s.asOfNow(o, o.attrs, readings).Match(live)
}

// stateOf is CKA_NCRYPT_STATE of a key. The token's lock is held.
func (s *Session) stateOf(o *object, set *attr.Set) uint {
	switch {
	case o.draft != nil && set.Bool(ck.CKA_LOCAL):
		return ck.CK_NCRYPT_STATE_CREATED
	case o.draft != nil:
		return ck.CK_NCRYPT_STATE_IMPORTED
	case !o.isToken():
		return ck.CK_NCRYPT_STATE_EPHEMERAL
	case s.tok.keyUsable(set):
		return ck.CK_NCRYPT_STATE_PERSISTED
	case set.Bool(ck.CKA_NCRYPT_PER_BOOT):
		return ck.CK_NCRYPT_STATE_STALE
	}
	return ck.CK_NCRYPT_STATE_UNREACHABLE
}
