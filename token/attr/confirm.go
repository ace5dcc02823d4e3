package attr

import (
	"bytes"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Confirm puts an attribute that was computed from the key itself, such as CKA_MODULUS, CKA_PUBLIC_KEY_INFO or CKA_CHECK_VALUE. Where the
// template gave one, it must be the same, else CKR_ATTRIBUTE_VALUE_INVALID. Attributes that the object cannot have are passed over.
func (s *Set) Confirm(typ ck.AttributeType, value []byte) error {
	sch, err := schemaOf(s)
	if err != nil {
		return err
	}
	r := sch.find(typ)
	if r == nil || r.is(sensitive) {
		return nil
	}
	given, ok := s.Get(typ)
	switch {
	case !ok:
	case typ == ck.CKA_CHECK_VALUE && len(given) == 0:
		// The caller's way to say that no check value is wanted (PKCS #11 v3.2, section 4.10.2).
		return nil
	case typ == ck.CKA_EC_PARAMS:
		// A curve has several names; the key was made with the given one and keeps the canonical one.
	case !sameValue(typ, given, value):
		return r.invalid("not that of the key")
	}
	s.Put(typ, value)
	return nil
}

// sameValue compares two values of an attribute by what they mean.
func sameValue(typ ck.AttributeType, a, b []byte) bool {
	switch kind, _ := KindOf(typ); {
	case kind == KindBigInt:
		return bytes.Equal(bytes.TrimLeft(a, "\x00"), bytes.TrimLeft(b, "\x00"))
	case typ == ck.CKA_EC_POINT:
		// One of the two may be in its OCTET STRING and the other bare.
		return bytes.Equal(a, b) || bytes.Equal(barePoint(a), b) || bytes.Equal(a, barePoint(b))
	}
	return bytes.Equal(a, b)
}

// barePoint takes a point out of the DER OCTET STRING that CKA_EC_POINT should be and that many clients leave out.
func barePoint(point []byte) []byte {
	const octetString = 0x04
	switch n := len(point); {
	case n > 2 && n-2 < 0x80 && point[0] == octetString && int(point[1]) == n-2:
		return point[2:]
	case n > 3 && n-3 < 0x100 && point[0] == octetString && point[1] == 0x81 && int(point[2]) == n-3:
		return point[3:]
	}
	return point
}
