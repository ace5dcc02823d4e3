package ncryptmap

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// idOf is the CKA_ID that a named key's objects share.
func idOf(name string) []byte {
	unique, err := hex.DecodeString(plan.UniqueName(name))
	if err != nil || len(unique) != sha256.Size {
		return nil // it is a hash in hexadecimal: this cannot be
	}
	return unique[:20]
}

func boolean(typ ck.AttributeType, value bool) attr.Attribute {
	return attr.Attribute{Type: typ, Value: attr.Bool(value)}
}

// naming are the attributes by which programs that speak PKCS #11 find the key's objects.
func (k *key) naming() attr.Template {
	t := attr.Template{boolean(ck.CKA_TOKEN, k.persistent())}
	if k.name != "" {
		t = append(t, attr.Attribute{Type: ck.CKA_LABEL, Value: []byte(k.name)}, attr.Attribute{Type: ck.CKA_ID, Value: idOf(k.name)})
	}
	return t
}

// claim are the attributes that a key which is kept takes its name by.
func (k *key) claim() attr.Template {
	return attr.Template{{Type: ck.CKA_NCRYPT_KEY_NAME, Value: []byte(k.name)}, boolean(ck.CKA_NCRYPT_OVERWRITE, k.flags&NCRYPT_OVERWRITE_KEY_FLAG != 0)}
}

// template is what the key is to be, for the object that has the secret.
func (k *key) template() attr.Template {
	export := k.export
	if k.readable() {
		export = plan.NCRYPT_ALLOW_EXPORT_FLAG | plan.NCRYPT_ALLOW_PLAINTEXT_EXPORT_FLAG
	}
	t := append(k.naming(), plan.ExportAttributes(export)...)
	t = append(t, plan.UsageAttributes(k.class, k.algorithm.keyType, k.usage&k.algorithm.usages)...)
	if k.persistent() {
		t = append(t, k.claim()...)
	}
	if k.isolation != plan.None {
		t = append(t, attr.Attribute{Type: ck.CKA_NCRYPT_PROTECTION, Value: attr.ULong(uint(k.isolation))})
	}
	if k.flags&NCRYPT_USE_PER_BOOT_KEY_FLAG != 0 {
		t = append(t, boolean(ck.CKA_NCRYPT_PER_BOOT, true))
	}
	return t
}

// publicTemplate is for the object of the public half.
func (k *key) publicTemplate() attr.Template {
	return append(k.naming(), plan.UsageAttributes(ck.CKO_PUBLIC_KEY, k.algorithm.keyType, k.usage&k.algorithm.usages)...)
}

// passingPublicTemplate is for the object of the public half beside passingTemplate's.
func (k *key) passingPublicTemplate() attr.Template {
	return append(attr.Template{boolean(ck.CKA_TOKEN, false)}, plan.UsageAttributes(ck.CKO_PUBLIC_KEY, k.algorithm.keyType, k.usage&k.algorithm.usages)...)
}

// passingTemplate is for the object of a key that may leave once, before there is the one that is kept.
func (k *key) passingTemplate() attr.Template {
	t := attr.Template{boolean(ck.CKA_TOKEN, false), boolean(ck.CKA_EXTRACTABLE, true), boolean(ck.CKA_SENSITIVE, false)}
	return append(t, plan.UsageAttributes(k.class, k.algorithm.keyType, k.usage&k.algorithm.usages)...)
}
