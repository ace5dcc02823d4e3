package token

import (
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/publickey"
)

// keyUse is what using a key needs to know of its attributes, read out of them once.
type keyUse struct {
	of                 *attr.Set // the attributes that this was read from
	policy             *guard.Policy
	size               int           // of an asymmetric key: the bytes of a signature, or of a modulus
	public             publickey.Key // of a public key
	alwaysAuthenticate bool
}

// usable gives the object as a key. Error: CKR_OBJECT_HANDLE_INVALID where it is none. The token's lock is held.
func (t *Token) usable(o *object) (*keyUse, error) {
	if o.draft != nil {
		return nil, errNotFinal
	}
	set, err := t.attributes(o)
	if err != nil {
		return nil, err
	}
	if o.use != nil && o.use.of == set {
		return o.use, nil
	}
	use := &keyUse{of: set, policy: policyOf(o.id, set), alwaysAuthenticate: set.Bool(ck.CKA_ALWAYS_AUTHENTICATE)}
	switch use.policy.Class {
	case ck.CKO_PUBLIC_KEY, ck.CKO_PRIVATE_KEY, ck.CKO_SECRET_KEY:
	default:
		return nil, ck.CKR_OBJECT_HANDLE_INVALID
	}
	if use.size, err = asymmetricLen(set); err != nil {
		return nil, err
	}
	if use.policy.Class == ck.CKO_PUBLIC_KEY {
		if use.public, err = publicKeyOf(set); err != nil {
			return nil, err
		}
	}
	o.use = use
	return use, nil
}

// publicKeyOf parses a public key object.
func publicKeyOf(set *attr.Set) (publickey.Key, error) {
	return publickey.Parse(keyTypeOf(set), valuesOf(set))
}
