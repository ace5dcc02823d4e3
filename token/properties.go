package token

import (
	"slices"
	"strings"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Property is a value that a program keeps with a stored key, under a name of its own (custom properties of NCrypt). It is a data object that shows no secret,
// whose CKA_APPLICATION says by the key's CKA_UNIQUE_ID which key it belongs to, and which comes and goes with that.
type Property struct {
	Name  string
	Value []byte
}

// propertyOf begins the CKA_APPLICATION of properties.
const propertyOf = "ncrypt11 property of "

// PropertiesOf finds the properties of the key with a CKA_UNIQUE_ID.
func PropertiesOf(uniqueID []byte) attr.Template {
	return attr.Template{
		{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_DATA))}, {Type: ck.CKA_APPLICATION, Value: append([]byte(propertyOf), uniqueID...)},
		{Type: ck.CKA_TOKEN, Value: attr.Bool(true)},
	}
}

func propertiesOf(key *attr.Set) attr.Template {
	id, _ := key.Get(ck.CKA_UNIQUE_ID)
	return PropertiesOf(id)
}

// Template is what makes a property of the key with a CKA_UNIQUE_ID.
func (p *Property) Template(uniqueID []byte) attr.Template {
	return append(PropertiesOf(uniqueID), attr.Attribute{Type: ck.CKA_LABEL, Value: []byte(p.Name)}, attr.Attribute{Type: ck.CKA_VALUE, Value: p.Value},
		attr.Attribute{Type: ck.CKA_PRIVATE, Value: attr.Bool(false)})
}

// KeepProperties has the session store these properties with every private or secret key that it stores, in the same durable step.
func (s *Session) KeepProperties(properties []Property) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	s.with = slices.Clone(properties)
	return nil
}

// withProperties adds to drafts the properties that are to be stored with the keys among them. The session's lock is held.
func (s *Session) withProperties(drafts []*draft) ([]*draft, error) {
	all := slices.Clone(drafts)
	for _, d := range drafts {
		if class := classOf(d.set); !d.isToken() || class != ck.CKO_PRIVATE_KEY && class != ck.CKO_SECRET_KEY {
			continue
		}
		id, _ := d.set.Get(ck.CKA_UNIQUE_ID)
		for i := range s.with {
			built, err := s.build(attr.Create, s.with[i].Template(id))
			if err != nil {
				return nil, err
			}
			property := draftOf(built)
			if _, _, err := s.admit(property); err != nil {
				return nil, err
			}
			all = append(all, property)
		}
	}
	return all, nil
}

// belongs refuses a property of a key that there is not, or not any more. The token's lock is held.
func (t *Token) belongs(d *draft, drafts []*draft) error {
	application, _ := d.set.Get(ck.CKA_APPLICATION)
	id, isProperty := strings.CutPrefix(string(application), propertyOf)
	if !isProperty || classOf(d.set) != ck.CKO_DATA {
		return nil
	}
	for _, other := range drafts {
		if unique, _ := other.set.Get(ck.CKA_UNIQUE_ID); string(unique) == id {
			return nil
		}
	}
	if err := t.sync(); err != nil {
		return err
	}
	keys, err := t.having(attr.Template{{Type: ck.CKA_UNIQUE_ID, Value: []byte(id)}})
	if err == nil && len(keys) == 0 {
		return ck.Errorf(ck.CKR_OBJECT_HANDLE_INVALID, "the key of the property was destroyed")
	}
	return err
}
