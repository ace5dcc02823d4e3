package attr

import (
	"encoding/binary"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// A template that is an attribute's value (CKA_WRAP_TEMPLATE and its kin) is held as bytes, all numbers big-endian: for each of its
// attributes, in its order, 8 bytes type, 4 bytes length, the value. A template within it is held the same way.

// maxNesting bounds templates within templates, which no use of keys needs more than twice.
const maxNesting = 4

// EncodeNested gives a template as the value of an attribute.
func EncodeNested(t Template) []byte {
	out := []byte{}
	for i := range t {
		out = binary.BigEndian.AppendUint64(out, uint64(t[i].Type))
		out = binary.BigEndian.AppendUint32(out, uint32(len(t[i].Value)))
		out = append(out, t[i].Value...)
	}
	return out
}

// DecodeNested reads the bytes of EncodeNested, which the template aliases. Each attribute must be a known one with a value of its kind,
// and none may be secret: CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID.
func DecodeNested(in []byte) (Template, error) { return decodeNested(in, maxNesting) }

func decodeNested(in []byte, depth int) (Template, error) {
	if depth == 0 {
		return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "templates are nested too deep")
	}
	t := Template{}
	for len(in) > 0 {
		if len(in) < rowHeaderSize || len(t) == MaxAttributes {
			return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "malformed template in a template")
		}
		typ := ck.AttributeType(binary.BigEndian.Uint64(in))
		size := binary.BigEndian.Uint32(in[8:])
		in = in[rowHeaderSize:]
		if uint64(size) > uint64(len(in)) {
			return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "malformed template in a template")
		}
		a := Attribute{Type: typ, Value: in[:size:size]}
		if err := checkNested(a, depth); err != nil {
			return nil, err
		}
		t = append(t, a)
		in = in[size:]
	}
	return t, nil
}

func checkNested(a Attribute, depth int) error {
	kind, ok := KindOf(a.Type)
	if !ok {
		return ck.Errorf(ck.CKR_ATTRIBUTE_TYPE_INVALID, "unknown attribute %v in a template", a.Type)
	}
	if kind == KindAttributes {
		_, err := decodeNested(a.Value, depth-1)
		return err
	}
	r := rule{typ: a.Type, kind: kind}
	if secretSomewhere[a.Type] {
		return r.invalid("secret values are not for templates in templates")
	}
	_, err := r.normalize(a.Value)
	return err
}
