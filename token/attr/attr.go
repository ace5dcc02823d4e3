// Package attr holds attributes: the template that a caller passes, the set that an object has, and the rules between them, as tables.
package attr

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Attribute is CK_ATTRIBUTE: a type and its value's bytes as in C memory (CK_BBOOL one byte, CK_ULONG eight bytes in the machine's order).
type Attribute struct {
	Type  ck.AttributeType
	Value []byte
}

// Template is what a caller passes, in its order. It owns its bytes: Wipe zeroes them when the call ends, so an object must keep copies.
type Template []Attribute

// Find gives the value of the first attribute of type t.
func (t Template) Find(typ ck.AttributeType) ([]byte, bool) {
	for i := range t {
		if t[i].Type == typ {
			return t[i].Value, true
		}
	}
	return nil, false
}

// Wipe zeroes all values.
func (t Template) Wipe() {
	for i := range t {
		secret.Wipe(t[i].Value)
	}
}
