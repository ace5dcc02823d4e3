package minidriver

import (
	"cmp"

	"github.com/ncrypt11/ncrypt11/minidriver/message"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

func boolean(typ ck.AttributeType, value bool) attr.Attribute {
	return attr.Attribute{Type: typ, Value: attr.Bool(value)}
}

func number(typ ck.AttributeType, value uint) attr.Attribute {
	return attr.Attribute{Type: typ, Value: attr.ULong(value)}
}

// naming is how a container's key is called, and that it takes the place of the one before.
func naming(index byte) attr.Template {
	name := []byte(containerName(index))
	return attr.Template{
		{Type: ck.CKA_ID, Value: containerID(index)}, {Type: ck.CKA_LABEL, Value: name}, {Type: ck.CKA_NCRYPT_KEY_NAME, Value: name},
		boolean(ck.CKA_NCRYPT_OVERWRITE, true),
	}
}

// confined is for keys that never leave the card.
func confined(kept bool) attr.Template {
	return attr.Template{boolean(ck.CKA_TOKEN, kept), boolean(ck.CKA_PRIVATE, true), boolean(ck.CKA_SENSITIVE, true), boolean(ck.CKA_EXTRACTABLE, false)}
}

// privateTemplate is for the private half in a container, less its usage.
func privateTemplate(index byte) attr.Template { return append(confined(true), naming(index)...) }

// publicTemplate is for the public half beside it.
func publicTemplate(index byte) attr.Template {
	return attr.Template{
		boolean(ck.CKA_TOKEN, true), boolean(ck.CKA_PRIVATE, false), {Type: ck.CKA_ID, Value: containerID(index)},
		{Type: ck.CKA_LABEL, Value: []byte(containerName(index))},
	}
}

// able says what keys that come into containers may do, by what they are for: an exchange key of RSA signs too, as CAPI has it.
var able = map[ck.KeyType][]struct {
	usage               ck.AttributeType
	signature, exchange bool
}{
	ck.CKK_RSA: {{ck.CKA_SIGN, true, true}, {ck.CKA_SIGN_RECOVER, false, false}, {ck.CKA_DECRYPT, false, true}, {ck.CKA_UNWRAP, false, true}},
	ck.CKK_EC:  {{ck.CKA_SIGN, true, false}, {ck.CKA_DERIVE, false, true}},
}

// usages are the attributes that say what a key of this spec may do.
func usages(spec *message.KeySpec) attr.Template {
	var t attr.Template
	for _, a := range able[spec.KeyType] {
		t = append(t, boolean(a.usage, spec.Exchange && a.exchange || !spec.Exchange && a.signature))
	}
	return t
}

// everything are the attributes of a key of which is not known yet what it is for.
func everything(keyType ck.KeyType) attr.Template {
	var t attr.Template
	for _, a := range able[keyType] {
		t = append(t, boolean(a.usage, a.signature || a.exchange))
	}
	return t
}

// onlyUnwraps are the attributes of a key that does nothing else.
func onlyUnwraps(not ...ck.AttributeType) attr.Template {
	t := attr.Template{boolean(ck.CKA_UNWRAP, true)}
	for _, typ := range not {
		t = append(t, boolean(typ, false))
	}
	return t
}

// curves are those of key specs, by their sizes.
var curves = []*pubkey.Curve{pubkey.P256, pubkey.P384, pubkey.P521}

func curveOf(spec *message.KeySpec) *pubkey.Curve {
	for _, c := range curves {
		if uint32(c.Bits) == spec.Bits {
			return c
		}
	}
	return nil
}

// recognize finds the key spec of a key by what it is and may do.
func (k *kept) recognize() error {
	keyType, _ := k.set.ULong(ck.CKA_KEY_TYPE)
	exchange, bits := k.set.Bool(ck.CKA_DECRYPT) || k.set.Bool(ck.CKA_UNWRAP), uint32(0)
	if ck.KeyType(keyType) == ck.CKK_EC {
		params, _ := k.set.Get(ck.CKA_EC_PARAMS)
		curve, err := pubkey.DecodeParams(params, ck.CKK_EC)
		if err != nil {
			return err
		}
		exchange, bits = k.set.Bool(ck.CKA_DERIVE), uint32(curve.Bits)
	}
	for i, spec := range message.KeySpecs {
		if spec.KeyType == ck.KeyType(keyType) && spec.Bits == bits && spec.Exchange == exchange {
			k.spec = &message.KeySpecs[i]
			return nil
		}
	}
	return unsupported("a key of type %v is not one of a container's", ck.KeyType(keyType))
}

// find gives the objects that have these attributes.
func (c *Context) find(t ...attr.Attribute) ([]ck.ObjectHandle, error) {
	if err := c.session.FindObjectsInit(t); err != nil {
		return nil, err
	}
	const all = 1<<31 - 1
	found, err := c.session.FindObjects(all)
	return found, cmp.Or(err, c.session.FindObjectsFinal())
}

// read gives those of an object's attributes that it has.
func (c *Context) read(object ck.ObjectHandle, types ...ck.AttributeType) (*attr.Set, error) {
	readings := make([]token.Reading, len(types))
	for i, typ := range types {
		readings[i].Type = typ
	}
	set := &attr.Set{}
	err := c.session.GetAttributes(object, readings, func() {
		for _, r := range readings {
			if r.Err == nil {
				set.Put(r.Type, r.Value)
			}
		}
	})
	return set, err
}
