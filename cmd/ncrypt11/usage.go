package main

import (
	"slices"
	"strings"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// usage is something that a key may be for. A private key has one attribute of it, its public half the other, a secret key both.
type usage struct {
	name            string
	private, public ck.AttributeType
	asymmetric      bool // secret keys have no such attributes
}

var usages = []usage{
	{"sign", ck.CKA_SIGN, ck.CKA_VERIFY, false},
	{"sign-recover", ck.CKA_SIGN_RECOVER, ck.CKA_VERIFY_RECOVER, true},
	{"decrypt", ck.CKA_DECRYPT, ck.CKA_ENCRYPT, false},
	{"unwrap", ck.CKA_UNWRAP, ck.CKA_WRAP, false},
	{"derive", ck.CKA_DERIVE, ck.CKA_DERIVE, false},
	{"decapsulate", ck.CKA_DECAPSULATE, ck.CKA_ENCAPSULATE, true},
}

func allUsages() []string {
	names := make([]string, len(usages))
	for i, u := range usages {
		names[i] = u.name
	}
	return names
}

// attributes are those of the usage that an object of the class has.
func (u *usage) attributes(class ck.ObjectClass) []ck.AttributeType {
	switch {
	case class == ck.CKO_PRIVATE_KEY:
		return []ck.AttributeType{u.private}
	case class == ck.CKO_PUBLIC_KEY:
		return []ck.AttributeType{u.public}
	case class == ck.CKO_SECRET_KEY && !u.asymmetric && u.private == u.public:
		return []ck.AttributeType{u.private}
	case class == ck.CKO_SECRET_KEY && !u.asymmetric:
		return []ck.AttributeType{u.private, u.public}
	}
	return nil
}

// checkUsages refuses names that are none.
func checkUsages(names []string) error {
	for _, name := range names {
		if !slices.Contains(allUsages(), name) {
			return usagef("unknown usage %q; there is: %s", name, strings.Join(allUsages(), ", "))
		}
	}
	return nil
}

// withUsages adds to a template that the key is for what is named and for nothing else. Without names, the token decides by the kind of key.
func withUsages(t attr.Template, class ck.ObjectClass, names []string) attr.Template {
	if len(names) == 0 {
		return t
	}
	for _, u := range usages {
		for _, typ := range u.attributes(class) {
			t = append(t, attr.Attribute{Type: typ, Value: attr.Bool(slices.Contains(names, u.name))})
		}
	}
	return t
}

// usageNames says what an object of the class is for.
func usageNames(class ck.ObjectClass, set *attr.Set) []string {
	var names []string
	for _, u := range usages {
		if slices.ContainsFunc(u.attributes(class), set.Bool) {
			names = append(names, u.name)
		}
	}
	return names
}
