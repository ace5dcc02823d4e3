package ncryptmap

import (
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Custom properties are the caller's own. Those of a key that is kept are kept beside it, as data objects that show no secret. They are bound to the key's
// CKA_UNIQUE_ID and not to its name: another key that takes the name over has none of them.

// customApplication marks the data objects that custom properties are kept in (CKA_APPLICATION).
const customApplication = "ncrypt11 property"

// customsOf finds the custom properties of a key.
func customsOf(instance []byte) attr.Template {
	return attr.Template{
		{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_DATA))}, {Type: ck.CKA_APPLICATION, Value: []byte(customApplication)},
		{Type: ck.CKA_OBJECT_ID, Value: instance}, boolean(ck.CKA_TOKEN, true),
	}
}

// customTemplate finds a custom property of the key.
func (k *key) customTemplate(name string) (attr.Template, error) {
	set, err := attributes(k.session, k.object, ck.CKA_UNIQUE_ID)
	if err != nil {
		return nil, err
	}
	instance, _ := set.Get(ck.CKA_UNIQUE_ID)
	return append(customsOf(instance), attr.Attribute{Type: ck.CKA_LABEL, Value: []byte(name)}), nil
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
	t, err := k.customTemplate(name)
	if err != nil {
		return err
	}
	found, err := find(k.session, t...)
	if err != nil {
		return err
	}
	content := attr.Attribute{Type: ck.CKA_VALUE, Value: value}
	if len(found) > 0 {
		return k.session.SetAttributes(found[0], attr.Template{content})
	}
	_, err = k.session.CreateObject(append(t, content, boolean(ck.CKA_PRIVATE, false)))
	return err
}

// keepCustom stores the properties that were set before the key was final.
func (k *key) keepCustom() error {
	if !k.persistent() {
		return nil
	}
	for name, value := range k.custom {
		if err := k.store(name, value); err != nil {
			return err
		}
	}
	clear(k.custom)
	return nil
}

// orphans are the custom properties of the keys of a name, which whoever takes the name over is to drop.
func orphans(s *token.Session, name string) ([]ck.ObjectHandle, error) {
	keys, err := bearers(s, name)
	if err != nil {
		return nil, err
	}
	var all []ck.ObjectHandle
	for _, object := range keys {
		set, err := attributes(s, object, ck.CKA_UNIQUE_ID)
		if err != nil {
			continue // deleted meanwhile, and its properties with it
		}
		instance, _ := set.Get(ck.CKA_UNIQUE_ID)
		found, err := find(s, customsOf(instance)...)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}
