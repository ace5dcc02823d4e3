package attr

import (
	"cmp"
	"slices"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Kind is the type of an attribute's value.
type Kind byte

// The kinds of value.
const (
	KindBool       Kind = iota + 1 // CK_BBOOL
	KindULong                      // CK_ULONG and the types made of it
	KindBytes                      // byte array
	KindBigInt                     // big integer, most significant byte first
	KindDate                       // CK_DATE, or empty
	KindString                     // RFC 2279 string
	KindAttributes                 // array of CK_ATTRIBUTE, as EncodeNested gives it
	KindMechanisms                 // array of CK_MECHANISM_TYPE
)

// flag is a rule of one attribute. The first thirteen are the footnotes that PKCS #11 v3.2, section 4.2 puts beside each attribute.
type flag uint32

const (
	requiredOnCreate   flag = 1 << iota // 1: must be in the template of C_CreateObject
	notOnCreate                         // 2: must not be there
	requiredOnGenerate                  // 3: must be in the template of C_GenerateKey(Pair)
	notOnGenerate                       // 4: must not be there
	requiredOnUnwrap                    // 5: must be in the template of C_UnwrapKey
	notOnUnwrap                         // 6: must not be there
	sensitive                           // 7: not revealed while CKA_SENSITIVE is TRUE or CKA_EXTRACTABLE is FALSE
	modifiable                          // 8: may be changed by C_SetAttributeValue and C_CopyObject
	tokenDefault                        // 9: the default is the token's choice (DEFAULTS.md)
	onlySO                              // 10: only the SO may set it TRUE
	oneWayTrue                          // 11: TRUE is for ever
	oneWayFalse                         // 12: FALSE is for ever
	pairOnly                            // 13: made by C_GenerateKeyPair

	changeOnCopy    // C_CopyObject may give another value
	transient       // an instruction to the call, not stored
	secretIfPrivate // the guard has it while CKA_PRIVATE is TRUE, not the set: CKA_VALUE of data objects
	untilFinal      // may be given another value while a key that is made in steps is not final (CKA_NCRYPT_DO_NOT_FINALIZE)
)

// readOnly is for what only the token itself says of an object.
const readOnly = notOnCreate | notOnGenerate | notOnUnwrap

// rule is what is fixed about one attribute of a kind of object.
type rule struct {
	typ   ck.AttributeType
	kind  Kind
	flags flag
	// byDefault gives the value where the template has none; nil: the object then lacks the attribute.
	byDefault defaultValue
}

func (r *rule) is(f flag) bool { return r.flags&f != 0 }

// schema is the rules of one kind of object: a class, and with keys and certificates a type.
type schema struct {
	class   ck.ObjectClass
	subtype uint               // CKA_KEY_TYPE or CKA_CERTIFICATE_TYPE
	rules   []rule             // ascending by type
	able    []ck.AttributeType // keys: the usages that the key type is capable of, TRUE by default
}

type schemaKey struct {
	class   ck.ObjectClass
	subtype uint
}

var (
	schemas = assemble()
	kinds   = knownKinds()
	// secretSomewhere has the attributes that hold secrets in some kind of object.
	secretSomewhere = secretTypes()
)

func assemble() map[schemaKey]*schema {
	all := make(map[schemaKey]*schema)
	for _, group := range [][]schema{dataSchemas, certificateSchemas, rsaSchemas, ecSchemas, kemSchemas, mldsaSchemas, secretSchemas, profileSchemas} {
		for _, s := range group {
			slices.SortFunc(s.rules, func(a, b rule) int { return cmp.Compare(a.typ, b.typ) })
			all[schemaKey{s.class, s.subtype}] = &s
		}
	}
	return all
}

func knownKinds() map[ck.AttributeType]Kind {
	known := make(map[ck.AttributeType]Kind)
	for _, s := range schemas {
		for _, r := range s.rules {
			known[r.typ] = r.kind
		}
	}
	return known
}

func secretTypes() map[ck.AttributeType]bool {
	secrets := make(map[ck.AttributeType]bool)
	for _, s := range schemas {
		for _, r := range s.rules {
			if r.is(sensitive) {
				secrets[r.typ] = true
			}
		}
	}
	return secrets
}

// KindOf gives the kind of an attribute's value, and whether the attribute is one that some object may have.
func KindOf(typ ck.AttributeType) (Kind, bool) {
	kind, ok := kinds[typ]
	return kind, ok
}

func (s *schema) find(typ ck.AttributeType) *rule {
	i, ok := slices.BinarySearchFunc(s.rules, typ, func(r rule, t ck.AttributeType) int { return cmp.Compare(r.typ, t) })
	if !ok {
		return nil
	}
	return &s.rules[i]
}

// subtypeOf is the attribute that tells the kinds of objects in a class apart, if the class has one.
func subtypeOf(class ck.ObjectClass) (ck.AttributeType, bool) {
	switch class {
	case ck.CKO_PUBLIC_KEY, ck.CKO_PRIVATE_KEY, ck.CKO_SECRET_KEY:
		return ck.CKA_KEY_TYPE, true
	case ck.CKO_CERTIFICATE:
		return ck.CKA_CERTIFICATE_TYPE, true
	}
	return 0, false
}

// Able says whether an object's key type is capable of a use, and keys of it have the attribute TRUE where their template does not say.
func Able(s *Set, usage ck.AttributeType) bool {
	sch, err := schemaOf(s)
	return err == nil && slices.Contains(sch.able, usage)
}

// schemaOf finds the rules for an object that exists. Every set that Build made has some.
func schemaOf(s *Set) (*schema, error) {
	class, _ := s.ULong(ck.CKA_CLASS)
	key := schemaKey{class: ck.ObjectClass(class)}
	if typ, ok := subtypeOf(key.class); ok {
		key.subtype, _ = s.ULong(typ)
	}
	found, ok := schemas[key]
	if !ok {
		return nil, ck.Errorf(ck.CKR_GENERAL_ERROR, "an object of class %#x and type %#x has no rules", class, key.subtype)
	}
	return found, nil
}
