package publickey_test

import (
	"crypto"
	"crypto/rsa"
	"math/big"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/publickey"
)

// attributes turns a public key into what an object holds of it.
func attributes(public crypto.PublicKey) (ck.KeyType, map[ck.AttributeType][]byte) {
	if pub, ok := public.(*rsa.PublicKey); ok {
		return ck.CKK_RSA, map[ck.AttributeType][]byte{
			ck.CKA_MODULUS: pub.N.Bytes(), ck.CKA_PUBLIC_EXPONENT: big.NewInt(int64(pub.E)).Bytes(),
		}
	}
	if pub, ok := public.(*pubkey.MLDSAKey); ok {
		return ck.CKK_ML_DSA, map[ck.AttributeType][]byte{ck.CKA_PARAMETER_SET: attr.ULong(pub.Set), ck.CKA_VALUE: pub.Bytes()}
	}
	curve, raw := pubkey.Point(public)
	return curve.KeyType, map[ck.AttributeType][]byte{
		ck.CKA_EC_PARAMS: curve.Params, ck.CKA_EC_POINT: pubkey.EncodePoint(curve, raw),
	}
}

func parse(t testing.TB, public crypto.PublicKey) publickey.Key {
	t.Helper()
	keyType, parts := attributes(public)
	key, err := publickey.Parse(keyType, func(a ck.AttributeType) []byte { return parts[a] })
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func scheme(t testing.TB, typ ck.MechanismType, params any, op mech.Op) *mech.Scheme {
	t.Helper()
	s, err := mech.Parse(ck.Mechanism{Type: typ, Params: params}, op)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// digest is what the caller of Verify does first.
func digest(s *mech.Scheme, data []byte) []byte {
	if s.Row.Hash == 0 {
		return data
	}
	return s.Row.Hash.Sum(nil, data)
}
