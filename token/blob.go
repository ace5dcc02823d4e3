package token

import (
	"slices"
	"strings"

	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// withBlob puts what is in a template's CKA_NCRYPT_BLOB in its place: the key's numbers, its class and type, and what the blob says of its use and its name. Only
// blobs that are not encrypted can be there; others are for C_UnwrapKey. done wipes the numbers, and is called whatever happened. Errors: CKR_TEMPLATE_INCOMPLETE,
// CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCONSISTENT.
func withBlob(t attr.Template) (out attr.Template, done func(), err error) {
	done = func() {}
	data, hasBlob := t.Find(ck.CKA_NCRYPT_BLOB)
	name, hasType := t.Find(ck.CKA_NCRYPT_BLOB_TYPE)
	switch {
	case hasBlob != hasType:
		return nil, done, ck.Errorf(ck.CKR_TEMPLATE_INCOMPLETE, "CKA_NCRYPT_BLOB and CKA_NCRYPT_BLOB_TYPE come together")
	case !hasBlob:
		return withoutValidation(t)
	}
	k, err := blob.Read(string(name), data, optionsOf(t))
	if err != nil {
		return nil, done, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "CKA_NCRYPT_BLOB: %w", err)
	}
	rest := slices.DeleteFunc(slices.Clone(t), func(a attr.Attribute) bool { return a.Type == ck.CKA_NCRYPT_BLOB || a.Type == ck.CKA_NCRYPT_BLOB_TYPE })
	if unvalidated(rest) {
		k.Recompute()
	}
	if rest, err = agreeing(rest, k); err != nil {
		k.Close()
		return nil, done, err
	}
	return append(rest, k.Parts()...), k.Close, nil
}

// optionsOf are what a template tells of a blob that does not tell it: that a secret key is of no cipher.
func optionsOf(t attr.Template) *blob.Options {
	if keyType, ok := plan.Given[ck.KeyType](t, ck.CKA_KEY_TYPE); ok && keyType == ck.CKK_GENERIC_SECRET {
		return &blob.Options{Algorithm: "HMAC"}
	}
	return nil
}

// usageOf is what a blob says that its key is for; nil: nothing. Keys of CNG's ECDSA sign, and agree on nothing.
func usageOf(k *blob.Key) *uint32 {
	if !strings.HasPrefix(k.Algorithm, "ECDSA") {
		return k.Usage
	}
	usage := plan.NCRYPT_ALLOW_SIGNING_FLAG
	if k.Usage != nil {
		usage &= *k.Usage
	}
	return &usage
}

// agreeing adds to a template what a blob says of its key beside its numbers. The template may leave it out, but not say otherwise: of the usage it may leave
// less.
func agreeing(t attr.Template, k *blob.Key) (attr.Template, error) {
	for typ, want := range map[ck.AttributeType]uint{ck.CKA_CLASS: uint(k.Class), ck.CKA_KEY_TYPE: uint(k.KeyType)} {
		given, said := t.Find(typ)
		if !said {
			t = append(t, attr.Attribute{Type: typ, Value: attr.ULong(want)})
			continue
		}
		if number, err := attr.ParseULong(given); err != nil || number != want {
			return nil, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "%v of the key in CKA_NCRYPT_BLOB is %#x, the template says otherwise", typ, want)
		}
	}
	if k.Class == ck.CKO_PUBLIC_KEY {
		return t, nil
	}
	t, err := agreeingUsage(t, k.Class, k.KeyType, usageOf(k))
	if onToken, _ := t.Find(ck.CKA_TOKEN); err == nil && k.Name != "" && slices.Equal(onToken, attr.Bool(true)) {
		if _, said := t.Find(ck.CKA_NCRYPT_KEY_NAME); !said {
			t = append(t, attr.Attribute{Type: ck.CKA_NCRYPT_KEY_NAME, Value: []byte(k.Name)})
		}
	}
	return t, err
}

// agreeingUsage adds to a template what a key that comes in may do; nil: everything. The template may leave out less or all of it, and not say more.
func agreeingUsage(t attr.Template, class ck.ObjectClass, keyType ck.KeyType, usage *uint32) (attr.Template, error) {
	if usage == nil || *usage == plan.NCRYPT_ALLOW_ALL_USAGES {
		return t, nil
	}
	if asked, said := t.Find(ck.CKA_NCRYPT_KEY_USAGE); said {
		if number, err := attr.ParseULong(asked); err != nil || number&^uint(*usage) != 0 {
			return nil, moreUsage(ck.CKA_NCRYPT_KEY_USAGE, *usage)
		}
		return t, nil
	}
	for _, a := range plan.UsageAttributes(class, keyType, *usage) {
		asked, said := t.Find(a.Type)
		switch {
		case !said:
			t = append(t[:len(t):len(t)], a)
		case slices.Equal(asked, a.Value), a.Type != ck.CKA_UNWRAP_TEMPLATE && slices.Equal(asked, attr.Bool(false)):
		default:
			return nil, moreUsage(a.Type, *usage)
		}
	}
	return t, nil
}

func moreUsage(by ck.AttributeType, usage uint32) error {
	return ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "the key comes in for usage %#x and no more, and %v says otherwise", usage, by)
}

// unvalidated says whether a template has CKA_NCRYPT_NO_VALIDATE TRUE: a private key's public half is computed, and what the template says of it does not count.
func unvalidated(t attr.Template) bool {
	value, _ := t.Find(ck.CKA_NCRYPT_NO_VALIDATE)
	return slices.Equal(value, attr.Bool(true))
}

// withoutValidation takes out of a private key's template what is computed anyway, where it says that it is not to be compared.
func withoutValidation(t attr.Template) (attr.Template, func(), error) {
	class, _ := plan.Given[ck.ObjectClass](t, ck.CKA_CLASS)
	keyType, _ := plan.Given[ck.KeyType](t, ck.CKA_KEY_TYPE)
	if !unvalidated(t) || class != ck.CKO_PRIVATE_KEY {
		return t, func() {}, nil
	}
	k := &blob.Key{Class: class, KeyType: keyType}
	var rest attr.Template
	for _, a := range t {
		switch {
		case a.Type == ck.CKA_PUBLIC_KEY_INFO:
		case numbers[a.Type]:
			k.PutSecret(a.Type, a.Value)
		default:
			rest = append(rest, a)
		}
	}
	k.Recompute()
	return append(rest, k.Parts()...), k.Close, nil
}

// numbers are the attributes that private keys consist of.
var numbers = map[ck.AttributeType]bool{
	ck.CKA_MODULUS: true, ck.CKA_PUBLIC_EXPONENT: true, ck.CKA_PRIVATE_EXPONENT: true, ck.CKA_PRIME_1: true, ck.CKA_PRIME_2: true,
	ck.CKA_EXPONENT_1: true, ck.CKA_EXPONENT_2: true, ck.CKA_COEFFICIENT: true, ck.CKA_EC_PARAMS: true, ck.CKA_EC_POINT: true, ck.CKA_VALUE: true,
}
