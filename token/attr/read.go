package attr

import "github.com/ncrypt11/ncrypt11/token/ck"

// Access says where C_GetAttributeValue finds an attribute.
type Access byte

// The answers. Their CK_RV beside them is C_GetAttributeValue's for that attribute.
const (
	Missing   Access = iota // the object has no such attribute: CKR_ATTRIBUTE_TYPE_INVALID
	Open                    // in the set
	Secret                  // the guard may reveal it
	Sensitive               // the guard will not: CKR_ATTRIBUTE_SENSITIVE
)

// Readable says how an attribute of an object may be read.
func Readable(s *Set, typ ck.AttributeType) Access {
	if _, ok := s.Get(typ); ok {
		return Open
	}
	sch, err := schemaOf(s)
	if err != nil {
		return Missing
	}
	r := sch.find(typ)
	switch {
	case r == nil:
		return Missing
	case r.is(sensitive) && (s.Bool(ck.CKA_SENSITIVE) || !s.Bool(ck.CKA_EXTRACTABLE)):
		return Sensitive
	case r.is(sensitive | secretIfPrivate):
		return Secret
	}
	return Missing
}
