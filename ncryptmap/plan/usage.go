package plan

import (
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// ExportAttributes are the attributes that an export policy stands for. Archiving is no attribute: a key that may be archived leaves once, when it is made.
func ExportAttributes(policy uint32) attr.Template {
	plaintext := policy&NCRYPT_ALLOW_PLAINTEXT_EXPORT_FLAG != 0
	extractable := plaintext || policy&(NCRYPT_ALLOW_EXPORT_FLAG|NCRYPT_ALLOW_PKCS11_RSA_AES_EXPORT_FLAG) != 0
	return attr.Template{
		{Type: ck.CKA_EXTRACTABLE, Value: attr.Bool(extractable)},
		{Type: ck.CKA_SENSITIVE, Value: attr.Bool(!plaintext)},
	}
}

// usageRows are the attributes of each class that a usage stands for.
var usageRows = []struct {
	class     ck.ObjectClass
	attribute ck.AttributeType
	usage     uint32
}{
	{ck.CKO_PRIVATE_KEY, ck.CKA_DECRYPT, NCRYPT_ALLOW_DECRYPT_FLAG},
	{ck.CKO_PRIVATE_KEY, ck.CKA_SIGN, NCRYPT_ALLOW_SIGNING_FLAG},
	{ck.CKO_PRIVATE_KEY, ck.CKA_SIGN_RECOVER, NCRYPT_ALLOW_SIGNING_FLAG},
	{ck.CKO_PRIVATE_KEY, ck.CKA_DERIVE, NCRYPT_ALLOW_KEY_AGREEMENT_FLAG},
	{ck.CKO_PRIVATE_KEY, ck.CKA_UNWRAP, NCRYPT_ALLOW_KEY_IMPORT_FLAG | NCRYPT_ALLOW_KEY_IMPORT_EPHEMERAL_FLAG},
	{ck.CKO_PUBLIC_KEY, ck.CKA_ENCRYPT, NCRYPT_ALLOW_DECRYPT_FLAG},
	{ck.CKO_PUBLIC_KEY, ck.CKA_VERIFY, NCRYPT_ALLOW_SIGNING_FLAG},
	{ck.CKO_PUBLIC_KEY, ck.CKA_VERIFY_RECOVER, NCRYPT_ALLOW_SIGNING_FLAG},
	{ck.CKO_PUBLIC_KEY, ck.CKA_WRAP, NCRYPT_ALLOW_KEY_IMPORT_FLAG | NCRYPT_ALLOW_KEY_IMPORT_EPHEMERAL_FLAG},
	{ck.CKO_SECRET_KEY, ck.CKA_ENCRYPT, NCRYPT_ALLOW_DECRYPT_FLAG},
	{ck.CKO_SECRET_KEY, ck.CKA_DECRYPT, NCRYPT_ALLOW_DECRYPT_FLAG},
	{ck.CKO_SECRET_KEY, ck.CKA_WRAP, NCRYPT_ALLOW_KEY_IMPORT_FLAG | NCRYPT_ALLOW_KEY_IMPORT_EPHEMERAL_FLAG},
	{ck.CKO_SECRET_KEY, ck.CKA_UNWRAP, NCRYPT_ALLOW_KEY_IMPORT_FLAG | NCRYPT_ALLOW_KEY_IMPORT_EPHEMERAL_FLAG},
	{ck.CKO_SECRET_KEY, ck.CKA_SIGN, NCRYPT_ALLOW_SIGNING_FLAG},
	{ck.CKO_SECRET_KEY, ck.CKA_VERIFY, NCRYPT_ALLOW_SIGNING_FLAG},
}

// UsageAttributes are the attributes that a usage stands for, each of them said TRUE or FALSE. A key that is for imports of session keys only has
// CKA_UNWRAP_TEMPLATE with CKA_TOKEN FALSE.
func UsageAttributes(class ck.ObjectClass, keyType ck.KeyType, usage uint32) attr.Template {
	var t attr.Template
	for _, row := range usageRows {
		if row.class == class {
			on := usage&row.usage != 0 && (keyType == ck.CKK_RSA || !recovers(row.attribute))
			t = append(t, attr.Attribute{Type: row.attribute, Value: attr.Bool(on)})
		}
	}
	const imports = NCRYPT_ALLOW_KEY_IMPORT_FLAG | NCRYPT_ALLOW_KEY_IMPORT_EPHEMERAL_FLAG
	if usage&imports == NCRYPT_ALLOW_KEY_IMPORT_EPHEMERAL_FLAG && class != ck.CKO_PUBLIC_KEY {
		session := attr.Template{{Type: ck.CKA_TOKEN, Value: attr.Bool(false)}}
		t = append(t, attr.Attribute{Type: ck.CKA_UNWRAP_TEMPLATE, Value: attr.EncodeNested(session)})
	}
	return t
}

// recovers says whether an attribute is about signatures that give back what was signed, which RSA alone has.
func recovers(typ ck.AttributeType) bool {
	return typ == ck.CKA_SIGN_RECOVER || typ == ck.CKA_VERIFY_RECOVER
}
