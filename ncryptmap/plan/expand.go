package plan

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Expand gives a template with what CKA_NCRYPT_EXPORT_POLICY and CKA_NCRYPT_KEY_USAGE in it stand for. class and keyType are what the key will be where the
// template does not say. Errors: CKR_TEMPLATE_INCONSISTENT where the template says otherwise by the attributes themselves; CKR_ATTRIBUTE_VALUE_INVALID for
// bits that the token cannot keep.
func Expand(t attr.Template, class ck.ObjectClass, keyType ck.KeyType) (attr.Template, error) {
	policy, hasPolicy, err := mask(t, ck.CKA_NCRYPT_EXPORT_POLICY, exportPolicies)
	if err != nil {
		return nil, err
	}
	usage, hasUsage, err := mask(t, ck.CKA_NCRYPT_KEY_USAGE, NCRYPT_ALLOW_ALL_USAGES)
	if err != nil {
		return nil, err
	}
	var meant attr.Template
	if hasPolicy {
		meant = append(meant, ExportAttributes(policy)...)
	}
	if hasUsage && usage != NCRYPT_ALLOW_ALL_USAGES { // all is what the token's defaults give
		meant = append(meant, UsageAttributes(given(t, ck.CKA_CLASS, class), given(t, ck.CKA_KEY_TYPE, keyType), usage)...)
	}
	return agree(t, meant)
}

// mask reads a mask of bits from a template.
func mask(t attr.Template, typ ck.AttributeType, known uint32) (uint32, bool, error) {
	value, ok := t.Find(typ)
	if !ok {
		return 0, false, nil
	}
	number, err := attr.ParseULong(value)
	if err != nil {
		return 0, false, err
	}
	if number&^uint(known) != 0 {
		return 0, false, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "%v %#x has unknown bits", typ, number)
	}
	return uint32(number), true, nil
}

// given is what the template says of a class or type, or what else is known of it.
func given[T ~uint](t attr.Template, typ ck.AttributeType, otherwise T) T {
	if number, ok := Given[T](t, typ); ok {
		return number
	}
	return otherwise
}

// Given is what a template says of a class or type; false: nothing that is one.
func Given[T ~uint](t attr.Template, typ ck.AttributeType) (T, bool) {
	value, ok := t.Find(typ)
	if !ok {
		return 0, false
	}
	number, err := attr.ParseULong(value)
	return T(number), err == nil
}

// agree adds to a template what it means besides, and must not contradict.
func agree(t, meant attr.Template) (attr.Template, error) {
	for _, a := range meant {
		value, said := t.Find(a.Type)
		switch {
		case !said:
			t = append(t[:len(t):len(t)], a)
		case !bytes.Equal(value, a.Value):
			return nil, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "%v contradicts CKA_NCRYPT_EXPORT_POLICY or CKA_NCRYPT_KEY_USAGE", a.Type)
		}
	}
	return t, nil
}

// Note writes down what a key's attributes are to NCrypt, whenever they change: CKA_NCRYPT_EXPORT_POLICY and CKA_NCRYPT_KEY_USAGE,
// and what the key is to who asks for proof of it, CKA_NCRYPT_ISO_FLAGS.
func Note(set *attr.Set) {
	usage := KeyUsage(set)
	set.PutULong(ck.CKA_NCRYPT_EXPORT_POLICY, uint(ExportPolicy(set)))
	set.PutULong(ck.CKA_NCRYPT_KEY_USAGE, uint(usage))
	var flags uint
	for _, row := range []struct {
		flag uint
		is   bool
	}{
		{NCRYPT_ISOLATED_KEY_FLAG_CREATED_IN_ISOLATION, set.Bool(ck.CKA_NCRYPT_ISOLATED) && set.Bool(ck.CKA_LOCAL)},
		{NCRYPT_ISOLATED_KEY_FLAG_IMPORT_ONLY, usage == NCRYPT_ALLOW_KEY_IMPORT_FLAG},
		{NCRYPT_ISOLATED_KEY_FLAG_PER_BOOT_KEY, set.Bool(ck.CKA_NCRYPT_PER_BOOT)},
		{NCRYPT_ISOLATED_KEY_FLAG_IMPORT_EPHEMERAL_ONLY, usage == NCRYPT_ALLOW_KEY_IMPORT_EPHEMERAL_FLAG},
	} {
		if row.is {
			flags |= row.flag
		}
	}
	set.PutULong(ck.CKA_NCRYPT_ISO_FLAGS, flags)
}

// FileTime is a time as Windows writes it (FILETIME): 100 ns since the beginning of 1601, 8 bytes, the lowest first.
func FileTime(t time.Time) []byte {
	const unixEpoch = 11644473600 // seconds
	return binary.LittleEndian.AppendUint64(nil, uint64(t.Unix()+unixEpoch)*1e7+uint64(t.Nanosecond()/100))
}
