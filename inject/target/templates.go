package target

import (
	"encoding/hex"

	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
)

func flag(typ ck.AttributeType, v bool) attr.Attribute {
	return attr.Attribute{Type: typ, Value: attr.Bool(v)}
}

func number(typ ck.AttributeType, v uint) attr.Attribute {
	return attr.Attribute{Type: typ, Value: attr.ULong(v)}
}

func text(typ ck.AttributeType, v string) attr.Attribute {
	return attr.Attribute{Type: typ, Value: []byte(v)}
}

// uses says of every use of a class whether a key has it: what is left out would be as the token likes it.
func uses(class ck.ObjectClass, usage guard.Usage) attr.Template {
	var t attr.Template
	for _, use := range inject.Uses(class) {
		t = append(t, flag(use.Own, usage&use.Usage != 0))
	}
	return t
}

// confined is a key that can do one thing, by one mechanism, and never leaves the guard; nor does what comes out of it.
func confined(class ck.ObjectClass, usage guard.Usage, by ck.MechanismType) attr.Template {
	return append(uses(class, usage),
		flag(ck.CKA_PRIVATE, true), flag(ck.CKA_SENSITIVE, true), flag(ck.CKA_EXTRACTABLE, false), flag(ck.CKA_NCRYPT_CONFINING, true),
		number(ck.CKA_ALLOWED_MECHANISMS, uint(by)))
}

// passing is a key of 32 bytes that is there while a package is opened.
func passing(keyType ck.KeyType, usage guard.Usage, by ck.MechanismType) attr.Template {
	return append(confined(ck.CKO_SECRET_KEY, usage, by),
		number(ck.CKA_CLASS, uint(ck.CKO_SECRET_KEY)), number(ck.CKA_KEY_TYPE, uint(keyType)), flag(ck.CKA_TOKEN, false), number(ck.CKA_VALUE_LEN, 32))
}

// shared is a secret that a key is derived from; opening is a key that unwraps.
func shared() attr.Template {
	return passing(ck.CKK_GENERIC_SECRET, guard.UseDerive, ck.CKM_HKDF_DERIVE)
}
func opening() attr.Template { return passing(ck.CKK_AES, guard.UseUnwrap, ck.CKM_AES_GCM) }

// imported is a key of a package.
func imported(m *inject.Meta) attr.Template {
	t := append(uses(m.Class, m.Usage),
		number(ck.CKA_CLASS, uint(m.Class)), number(ck.CKA_KEY_TYPE, uint(m.KeyType)), flag(ck.CKA_TOKEN, true), flag(ck.CKA_PRIVATE, true),
		flag(ck.CKA_SENSITIVE, true), flag(ck.CKA_EXTRACTABLE, false), text(ck.CKA_LABEL, m.Label), attr.Attribute{Type: ck.CKA_ID, Value: m.ID})
	if len(m.Public) > 0 {
		t = append(t, attr.Attribute{Type: ck.CKA_PUBLIC_KEY_INFO, Value: m.Public}) // which the key must have
	}
	return t
}

// half is the public half of a key of a package; nil: there is none.
func half(m *inject.Meta) attr.Template {
	if m.Class != ck.CKO_PRIVATE_KEY {
		return nil
	}
	t := attr.Template{flag(ck.CKA_TOKEN, true), flag(ck.CKA_PRIVATE, false), text(ck.CKA_LABEL, m.Label), {Type: ck.CKA_ID, Value: m.ID}}
	for _, use := range inject.Uses(m.Class) {
		if use.Another != 0 {
			t = append(t, flag(use.Another, m.Usage&use.Usage != 0))
		}
	}
	return t
}

// noted finds all that is kept of targets or packages. Data that is not private anybody may have written who can write the token's files.
func noted(application string) attr.Template {
	return attr.Template{number(ck.CKA_CLASS, uint(ck.CKO_DATA)), flag(ck.CKA_PRIVATE, true), text(ck.CKA_APPLICATION, application)}
}

// kept finds what is kept of a target or a package.
func kept(application string, id [16]byte) attr.Template {
	return append(noted(application), text(ck.CKA_LABEL, hex.EncodeToString(id[:])))
}

// keeping is what is kept. It can be destroyed, and not be changed.
func keeping(application string, id [16]byte, value []byte) attr.Template {
	return append(kept(application, id),
		flag(ck.CKA_TOKEN, true), flag(ck.CKA_MODIFIABLE, false), attr.Attribute{Type: ck.CKA_VALUE, Value: value})
}
