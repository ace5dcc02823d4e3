package ncryptmap

import (
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Custom properties are the caller's own. Those of a key that is kept are kept beside it (token.Property), and go with it: another key that takes the name over
// has none of them.

// customTemplate finds a custom property of the key.
func (k *key) customTemplate(name string) (attr.Template, error) {
	set, err := attributes(k.session, k.object, ck.CKA_UNIQUE_ID)
	if err != nil {
		return nil, err
	}
	instance, _ := set.Get(ck.CKA_UNIQUE_ID)
	return append(token.PropertiesOf(instance), attr.Attribute{Type: ck.CKA_LABEL, Value: []byte(name)}), nil
}

// customValue gives a custom property. Error: NTE_NOT_FOUND.
func (k *key) customValue(name string) ([]byte, error) {
	if value, ok := k.custom[name]; ok {
		return value, nil
	}
	if !k.final || !k.persistent() {
		return nil, notFound(name)
	}
	t, err := k.customTemplate(name)
	if err != nil {
		return nil, err
	}
	found, err := find(k.session, t...)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, notFound(name)
	}
	set, err := attributes(k.session, found[0], ck.CKA_VALUE)
	if err != nil {
		return nil, err
	}
	value, _ := set.Get(ck.CKA_VALUE)
	if value == nil {
		value = []byte{}
	}
	return value, nil
}

// setCustom sets a custom property: at once where the key is kept, else when it becomes final.
func (k *key) setCustom(name string, value []byte) error {
	if k.final && k.persistent() {
		return k.store(name, value)
	}
	k.custom[name] = append([]byte{}, value...)
	return nil
}

// store writes a custom property of a key that is kept: over the one that there is, or a new one.
func (k *key) store(name string, value []byte) error {
	set, err := attributes(k.session, k.object, ck.CKA_UNIQUE_ID)
	if err != nil {
		return err
	}
	instance, _ := set.Get(ck.CKA_UNIQUE_ID)
	found, err := find(k.session, append(token.PropertiesOf(instance), attr.Attribute{Type: ck.CKA_LABEL, Value: []byte(name)})...)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return k.session.SetAttributes(found[0], attr.Template{{Type: ck.CKA_VALUE, Value: value}})
	}
	_, err = k.session.CreateObject((&token.Property{Name: name, Value: value}).Template(instance))
	return err
}

// customs are the custom properties that were set before the key is final.
func (k *key) customs() []token.Property {
	var all []token.Property
	for name, value := range k.custom {
		all = append(all, token.Property{Name: name, Value: value})
	}
	return all
}
