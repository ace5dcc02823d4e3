package ncryptmap

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Custom properties are the caller's own. Those of a key that is kept are kept beside it, as data objects that show no secret.

// customValue gives a custom property. Error: NTE_NOT_FOUND.
func (k *key) customValue(name string) ([]byte, error) {
	if value, ok := k.custom[name]; ok {
		return value, nil
	}
	if !k.final || !k.persistent() {
		return nil, notFound(name)
	}
	found, err := find(k.session, k.customTemplate(name)...)
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
	k.custom[name] = slices.Clone(value)
	if k.custom[name] == nil {
		k.custom[name] = []byte{}
	}
	return nil
}

// store writes a custom property of a key that is kept: over the one that there is, or a new one.
func (k *key) store(name string, value []byte) error {
	t := k.customTemplate(name)
	found, err := find(k.session, t...)
	if err != nil {
		return err
	}
	content := attr.Attribute{Type: ck.CKA_VALUE, Value: value}
	if len(found) > 0 {
		return k.session.SetAttributes(found[0], attr.Template{content})
	}
	_, err = k.session.CreateObject(append(t, content, boolean(ck.CKA_TOKEN, true), boolean(ck.CKA_PRIVATE, false)))
	return err
}

// keepCustom stores the properties that were set before the key was final. Those of a key whose place it took are gone.
func (k *key) keepCustom() error {
	if !k.persistent() {
		return nil
	}
	if err := k.dropCustom(); err != nil {
		return err
	}
	for name, value := range k.custom {
		if err := k.store(name, value); err != nil {
			return err
		}
	}
	clear(k.custom)
	return nil
}

// dropCustom deletes the custom properties that are stored under the key's name.
func (k *key) dropCustom() error {
	found, err := find(k.session, k.customTemplate("")[:3]...)
	if err != nil {
		return err
	}
	for _, object := range found {
		if err := k.session.DestroyObject(object); err != nil && ck.Code(err) != ck.CKR_OBJECT_HANDLE_INVALID {
			return err
		}
	}
	return nil
}
