package local

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// ecKey is a private key on a NIST curve.
type ecKey struct {
	curve  *pubkey.Curve
	scalar *secret.Bytes // big-endian, curve.Size bytes
	sig    *ecdsa.PrivateKey
	dh     *ecdh.PrivateKey
}

// newECKey copies the scalar, which must be in range. Where a raw point is given it must be the scalar's.
func newECKey(curve *pubkey.Curve, scalar, point []byte) (material, error) {
	trimmed := bytes.TrimLeft(scalar, "\x00")
	if len(trimmed) > curve.Size {
		return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "the private key is too long for %s", curve.Name)
	}
	padded := secret.New(curve.Size)
	copy(padded.Bytes()[curve.Size-len(trimmed):], trimmed)
	sig, err := ecdsa.ParseRawPrivateKey(curve.Elliptic(), padded.Bytes())
	if err != nil {
		padded.Close()
		return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "the private key is out of range for %s", curve.Name)
	}
	dh, err := sig.ECDH()
	if err != nil {
		padded.Close()
		return nil, ck.Errorf(ck.CKR_GENERAL_ERROR, "ECDH: %w", err)
	}
	k := &ecKey{curve, padded, sig, dh}
	if point != nil && !bytes.Equal(point, dh.PublicKey().Bytes()) {
		k.wipe()
		return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "the public point is not the private key's")
	}
	return k, nil
}

func generateEC(spec *guard.KeySpec) (material, error) {
	curve, err := pubkey.DecodeParams(spec.ECParams, ck.CKK_EC)
	if err != nil {
		return nil, err
	}
	dh, err := curve.ECDH().GenerateKey(rand.Reader)
	if err != nil {
		return nil, ck.Errorf(ck.CKR_FUNCTION_FAILED, "EC: %w", err)
	}
	scalar := dh.Bytes()
	defer secret.Wipe(scalar)
	return newECKey(curve, scalar, nil)
}

func importEC(p parts) (material, error) {
	curve, value, point, err := curveParts(p, ck.CKK_EC)
	if err != nil {
		return nil, err
	}
	return newECKey(curve, value, point)
}

// curveParts reads what keys on all kinds of curves have: the curve, the private value, and the point where it is given.
func curveParts(p parts, keyType ck.KeyType) (curve *pubkey.Curve, value, point []byte, err error) {
	params, value := p.get(ck.CKA_EC_PARAMS), p.get(ck.CKA_VALUE)
	if params == nil || value == nil {
		return nil, nil, nil, ck.Errorf(ck.CKR_TEMPLATE_INCOMPLETE, "a private key on a curve needs CKA_EC_PARAMS and CKA_VALUE")
	}
	if curve, err = pubkey.DecodeParams(params, keyType); err != nil {
		return nil, nil, nil, err
	}
	if encoded := p.get(ck.CKA_EC_POINT); encoded != nil {
		point, err = pubkey.DecodePoint(curve, encoded)
	}
	return curve, value, point, err
}

// curvePublic are the public parts of a key on a curve.
func curvePublic(curve *pubkey.Curve, raw []byte) ([]guard.Part, error) {
	public, err := curve.PublicKey(raw)
	if err != nil {
		return nil, err
	}
	info, err := pubkey.SPKI(public)
	if err != nil {
		return nil, err
	}
	return []guard.Part{
		{Type: ck.CKA_EC_PARAMS, Value: curve.Params},
		{Type: ck.CKA_EC_POINT, Value: pubkey.EncodePoint(curve, raw)},
		{Type: ck.CKA_PUBLIC_KEY_INFO, Value: info},
	}, nil
}

// sign signs a digest. The signature is r and s, each as long as the order (PKCS #11 v3.2, section on EC signatures).
func (k *ecKey) sign(dst []byte, s *mech.Scheme, digest []byte) ([]byte, error) {
	switch {
	case s.Row.Primitive != mech.ECDSA:
		return nil, ck.CKR_MECHANISM_INVALID
	case len(digest) == 0, s.Row.Hash != 0 && len(digest) != s.Row.Hash.Size():
		return nil, ck.CKR_DATA_LEN_RANGE
	}
	der, err := ecdsa.SignASN1(rand.Reader, k.sig, digest)
	if err != nil {
		return nil, ck.Errorf(ck.CKR_FUNCTION_FAILED, "ECDSA: %w", err)
	}
	var pair cryptobyte.String
	input := cryptobyte.String(der)
	if !input.ReadASN1(&pair, asn1.SEQUENCE) {
		return nil, ck.CKR_GENERAL_ERROR
	}
	for range 2 {
		var number []byte
		if !pair.ReadASN1Integer(&number) || len(number) > k.curve.Size {
			return nil, ck.CKR_GENERAL_ERROR
		}
		dst = append(dst, zeros[:k.curve.Size-len(number)]...)
		dst = append(dst, number...)
	}
	return dst, nil
}

var zeros [66]byte // as long as the longest order, that of P-521

func (k *ecKey) agree(s *mech.Scheme) (*secret.Bytes, error) { return agree(k.dh, k.curve, s) }

func (k *ecKey) plain() (*secret.Bytes, error) {
	point := k.dh.PublicKey().Bytes()
	return marshalPKCS8(k.curve.Size+len(point), [][]byte{oidEC, k.curve.Params}, func(b *cryptobyte.Builder) {
		// ECPrivateKey of RFC 5915, without the curve: the algorithm says it.
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(1)
			b.AddASN1OctetString(k.scalar.Bytes())
			b.AddASN1(tagPublicKey, func(b *cryptobyte.Builder) { b.AddASN1BitString(point) })
		})
	})
}

func (k *ecKey) public() ([]guard.Part, error) {
	return curvePublic(k.curve, k.dh.PublicKey().Bytes())
}

func (k *ecKey) private() []guard.Part { return valuePart(k.scalar.Bytes()) }

func (k *ecKey) wipe() {
	k.scalar.Close()
	//lint:ignore SA1019 deprecated for computing with it; it holds the key all the same
	clear(k.sig.D.Bits())
}
