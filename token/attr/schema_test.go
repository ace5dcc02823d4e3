package attr

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// TestSchemas checks the tables: sorted, without duplicates, each attribute of one kind everywhere, and no rule that cannot work.
func TestSchemas(t *testing.T) {
	if len(schemas) != 28 {
		t.Errorf("%d schemas", len(schemas))
	}
	for key, s := range schemas {
		for i, r := range s.rules {
			if i > 0 && s.rules[i-1].typ >= r.typ {
				t.Errorf("%v: attribute %#x is out of order", key, uint(r.typ))
			}
			if r.kind < KindBool || r.kind > KindMechanisms {
				t.Errorf("%v: attribute %#x has no kind", key, uint(r.typ))
			}
			if kind, _ := KindOf(r.typ); kind != r.kind {
				t.Errorf("attribute %#x has two kinds", uint(r.typ))
			}
			checkFlags(t, &r)
		}
		for _, typ := range s.able {
			if r := s.find(typ); r == nil || r.byDefault == nil {
				t.Errorf("%v: able to %#x, of which there is no row with a default", key, uint(typ))
			}
		}
		for _, typ := range []ck.AttributeType{ck.CKA_CLASS, ck.CKA_UNIQUE_ID, ck.CKA_TOKEN, ck.CKA_PRIVATE, ck.CKA_LABEL, ck.CKA_MODIFIABLE, ck.CKA_COPYABLE, ck.CKA_DESTROYABLE} {
			if s.find(typ) == nil {
				t.Errorf("%v lacks storage attribute %#x", key, uint(typ))
			}
		}
	}
}

func checkFlags(t *testing.T, r *rule) {
	for _, pair := range [][2]flag{
		{requiredOnCreate, notOnCreate}, {requiredOnGenerate, notOnGenerate}, {requiredOnUnwrap, notOnUnwrap},
		{oneWayTrue, oneWayFalse}, {sensitive, modifiable}, {readOnly, transient},
	} {
		if r.is(pair[0]) && r.is(pair[1]) && pair[0] != readOnly {
			t.Errorf("attribute %#x: flags %#x and %#x exclude each other", uint(r.typ), pair[0], pair[1])
		}
	}
	if r.is(oneWayTrue|oneWayFalse|onlySO) && r.kind != KindBool {
		t.Errorf("attribute %#x: only a CK_BBOOL goes one way", uint(r.typ))
	}
	if r.is(sensitive|transient) && r.byDefault != nil {
		t.Errorf("attribute %#x is never stored, and has a default", uint(r.typ))
	}
}

// TestDefaultsAreWellFormed runs each default for each origin and checks that the value is one that a template could give.
func TestDefaultsAreWellFormed(t *testing.T) {
	for key, s := range schemas {
		for origin := range originRules {
			m := &making{origin: origin, facts: &Facts{}, schema: s, set: &Set{}}
			m.fillDefaults()
			for typ, value := range m.set.All() {
				if _, err := s.find(typ).normalize(value); err != nil {
					t.Errorf("%v, origin %d: %v", key, origin, err)
				}
			}
		}
	}
}

func TestSetWithoutRules(t *testing.T) {
	s := &Set{}
	s.PutULong(ck.CKA_CLASS, 0x12345)
	if _, err := schemaOf(s); err == nil {
		t.Fatal("a set of an unknown class has rules")
	}
	if got := Readable(s, ck.CKA_VALUE); got != Missing {
		t.Fatalf("Readable = %v", got)
	}
}
