package token

import (
	"slices"
	"strings"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// A property (Property) is a data object, and what NCrypt calls its name and its value are its label and its CKA_VALUE. Programs that look for properties and not for
// labels name them by CKA_NCRYPT_PROP_NAME and CKA_NCRYPT_PROP_VALUE, which only properties have.

// propertyAttributes are these names, with what they stand for.
var propertyAttributes = map[ck.AttributeType]ck.AttributeType{
	ck.CKA_NCRYPT_PROP_NAME:  ck.CKA_LABEL,
	ck.CKA_NCRYPT_PROP_VALUE: ck.CKA_VALUE,
}

// isProperty knows the attributes of a property.
func isProperty(set *attr.Set) bool {
	application, _ := set.Get(ck.CKA_APPLICATION)
	return classOf(set) == ck.CKO_DATA && strings.HasPrefix(string(application), propertyOf)
}

// standsFor is the attribute that an object has under another name, or the same one.
func standsFor(set *attr.Set, typ ck.AttributeType) ck.AttributeType {
	if stored, ok := propertyAttributes[typ]; ok && isProperty(set) {
		return stored
	}
	return typ
}

// namesProperty says whether a template has one of these names.
func namesProperty(t attr.Template) bool {
	return slices.ContainsFunc(t, func(a attr.Attribute) bool { return propertyAttributes[a.Type] != 0 })
}

// asStored gives a template with the attributes that these names stand for.
func asStored(t attr.Template) attr.Template {
	if !namesProperty(t) {
		return t
	}
	out := slices.Clone(t)
	for i := range out {
		if stored, ok := propertyAttributes[out[i].Type]; ok {
			out[i].Type = stored
		}
	}
	return out
}

// newProperty is asStored for C_CreateObject. Error: CKR_TEMPLATE_INCONSISTENT where the object would be none.
func newProperty(t attr.Template) (attr.Template, error) {
	if !namesProperty(t) {
		return t, nil
	}
	if application, _ := t.Find(ck.CKA_APPLICATION); !strings.HasPrefix(string(application), propertyOf) {
		return nil, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "a property says whose it is: CKA_APPLICATION %q and the key's CKA_UNIQUE_ID", propertyOf)
	}
	return asStored(t), nil
}
