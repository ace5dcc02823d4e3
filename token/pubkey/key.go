package pubkey

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"math/big"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// MaxRSABits bounds the modulus, and so the time that one public operation takes.
const MaxRSABits = 8192

// maxExponentBits is what crypto/rsa computes with.
const maxExponentBits = 31

// Parse makes a public key from its attributes: CKA_MODULUS and CKA_PUBLIC_EXPONENT, CKA_EC_PARAMS and CKA_EC_POINT, or CKA_PARAMETER_SET and
// CKA_VALUE. get gives an attribute's value, nil where there is none. The key is an *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey,
// *ecdh.PublicKey, *KEMKey or *MLDSAKey.
// Errors: CKR_TEMPLATE_INCOMPLETE, CKR_ATTRIBUTE_VALUE_INVALID, those of DecodeParams, CKR_KEY_TYPE_INCONSISTENT for other key types.
func Parse(keyType ck.KeyType, get func(ck.AttributeType) []byte) (crypto.PublicKey, error) {
	switch keyType {
	case ck.CKK_RSA:
		return parseRSA(get(ck.CKA_MODULUS), get(ck.CKA_PUBLIC_EXPONENT))
	case ck.CKK_EC, ck.CKK_EC_EDWARDS, ck.CKK_EC_MONTGOMERY:
		params, point := get(ck.CKA_EC_PARAMS), get(ck.CKA_EC_POINT)
		if len(params) == 0 || len(point) == 0 {
			return nil, ck.Errorf(ck.CKR_TEMPLATE_INCOMPLETE, "CKA_EC_PARAMS and CKA_EC_POINT are needed")
		}
		curve, err := DecodeParams(params, keyType)
		if err != nil {
			return nil, err
		}
		raw, err := DecodePoint(curve, point)
		if err != nil {
			return nil, err
		}
		return curve.PublicKey(raw)
	case ck.CKK_ML_KEM:
		return parseKEM(get(ck.CKA_PARAMETER_SET), get(ck.CKA_VALUE))
	case ck.CKK_ML_DSA:
		return parseMLDSA(get(ck.CKA_PARAMETER_SET), get(ck.CKA_VALUE))
	}
	return nil, ck.Errorf(ck.CKR_KEY_TYPE_INCONSISTENT, "%v has no public key", keyType)
}

// parseRSA takes numbers with leading zeros too. An odd modulus and an odd exponent above 1 are all that can be asked of a public key.
func parseRSA(modulus, exponent []byte) (crypto.PublicKey, error) {
	if len(modulus) == 0 || len(exponent) == 0 {
		return nil, ck.Errorf(ck.CKR_TEMPLATE_INCOMPLETE, "CKA_MODULUS and CKA_PUBLIC_EXPONENT are needed")
	}
	n, e := new(big.Int).SetBytes(modulus), new(big.Int).SetBytes(exponent)
	switch {
	case n.Bit(0) == 0 || n.BitLen() > MaxRSABits:
		return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "CKA_MODULUS is even or beyond %d bits", MaxRSABits)
	case e.Bit(0) == 0 || e.BitLen() < 2 || e.BitLen() > maxExponentBits || e.Cmp(n) >= 0:
		return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "CKA_PUBLIC_EXPONENT is even, 1, or beyond %d bits", maxExponentBits)
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
}

// PublicKey makes the key of a raw point.
func (c *Curve) PublicKey(raw []byte) (crypto.PublicKey, error) {
	switch {
	case c.elliptic != nil:
		pub, err := ecdsa.ParseUncompressedPublicKey(c.elliptic, raw)
		if err != nil {
			return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "CKA_EC_POINT: %w", err)
		}
		return pub, nil
	case c.ecdh != nil:
		pub, err := c.ecdh.NewPublicKey(raw)
		if err != nil {
			return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "CKA_EC_POINT: %w", err)
		}
		return pub, nil
	case len(raw) != c.Size:
		return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "CKA_EC_POINT of %d bytes is no point of %s", len(raw), c.Name)
	}
	return ed25519.PublicKey(append([]byte(nil), raw...)), nil
}

// Point gives the curve and the raw point of a public key on a curve; nil for another kind of key.
func Point(public crypto.PublicKey) (*Curve, []byte) {
	switch pub := public.(type) {
	case *ecdsa.PublicKey:
		for _, c := range curves {
			if c.elliptic != nil && c.elliptic == pub.Curve {
				if raw, err := pub.Bytes(); err == nil {
					return c, raw
				}
			}
		}
	case ed25519.PublicKey:
		return Ed25519, pub
	case *ecdh.PublicKey:
		for _, c := range curves {
			if c.ecdh != nil && c.ecdh == pub.Curve() {
				return c, pub.Bytes()
			}
		}
	}
	return nil, nil
}
