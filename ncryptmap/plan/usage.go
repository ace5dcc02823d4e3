package plan

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// imports are the usages that let a key open others.
const imports = NCRYPT_ALLOW_KEY_IMPORT_FLAG | NCRYPT_ALLOW_KEY_IMPORT_EPHEMERAL_FLAG

// usageRows are the attributes of each class and the usages that turn them on. What a usage was is read back from those rows that say it: of a secret key one
// half of a pair of functions. NCRYPT_ALLOW_KEY_ATTESTATION_FLAG has no row: no mechanism here attests to another key with one of these.
var usageRows = []struct {
	class     ck.ObjectClass
	attribute ck.AttributeType
	usage     uint32 // any of them turns the attribute on
	says      uint32 // what the attribute tells; 0: nothing that another row does not
}{
	{ck.CKO_PRIVATE_KEY, ck.CKA_DECRYPT, NCRYPT_ALLOW_DECRYPT_FLAG, NCRYPT_ALLOW_DECRYPT_FLAG},
	{ck.CKO_PRIVATE_KEY, ck.CKA_SIGN, NCRYPT_ALLOW_SIGNING_FLAG, NCRYPT_ALLOW_SIGNING_FLAG},
	{ck.CKO_PRIVATE_KEY, ck.CKA_SIGN_RECOVER, NCRYPT_ALLOW_SIGNING_FLAG, NCRYPT_ALLOW_SIGNING_FLAG},
	{ck.CKO_PRIVATE_KEY, ck.CKA_DERIVE, NCRYPT_ALLOW_KEY_AGREEMENT_FLAG, NCRYPT_ALLOW_KEY_AGREEMENT_FLAG},
	{ck.CKO_PRIVATE_KEY, ck.CKA_DECAPSULATE, NCRYPT_ALLOW_KEY_AGREEMENT_FLAG, NCRYPT_ALLOW_KEY_AGREEMENT_FLAG},
	{ck.CKO_PRIVATE_KEY, ck.CKA_UNWRAP, imports, NCRYPT_ALLOW_KEY_IMPORT_FLAG},
	{ck.CKO_PUBLIC_KEY, ck.CKA_ENCRYPT, NCRYPT_ALLOW_DECRYPT_FLAG, 0},
	{ck.CKO_PUBLIC_KEY, ck.CKA_VERIFY, NCRYPT_ALLOW_SIGNING_FLAG, 0},
	{ck.CKO_PUBLIC_KEY, ck.CKA_VERIFY_RECOVER, NCRYPT_ALLOW_SIGNING_FLAG, 0},
	{ck.CKO_PUBLIC_KEY, ck.CKA_ENCAPSULATE, NCRYPT_ALLOW_KEY_AGREEMENT_FLAG, 0},
	{ck.CKO_PUBLIC_KEY, ck.CKA_WRAP, imports, 0},
	{ck.CKO_SECRET_KEY, ck.CKA_ENCRYPT, NCRYPT_ALLOW_DECRYPT_FLAG, 0},
	{ck.CKO_SECRET_KEY, ck.CKA_DECRYPT, NCRYPT_ALLOW_DECRYPT_FLAG, NCRYPT_ALLOW_DECRYPT_FLAG},
	{ck.CKO_SECRET_KEY, ck.CKA_WRAP, imports, 0},
	{ck.CKO_SECRET_KEY, ck.CKA_UNWRAP, imports, NCRYPT_ALLOW_KEY_IMPORT_FLAG},
	{ck.CKO_SECRET_KEY, ck.CKA_SIGN, NCRYPT_ALLOW_SIGNING_FLAG, NCRYPT_ALLOW_SIGNING_FLAG},
	{ck.CKO_SECRET_KEY, ck.CKA_VERIFY, NCRYPT_ALLOW_SIGNING_FLAG, 0},
	{ck.CKO_SECRET_KEY, ck.CKA_DERIVE, NCRYPT_ALLOW_KEY_AGREEMENT_FLAG, NCRYPT_ALLOW_KEY_AGREEMENT_FLAG},
}

// fewTypes are the attributes that only some key types can have TRUE: a usage is not what gives it to others.
var fewTypes = map[ck.AttributeType][]ck.KeyType{
	ck.CKA_SIGN_RECOVER: {ck.CKK_RSA}, ck.CKA_VERIFY_RECOVER: {ck.CKK_RSA},
	ck.CKA_ENCAPSULATE: {ck.CKK_ML_KEM}, ck.CKA_DECAPSULATE: {ck.CKK_ML_KEM},
}

// UsageAttributes are the attributes that a usage stands for, each of them said TRUE or FALSE. A key that is for imports of session keys only has
// CKA_UNWRAP_TEMPLATE with CKA_TOKEN FALSE.
func UsageAttributes(class ck.ObjectClass, keyType ck.KeyType, usage uint32) attr.Template {
	var t attr.Template
	for _, row := range usageRows {
		if row.class == class {
			few := fewTypes[row.attribute]
			on := usage&row.usage != 0 && (few == nil || slices.Contains(few, keyType))
			t = append(t, attr.Attribute{Type: row.attribute, Value: attr.Bool(on)})
		}
	}
	if usage&imports == NCRYPT_ALLOW_KEY_IMPORT_EPHEMERAL_FLAG && class != ck.CKO_PUBLIC_KEY {
		t = append(t, attr.Attribute{Type: ck.CKA_UNWRAP_TEMPLATE, Value: sessionKeysOnly})
	}
	return t
}

// sessionKeysOnly is the CKA_UNWRAP_TEMPLATE of a key that is for imports of session keys only.
var sessionKeysOnly = attr.EncodeNested(attr.Template{{Type: ck.CKA_TOKEN, Value: attr.Bool(false)}})

// Anew prepares the attributes of a key, and a template for them, for a CKA_NCRYPT_KEY_USAGE that is said in the place of an earlier one: what only that one meant
// is taken out of the attributes, and the usage that allows everything is put into words, since defaults are for new keys.
func Anew(set *attr.Set, t attr.Template) (*attr.Set, attr.Template) {
	usage, said := Given[uint](t, ck.CKA_NCRYPT_KEY_USAGE)
	if !said {
		return set, t
	}
	set = set.Clone()
	if value, _ := set.Get(ck.CKA_UNWRAP_TEMPLATE); slices.Equal(value, sessionKeysOnly) {
		set.Delete(ck.CKA_UNWRAP_TEMPLATE)
	}
	if usage != uint(NCRYPT_ALLOW_ALL_USAGES) {
		return set, t
	}
	class, _ := set.ULong(ck.CKA_CLASS)
	for _, row := range usageRows {
		if _, said := t.Find(row.attribute); row.class == ck.ObjectClass(class) && !said {
			t = append(t[:len(t):len(t)], attr.Attribute{Type: row.attribute, Value: attr.Bool(attr.Able(set, row.attribute))})
		}
	}
	return set, t
}

// everything is what a key type can do at most; key types that are not listed can only sign.
var everything = map[ck.KeyType]uint32{
	ck.CKK_RSA:           NCRYPT_ALLOW_DECRYPT_FLAG | NCRYPT_ALLOW_SIGNING_FLAG | NCRYPT_ALLOW_KEY_IMPORT_FLAG,
	ck.CKK_EC:            NCRYPT_ALLOW_SIGNING_FLAG | NCRYPT_ALLOW_KEY_AGREEMENT_FLAG,
	ck.CKK_EC_MONTGOMERY: NCRYPT_ALLOW_KEY_AGREEMENT_FLAG,
	ck.CKK_ML_KEM:        NCRYPT_ALLOW_KEY_AGREEMENT_FLAG,
	ck.CKK_AES:           NCRYPT_ALLOW_DECRYPT_FLAG | NCRYPT_ALLOW_SIGNING_FLAG | NCRYPT_ALLOW_KEY_IMPORT_FLAG,
}

// KeyUsage is NCRYPT_KEY_USAGE_PROPERTY of a key with these attributes.
func KeyUsage(set *attr.Set) uint32 {
	class, _ := set.ULong(ck.CKA_CLASS)
	var usage uint32
	for _, row := range usageRows {
		if row.class == ck.ObjectClass(class) && set.Bool(row.attribute) {
			usage |= row.says
		}
	}
	keyType, _ := set.ULong(ck.CKA_KEY_TYPE)
	most, listed := everything[ck.KeyType(keyType)]
	if !listed {
		most = NCRYPT_ALLOW_SIGNING_FLAG
	}
	switch {
	case usage&NCRYPT_ALLOW_KEY_IMPORT_FLAG != 0 && unwrapsSessionKeysOnly(set):
		return usage&^NCRYPT_ALLOW_KEY_IMPORT_FLAG | NCRYPT_ALLOW_KEY_IMPORT_EPHEMERAL_FLAG
	case usage&most == most:
		return NCRYPT_ALLOW_ALL_USAGES
	}
	return usage
}

// unwrapsSessionKeysOnly: CKA_UNWRAP_TEMPLATE with CKA_TOKEN FALSE is the standard's way to say NCRYPT_ALLOW_KEY_IMPORT_EPHEMERAL_FLAG.
func unwrapsSessionKeysOnly(set *attr.Set) bool {
	value, ok := set.Get(ck.CKA_UNWRAP_TEMPLATE)
	if !ok {
		return false
	}
	template, err := attr.DecodeNested(value)
	if err != nil {
		return false
	}
	onToken, ok := template.Find(ck.CKA_TOKEN)
	return ok && slices.Equal(onToken, attr.Bool(false))
}
