package plan

import (
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// exportRows are the export policies and what each is in attributes; of the bits that a policy has, the first row with one of them counts. A guard reveals nothing
// of a key that is not extractable, whether it is sensitive or not.
var exportRows = []struct {
	bit                    uint32
	extractable, sensitive bool
	policy                 uint32           // what the attributes are read as
	wrapBy                 ck.MechanismType // the only mechanism that the guard lets the key out by; 0: any
}{
	{NCRYPT_ALLOW_PLAINTEXT_EXPORT_FLAG, true, false, NCRYPT_ALLOW_EXPORT_FLAG | NCRYPT_ALLOW_PLAINTEXT_EXPORT_FLAG, 0},
	{NCRYPT_ALLOW_EXPORT_FLAG, true, true, NCRYPT_ALLOW_EXPORT_FLAG, 0},
	{NCRYPT_ALLOW_PKCS11_RSA_AES_EXPORT_FLAG, true, true, NCRYPT_ALLOW_PKCS11_RSA_AES_EXPORT_FLAG, ck.CKM_RSA_AES_KEY_WRAP},
	{0, false, true, 0, 0},
}

// ArchivingFlags are the bits that let a key leave once, in the session that made it. They are no attributes, and nothing that is kept.
const ArchivingFlags = NCRYPT_ALLOW_ARCHIVING_FLAG | NCRYPT_ALLOW_PLAINTEXT_ARCHIVING_FLAG

// exportPolicies are all bits that a template may have.
const exportPolicies = NCRYPT_ALLOW_EXPORT_FLAG | NCRYPT_ALLOW_PLAINTEXT_EXPORT_FLAG | NCRYPT_ALLOW_PKCS11_RSA_AES_EXPORT_FLAG | ArchivingFlags

// ExportAttributes are the attributes that an export policy stands for. Archiving is no attribute: a key that may be archived leaves once, when it is made.
func ExportAttributes(policy uint32) attr.Template {
	var t attr.Template
	for _, row := range exportRows {
		if policy&row.bit != 0 || row.bit == 0 {
			t = attr.Template{{Type: ck.CKA_EXTRACTABLE, Value: attr.Bool(row.extractable)}, {Type: ck.CKA_SENSITIVE, Value: attr.Bool(row.sensitive)}}
			break
		}
	}
	return t
}

// ExportPolicy is NCRYPT_EXPORT_POLICY_PROPERTY of a key with these attributes. That one mechanism alone lets it out, no other attribute says than
// CKA_NCRYPT_EXPORT_POLICY itself, which counts as far as the others leave room for it.
func ExportPolicy(set *attr.Set) uint32 {
	extractable, sensitive := set.Bool(ck.CKA_EXTRACTABLE), set.Bool(ck.CKA_SENSITIVE)
	said, _ := set.ULong(ck.CKA_NCRYPT_EXPORT_POLICY)
	for _, row := range exportRows {
		if row.extractable != extractable || extractable && row.sensitive != sensitive {
			continue
		}
		if row.policy == NCRYPT_ALLOW_EXPORT_FLAG && uint32(said)&^ArchivingFlags == NCRYPT_ALLOW_PKCS11_RSA_AES_EXPORT_FLAG {
			continue // the next row has the same attributes
		}
		return row.policy
	}
	return 0
}

// WrapBy is the only mechanism that may wrap a key with these attributes; 0: any.
func WrapBy(set *attr.Set) ck.MechanismType {
	policy := ExportPolicy(set)
	for _, row := range exportRows {
		if row.policy == policy {
			return row.wrapBy
		}
	}
	return 0
}

// Archiving are the bits of a template's CKA_NCRYPT_EXPORT_POLICY by which a new key may leave once, as far as it could not anyway.
func Archiving(set *attr.Set) uint32 {
	said, _ := set.ULong(ck.CKA_NCRYPT_EXPORT_POLICY)
	bits := uint32(said) & ArchivingFlags
	switch ExportPolicy(set) {
	case NCRYPT_ALLOW_EXPORT_FLAG:
		return bits &^ NCRYPT_ALLOW_ARCHIVING_FLAG
	case NCRYPT_ALLOW_EXPORT_FLAG | NCRYPT_ALLOW_PLAINTEXT_EXPORT_FLAG:
		return 0
	}
	return bits
}
