package ncryptmap

import (
	"math/big"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

func bitLen(number []byte) int { return new(big.Int).SetBytes(number).BitLen() }

// curveOf is the curve that CKA_EC_PARAMS names.
func curveOf(params []byte) (*pubkey.Curve, error) {
	curve, err := pubkey.DecodeParams(params, ck.CKK_EC)
	if err != nil {
		curve, err = pubkey.DecodeParams(params, ck.CKK_EC_MONTGOMERY)
	}
	if err != nil {
		return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "this curve is not supported")
	}
	return curve, nil
}

// attributes reads attributes that an object has and shows; what it does not show is left out. Values are copies.
func attributes(s *token.Session, object ck.ObjectHandle, types ...ck.AttributeType) (*attr.Set, error) {
	readings := make([]token.Reading, len(types))
	for i, typ := range types {
		readings[i].Type = typ
	}
	set := &attr.Set{}
	err := s.GetAttributes(object, readings, func() {
		for _, r := range readings {
			if r.Err == nil {
				set.Put(r.Type, r.Value)
			}
		}
	})
	return set, err
}

// publicParts are the attributes that a public half is made of.
var publicParts = []ck.AttributeType{ck.CKA_MODULUS, ck.CKA_PUBLIC_EXPONENT, ck.CKA_EC_PARAMS, ck.CKA_EC_POINT, ck.CKA_PARAMETER_SET}

// publicOf makes an object for the public half of a private key, with these attributes beside its numbers.
func publicOf(s *token.Session, private ck.ObjectHandle, keyType ck.KeyType, t attr.Template) (ck.ObjectHandle, error) {
	set, err := publicSet(s, private)
	if err != nil {
		return 0, err
	}
	t = append(t, attr.Attribute{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_PUBLIC_KEY))}, attr.Attribute{Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(keyType))})
	for typ, value := range set.All() {
		t = append(t, attr.Attribute{Type: typ, Value: value})
	}
	return s.CreateObject(t)
}

// publicObject gives an object that the public half can be used through: the key's own, or one that lives as long as the handle.
func (k *key) publicObject() (ck.ObjectHandle, error) {
	if k.class == ck.CKO_PUBLIC_KEY {
		return k.object, nil
	}
	if k.public != 0 {
		return k.public, nil
	}
	var err error
	k.public, err = publicOf(k.session, k.object, k.algorithm.keyType, attr.Template{
		boolean(ck.CKA_TOKEN, false), boolean(ck.CKA_ENCRYPT, k.algorithm.keyType == ck.CKK_RSA), boolean(ck.CKA_WRAP, k.algorithm.keyType == ck.CKK_RSA),
		boolean(ck.CKA_ENCAPSULATE, k.algorithm.keyType == ck.CKK_ML_KEM), boolean(ck.CKA_VERIFY, k.algorithm.usages&plan.NCRYPT_ALLOW_SIGNING_FLAG != 0),
	})
	return k.public, err
}
