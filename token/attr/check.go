package attr

import (
	"bytes"
	"unicode/utf8"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// normalize checks the form of a value and gives it as it is stored: a part of value's own bytes, or all of them.
func (r *rule) normalize(value []byte) ([]byte, error) {
	if len(value) > MaxValueSize {
		return nil, r.invalid("too long")
	}
	switch r.kind {
	case KindBool:
		_, err := ParseBool(value)
		return value, err
	case KindULong:
		return value, r.checkULong(value)
	case KindBigInt:
		// Leading zeros are allowed and mean nothing; without them equal numbers have equal bytes.
		value = bytes.TrimLeft(value, "\x00")
		if len(value) == 0 {
			return nil, r.invalid("not a positive number")
		}
	case KindDate:
		if len(value) != 0 && !isDate(value) {
			return nil, r.invalid("not a date")
		}
	case KindString:
		if !utf8.Valid(value) {
			return nil, r.invalid("not UTF-8")
		}
	case KindAttributes:
		_, err := DecodeNested(value)
		return value, err
	case KindMechanisms:
		if len(value)%ulongSize != 0 {
			return nil, r.invalid("not an array of CK_MECHANISM_TYPE")
		}
	}
	if r.is(sensitive) && len(value) == 0 {
		return nil, r.invalid("empty")
	}
	return value, nil
}

// ulongMax holds the largest value of attributes that have only a few.
var ulongMax = map[ck.AttributeType]uint{
	ck.CKA_CERTIFICATE_CATEGORY:      3, // CK_CERTIFICATE_CATEGORY_OTHER_ENTITY
	ck.CKA_JAVA_MIDP_SECURITY_DOMAIN: 3, // CK_SECURITY_DOMAIN_THIRD_PARTY
	ck.CKA_NCRYPT_PROTECTION:         2, // require
}

func (r *rule) checkULong(value []byte) error {
	u, err := ParseULong(value)
	if err != nil {
		return err
	}
	if limit, ok := ulongMax[r.typ]; ok && u > limit {
		return r.invalid("no such value")
	}
	return nil
}

// isDate knows a CK_DATE: year, month and day in ASCII digits.
func isDate(value []byte) bool {
	if len(value) != len("YYYYMMDD") {
		return false
	}
	for _, c := range value {
		if c < '0' || c > '9' {
			return false
		}
	}
	number := func(b []byte) int { return int(b[0]-'0')*10 + int(b[1]-'0') }
	month, day := number(value[4:6]), number(value[6:8])
	return month >= 1 && month <= 12 && day >= 1 && day <= 31
}

// invalid is CKR_ATTRIBUTE_VALUE_INVALID. The reason never holds the value.
func (r *rule) invalid(reason string) error {
	return ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "%v: %s", r.typ, reason)
}

// consistent checks what no row can: rules between attributes of a finished set.
func consistent(s *Set) error {
	if s.Bool(ck.CKA_ALWAYS_AUTHENTICATE) && !s.Bool(ck.CKA_PRIVATE) {
		return ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "CKA_ALWAYS_AUTHENTICATE needs CKA_PRIVATE")
	}
	if s.encodedSize() > MaxEncodedSize {
		return ck.Errorf(ck.CKR_DEVICE_MEMORY, "the attributes have more than %d bytes", MaxEncodedSize)
	}
	return nil
}
