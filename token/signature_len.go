package token

import (
	"math/bits"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// signatureLen is the exact length of the signature or MAC that the operation will make. It is known without the guard.
func (op *operation) signatureLen() int {
	switch op.scheme.Row.Primitive {
	case mech.HMAC:
		return macLen(op.scheme, op.scheme.Row.Hash.Size())
	case mech.AESCMAC:
		return macLen(op.scheme, 16)
	}
	return op.size
}

func macLen(scheme *mech.Scheme, whole int) int {
	if scheme.MACLen != 0 {
		return scheme.MACLen
	}
	return whole
}

// asymmetricLen is the length of what an asymmetric key makes or takes, 0 for other keys: the modulus in bytes, two numbers of the size of the curve's order, or
// what the parameter set of ML-DSA says.
func asymmetricLen(set *attr.Set) (int, error) {
	if modulus, ok := set.Get(ck.CKA_MODULUS); ok {
		return (bitLen(modulus) + 7) / 8, nil
	}
	if parameterSet, ok := set.Get(ck.CKA_PARAMETER_SET); ok && keyTypeOf(set) == ck.CKK_ML_DSA {
		dsa, err := pubkey.DecodeMLDSA(parameterSet)
		if err != nil {
			return 0, err
		}
		return dsa.Signature, nil
	}
	params, ok := set.Get(ck.CKA_EC_PARAMS)
	if !ok {
		return 0, nil
	}
	curve, err := pubkey.DecodeParams(params, keyTypeOf(set))
	if err != nil {
		return 0, err
	}
	return 2 * curve.Size, nil
}

// bitLen is the length of a big-endian number in bits.
func bitLen(number []byte) int {
	for len(number) > 0 && number[0] == 0 {
		number = number[1:]
	}
	if len(number) == 0 {
		return 0
	}
	return 8*(len(number)-1) + bits.Len8(number[0])
}
