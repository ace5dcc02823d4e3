package token

import (
	"bytes"
	"errors"

	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// ErrNameTaken: the token has a key of that name already (NTE_EXISTS). PKCS #11 has no code for it; it comes as CKR_TEMPLATE_INCONSISTENT.
var ErrNameTaken = errors.New("the token has a key of that name")

// name gives a key that is kept its name: the template's CKA_NCRYPT_KEY_NAME, or its label where the token's names are unique. CKA_LABEL can be changed
// later and need not be unique; the name is neither.
func (d *draft) name(h *store.Header) error {
	given, ok := d.set.Get(ck.CKA_NCRYPT_KEY_NAME)
	switch {
	case ok && !d.isToken():
		return ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "CKA_NCRYPT_KEY_NAME is for keys that are kept: CKA_TOKEN is FALSE")
	case !ok && d.isToken() && UniqueNames(h):
		given, _ = d.set.Get(ck.CKA_LABEL)
		d.byLabel = true
	}
	if len(given) == 0 && !ok {
		return nil
	}
	if err := plan.CheckName(string(given)); err != nil {
		return err
	}
	d.set.Put(ck.CKA_NCRYPT_KEY_NAME, given)
	d.set.Put(ck.CKA_NCRYPT_UNIQUE_NAME, []byte(plan.UniqueName(string(given))))
	if label, _ := d.set.Get(ck.CKA_LABEL); len(label) == 0 {
		d.set.Put(ck.CKA_LABEL, given) // where people look for it
	}
	return nil
}

// claim is what keep checks once no other process can write: that the drafts are still admitted, and that their names are free, or may be taken over. What
// has a name that is taken over goes in the same step. The token's lock is held.
func (t *Token) claim(change *store.Change, drafts []*draft) error {
	for _, d := range drafts {
		if err := t.stillAdmits(d); err != nil {
			return err
		}
		if err := t.belongs(d, drafts); err != nil {
			return err
		}
		name, named := d.set.Get(ck.CKA_NCRYPT_UNIQUE_NAME)
		if !named {
			continue
		}
		bearers, err := t.bearers(name)
		if err != nil {
			return err
		}
		for _, b := range bearers {
			if err := t.takeOver(change, d, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// nameIsFree says early of a key that is not final whether its name is taken. Whether it is then is asked again when the key is stored. The token's lock is held.
func (t *Token) nameIsFree(d *draft) error {
	name, named := d.set.Get(ck.CKA_NCRYPT_UNIQUE_NAME)
	if !named || !d.unfinished || d.overwrite {
		return nil
	}
	bearers, err := t.bearers(name)
	if err == nil && len(bearers) > 0 {
		return taken(d.set)
	}
	return err
}

func taken(set *attr.Set) error {
	name, _ := set.Get(ck.CKA_NCRYPT_KEY_NAME)
	return ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "%w: %q", ErrNameTaken, name)
}

// bearers are the keys of a name: one, or none.
func (t *Token) bearers(unique []byte) ([]*object, error) {
	if err := t.sync(); err != nil {
		return nil, err
	}
	return t.having(attr.Template{{Type: ck.CKA_NCRYPT_UNIQUE_NAME, Value: unique}})
}

// having gives all stored objects that match, whoever is logged in. At least one of the attributes is indexed.
func (t *Token) having(tmpl attr.Template) ([]*object, error) {
	var found []*object
	for _, id := range t.candidates(tmpl) {
		o, err := t.stored(id)
		if err != nil {
			return nil, err
		}
		set, err := t.attributes(o)
		if err != nil {
			return nil, err
		}
		if set.Match(tmpl) {
			found = append(found, o)
		}
	}
	return found, nil
}

// takeOver has a key, with its public half, give way to the draft.
func (t *Token) takeOver(change *store.Change, d *draft, bearer *object) error {
	set, err := t.attributes(bearer)
	if err != nil {
		return err
	}
	if !d.overwrite {
		return taken(set)
	}
	switch {
	case bearer.private && !t.seesPrivate():
		return ck.CKR_USER_NOT_LOGGED_IN
	case !set.Bool(ck.CKA_DESTROYABLE):
		return ck.Errorf(ck.CKR_ACTION_PROHIBITED, "the key of that name has CKA_DESTROYABLE FALSE")
	}
	change.Delete = append(change.Delete, bearer.id)
	halves, err := t.publicHalves(set)
	if err != nil {
		return err
	}
	properties, err := t.having(propertiesOf(set))
	if err != nil {
		return err
	}
	for _, o := range append(halves, properties...) {
		change.Delete = append(change.Delete, o.id)
	}
	return nil
}

// publicHalves are the public key objects that belong to a private key.
func (t *Token) publicHalves(private *attr.Set) ([]*object, error) {
	info, ok := private.Get(ck.CKA_PUBLIC_KEY_INFO)
	if !ok || len(info) == 0 {
		return nil, nil
	}
	id, _ := private.Get(ck.CKA_ID)
	found, err := t.having(attr.Template{{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_PUBLIC_KEY))}, {Type: ck.CKA_ID, Value: id}})
	if err != nil {
		return nil, err
	}
	var halves []*object
	for _, o := range found {
		if of, _ := o.attrs.Get(ck.CKA_PUBLIC_KEY_INFO); bytes.Equal(of, info) {
			halves = append(halves, o)
		}
	}
	return halves, nil
}
