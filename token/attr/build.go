package attr

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Origin is how an object comes to be.
type Origin byte

// The origins. C_GenerateKeyPair builds twice, once for each template.
const (
	Create   Origin = iota + 1 // C_CreateObject
	Generate                   // C_GenerateKey, C_GenerateKeyPair
	Unwrap                     // C_UnwrapKey
	Derive                     // C_DeriveKey
)

// originRules says which flags of a row forbid an attribute in the template, and which demand it.
var originRules = map[Origin]struct{ forbidden, required flag }{
	Create:   {notOnCreate, requiredOnCreate},
	Generate: {notOnGenerate, requiredOnGenerate},
	Unwrap:   {notOnUnwrap, requiredOnUnwrap},
	Derive:   {notOnUnwrap, 0},
}

// Facts are what the rules need to know beside the template.
type Facts struct {
	Class     ck.ObjectClass   // what the call makes; 0: the template says (no call makes data objects only)
	KeyType   *ck.KeyType      // what the mechanism makes; nil: the template says
	Mechanism ck.MechanismType // Generate: the mechanism, for CKA_KEY_GEN_MECHANISM

	LoggedIn bool // the user is logged in
	SO       bool // the SO is logged in

	BaseAlwaysSensitive  bool // Derive: CKA_ALWAYS_SENSITIVE of the base key
	BaseNeverExtractable bool // Derive: CKA_NEVER_EXTRACTABLE of the base key

	NCryptDefaults bool // keys are sensitive and not extractable unless the template says otherwise
}

// New is an object that the rules allow.
type New struct {
	// Set is everything to be stored but CKA_UNIQUE_ID, which the token adds, and what only the key itself tells. The CKA_VALUE of a
	// private data object is still in it: the token takes it out and gives it to the guard.
	Set *Set
	// Secret is the key material that the guard is to import: it aliases the template.
	Secret Template
	// Asked is what the template asks of the call itself, and that is not stored.
	Asked Set
}

// making is an object while it is built.
type making struct {
	origin Origin
	facts  *Facts
	schema *schema
	seen   map[ck.AttributeType]bool
	set    *Set
	secret Template
	asked  Set
}

// Build makes an object's attributes of a template by the rules of its class (PKCS #11 v3.2, section 4.1). Errors, one for each rule:
// CKR_ATTRIBUTE_TYPE_INVALID for an attribute that no object has; CKR_TEMPLATE_INCONSISTENT for one of another kind of object, one given
// twice, or values that contradict each other, the call or the mechanism; CKR_ATTRIBUTE_READ_ONLY for one that this call or user may not
// give; CKR_ATTRIBUTE_VALUE_INVALID for a value's form or range; CKR_TEMPLATE_INCOMPLETE for one that is missing.
func Build(o Origin, t Template, f Facts) (*New, error) {
	if err := checkCount(t); err != nil {
		return nil, err
	}
	m := &making{origin: o, facts: &f, seen: make(map[ck.AttributeType]bool, len(t)), set: &Set{}}
	if err := m.choose(t); err != nil {
		return nil, err
	}
	for i := range t {
		if err := m.take(t[i]); err != nil {
			return nil, err
		}
	}
	for i := range m.schema.rules {
		if r := &m.schema.rules[i]; r.is(originRules[o].required) && !m.has(r.typ) {
			return nil, ck.Errorf(ck.CKR_TEMPLATE_INCOMPLETE, "%v is missing", r.typ)
		}
	}
	if m.schema.class == ck.CKO_CERTIFICATE {
		if err := m.certificate(); err != nil {
			return nil, err
		}
	}
	f.NCryptDefaults = f.NCryptDefaults || asksForIsolation(m.set)
	m.fillDefaults()
	if err := consistent(m.set); err != nil {
		return nil, err
	}
	return &New{Set: m.set, Secret: m.secret, Asked: m.asked}, nil
}

// checkCount refuses a template before anything is done that would take longer for a longer one.
func checkCount(t Template) error {
	if len(t) > MaxAttributes {
		return ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "a template of %d attributes", len(t))
	}
	return nil
}

// choose finds the object's schema, from the call, the mechanism and the template, which may repeat what these imply.
func (m *making) choose(t Template) error {
	class, err := agreed(t, ck.CKA_CLASS, m.impliedClass())
	if err != nil {
		return err
	}
	m.set.PutULong(ck.CKA_CLASS, class)
	key := schemaKey{class: ck.ObjectClass(class)}
	if typ, ok := subtypeOf(key.class); ok {
		if key.subtype, err = agreed(t, typ, m.impliedSubtype(typ, t)); err != nil {
			return err
		}
		m.set.PutULong(typ, key.subtype)
	}
	if m.schema = schemas[key]; m.schema == nil {
		return ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "no objects of class %#x and type %#x", class, key.subtype)
	}
	return nil
}

func (m *making) impliedClass() *uint {
	if m.facts.Class == 0 {
		return nil
	}
	return (*uint)(&m.facts.Class)
}

// impliedSubtype is the key type that the mechanism makes. A derivation makes generic secrets unless it is told otherwise.
func (m *making) impliedSubtype(typ ck.AttributeType, t Template) *uint {
	if typ != ck.CKA_KEY_TYPE {
		return nil
	}
	if _, given := t.Find(typ); !given && m.facts.KeyType == nil && m.origin == Derive {
		generic := uint(ck.CKK_GENERIC_SECRET)
		return &generic
	}
	return (*uint)(m.facts.KeyType)
}

// agreed is the value that the template gives for a type, or implied, or both if they are the same.
func agreed(t Template, typ ck.AttributeType, implied *uint) (uint, error) {
	value, ok := t.Find(typ)
	if !ok {
		if implied == nil {
			return 0, ck.Errorf(ck.CKR_TEMPLATE_INCOMPLETE, "%v is missing", typ)
		}
		return *implied, nil
	}
	given, err := ParseULong(value)
	if err != nil {
		return 0, err
	}
	if implied != nil && given != *implied {
		return 0, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "%v is %#x in the template, the call makes %#x", typ, given, *implied)
	}
	return given, nil
}

// take puts one attribute of the template where it belongs.
func (m *making) take(a Attribute) error {
	r, err := m.schema.lookup(a.Type)
	if err != nil {
		return err
	}
	if m.seen[a.Type] {
		return ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "%v is given twice", a.Type)
	}
	m.seen[a.Type] = true
	if r.is(originRules[m.origin].forbidden) {
		return ck.Errorf(ck.CKR_ATTRIBUTE_READ_ONLY, "%v cannot be given here", a.Type)
	}
	value, err := r.normalize(a.Value)
	if err != nil {
		return err
	}
	if r.is(onlySO) && value[0] == 1 && !m.facts.SO {
		return ck.Errorf(ck.CKR_ATTRIBUTE_READ_ONLY, "only the SO sets %v", a.Type)
	}
	switch {
	case r.is(transient):
		m.asked.Put(a.Type, value)
	case r.is(sensitive):
		m.secret = append(m.secret, Attribute{Type: a.Type, Value: value})
	default:
		m.set.Put(a.Type, value)
	}
	return nil
}

// lookup finds the rule for an attribute that a template names.
func (s *schema) lookup(typ ck.AttributeType) (*rule, error) {
	if r := s.find(typ); r != nil {
		return r, nil
	}
	if _, known := KindOf(typ); known {
		return nil, ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "%v is not one of this kind of object", typ)
	}
	return nil, ck.Errorf(ck.CKR_ATTRIBUTE_TYPE_INVALID, "unknown attribute %v", typ)
}

// asksForIsolation says whether the template requires a key to be isolated, so that other defaults than NCrypt's would make it contradict itself.
func asksForIsolation(set *Set) bool {
	const required = 2
	protection, _ := set.ULong(ck.CKA_NCRYPT_PROTECTION)
	return protection == required || set.Bool(ck.CKA_NCRYPT_PER_BOOT)
}

func (m *making) has(typ ck.AttributeType) bool {
	if m.seen[typ] {
		return true
	}
	_, ok := m.set.Get(typ)
	return ok
}

// fillDefaults gives a value to each attribute that has a default and none yet, ascending.
func (m *making) fillDefaults() {
	for i := range m.schema.rules {
		r := &m.schema.rules[i]
		if r.byDefault == nil || m.has(r.typ) {
			continue
		}
		if value := r.byDefault(m, r.typ); value != nil {
			m.set.Put(r.typ, value)
		}
	}
}
