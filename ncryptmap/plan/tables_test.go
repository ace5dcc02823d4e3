package plan_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// setOf is a key's attributes as a template makes them.
func setOf(class ck.ObjectClass, keyType ck.KeyType, t attr.Template) *attr.Set {
	return made(class, keyType, nil, t...)
}

func ulong(typ ck.AttributeType, value uint32) attr.Attribute {
	return attr.Attribute{Type: typ, Value: attr.ULong(uint(value))}
}

// Each export policy, there and back: what its attributes are, which policy they are read as, and which mechanism alone lets the key out.
func TestExportPoliciesThereAndBack(t *testing.T) {
	const export, plaintext, rsaAES = plan.NCRYPT_ALLOW_EXPORT_FLAG, plan.NCRYPT_ALLOW_PLAINTEXT_EXPORT_FLAG, plan.NCRYPT_ALLOW_PKCS11_RSA_AES_EXPORT_FLAG
	const archive, plainArchive = plan.NCRYPT_ALLOW_ARCHIVING_FLAG, plan.NCRYPT_ALLOW_PLAINTEXT_ARCHIVING_FLAG
	for _, test := range []struct {
		policy                 uint32
		extractable, sensitive bool
		back, archiving        uint32
		wrapBy                 ck.MechanismType
	}{
		{0, false, true, 0, 0, 0},
		{export, true, true, export, 0, 0},
		{plaintext, true, false, export | plaintext, 0, 0},
		{export | plaintext, true, false, export | plaintext, 0, 0},
		{rsaAES, true, true, rsaAES, 0, ck.CKM_RSA_AES_KEY_WRAP},
		{rsaAES | export, true, true, export, 0, 0},
		{rsaAES | plaintext, true, false, export | plaintext, 0, 0},
		{archive, false, true, 0, archive, 0},
		{plainArchive, false, true, 0, plainArchive, 0},
		{archive | plainArchive, false, true, 0, archive | plainArchive, 0},
		{archive | rsaAES, true, true, rsaAES, archive, ck.CKM_RSA_AES_KEY_WRAP},
		{archive | plainArchive | export, true, true, export, plainArchive, 0},
		{archive | plainArchive | export | plaintext, true, false, export | plaintext, 0, 0},
	} {
		attributes := plan.ExportAttributes(test.policy)
		set := setOf(ck.CKO_PRIVATE_KEY, ck.CKK_RSA, append(attributes, ulong(ck.CKA_NCRYPT_EXPORT_POLICY, test.policy)))
		if set.Bool(ck.CKA_EXTRACTABLE) != test.extractable || set.Bool(ck.CKA_SENSITIVE) != test.sensitive {
			t.Errorf("policy %#x: %v", test.policy, attributes)
		}
		if archiving := plan.Archiving(set); archiving != test.archiving {
			t.Errorf("policy %#x lets a key leave once by %#x", test.policy, archiving)
		}
		for range 2 { // what was noted is noted the same again
			if back, by := plan.ExportPolicy(set), plan.WrapBy(set); back != test.back || by != test.wrapBy {
				t.Errorf("policy %#x is read back as %#x, by %v", test.policy, back, by)
			}
			plan.Note(set)
		}
	}
	narrowed := setOf(ck.CKO_PRIVATE_KEY, ck.CKK_RSA, attr.Template{ulong(ck.CKA_NCRYPT_EXPORT_POLICY, rsaAES)})
	if plan.ExportPolicy(narrowed) != 0 || plan.WrapBy(narrowed) != 0 {
		t.Error("a key that is not extractable any more may leave")
	}
}

// Each usage, there and back: the attributes that it turns on, and which usage they are read as.
func TestUsagesThereAndBack(t *testing.T) {
	const decrypt, sign, agree = plan.NCRYPT_ALLOW_DECRYPT_FLAG, plan.NCRYPT_ALLOW_SIGNING_FLAG, plan.NCRYPT_ALLOW_KEY_AGREEMENT_FLAG
	const imports, ephemeral = plan.NCRYPT_ALLOW_KEY_IMPORT_FLAG, plan.NCRYPT_ALLOW_KEY_IMPORT_EPHEMERAL_FLAG
	for _, test := range []struct {
		class   ck.ObjectClass
		keyType ck.KeyType
		usage   uint32
		on      on
		back    uint32
	}{
		{ck.CKO_PRIVATE_KEY, ck.CKK_RSA, 0, nil, 0},
		{ck.CKO_PRIVATE_KEY, ck.CKK_RSA, decrypt, on{ck.CKA_DECRYPT}, decrypt},
		{ck.CKO_PRIVATE_KEY, ck.CKK_RSA, sign, on{ck.CKA_SIGN, ck.CKA_SIGN_RECOVER}, sign},
		{ck.CKO_PRIVATE_KEY, ck.CKK_RSA, imports, on{ck.CKA_UNWRAP}, imports},
		{ck.CKO_PRIVATE_KEY, ck.CKK_RSA, ephemeral, on{ck.CKA_UNWRAP}, ephemeral},
		{ck.CKO_PRIVATE_KEY, ck.CKK_RSA, imports | ephemeral, on{ck.CKA_UNWRAP}, imports},
		{ck.CKO_PRIVATE_KEY, ck.CKK_RSA, plan.NCRYPT_ALLOW_KEY_ATTESTATION_FLAG, nil, 0},
		{ck.CKO_PRIVATE_KEY, ck.CKK_RSA, decrypt | sign | imports, on{ck.CKA_DECRYPT, ck.CKA_SIGN, ck.CKA_SIGN_RECOVER, ck.CKA_UNWRAP}, plan.NCRYPT_ALLOW_ALL_USAGES},
		{ck.CKO_PRIVATE_KEY, ck.CKK_EC, sign, on{ck.CKA_SIGN}, sign},
		{ck.CKO_PRIVATE_KEY, ck.CKK_EC, agree, on{ck.CKA_DERIVE}, agree},
		{ck.CKO_PRIVATE_KEY, ck.CKK_ML_KEM, agree, on{ck.CKA_DERIVE, ck.CKA_DECAPSULATE}, plan.NCRYPT_ALLOW_ALL_USAGES},
		{ck.CKO_PUBLIC_KEY, ck.CKK_RSA, decrypt, on{ck.CKA_ENCRYPT}, 0},
		{ck.CKO_PUBLIC_KEY, ck.CKK_RSA, sign, on{ck.CKA_VERIFY, ck.CKA_VERIFY_RECOVER}, 0},
		{ck.CKO_PUBLIC_KEY, ck.CKK_RSA, ephemeral, on{ck.CKA_WRAP}, 0},
		{ck.CKO_PUBLIC_KEY, ck.CKK_ML_KEM, agree, on{ck.CKA_ENCAPSULATE}, 0},
		{ck.CKO_SECRET_KEY, ck.CKK_AES, decrypt, on{ck.CKA_ENCRYPT, ck.CKA_DECRYPT}, decrypt},
		{ck.CKO_SECRET_KEY, ck.CKK_AES, sign, on{ck.CKA_SIGN, ck.CKA_VERIFY}, sign},
		{ck.CKO_SECRET_KEY, ck.CKK_AES, imports, on{ck.CKA_WRAP, ck.CKA_UNWRAP}, imports},
		{ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET, agree, on{ck.CKA_DERIVE}, agree},
	} {
		set := setOf(test.class, test.keyType, plan.UsageAttributes(test.class, test.keyType, test.usage))
		want := map[ck.AttributeType]bool{}
		for _, typ := range test.on {
			want[typ] = true
		}
		for typ := range set.All() {
			if typ != ck.CKA_CLASS && typ != ck.CKA_KEY_TYPE && typ != ck.CKA_UNWRAP_TEMPLATE && set.Bool(typ) != want[typ] {
				t.Errorf("class %d, type %v, usage %#x: %v is %v", test.class, test.keyType, test.usage, typ, set.Bool(typ))
			}
			delete(want, typ)
		}
		if len(want) != 0 {
			t.Errorf("class %d, type %v, usage %#x says nothing of %v", test.class, test.keyType, test.usage, want)
		}
		if test.class != ck.CKO_PUBLIC_KEY && plan.KeyUsage(set) != test.back {
			t.Errorf("class %d, type %v, usage %#x is read back as %#x", test.class, test.keyType, test.usage, plan.KeyUsage(set))
		}
	}
}
