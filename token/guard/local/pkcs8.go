package local

import (
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// PrivateKeyInfo of RFC 5208 and RFC 5958 is how private keys are wrapped (PKCS #11 v3.2, section on wrapping private keys) and how they
// stand in records. crypto/x509 would do this too, but it brings net, and with it a resolver, into every program that loads the module.

// The DER OIDs of algorithms whose parameters are not a curve of their own.
var (
	oidRSA = []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1} // rsaEncryption, RFC 8017
	oidEC  = []byte{6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1}          // id-ecPublicKey, RFC 5480
	null   = []byte{5, 0}
)

var (
	tagAttributes = asn1.Tag(0).ContextSpecific().Constructed()
	tagParameters = asn1.Tag(0).ContextSpecific().Constructed()
	tagPublicKey  = asn1.Tag(1).ContextSpecific().Constructed()
)

// errPKCS8 says nothing of what is wrong: the reason could tell of the key, and tells an attacker who alters a wrapped key of the plaintext.
var errPKCS8 = ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "not a sound PrivateKeyInfo of this key type")

// parsePKCS8 reads a private key of the key type.
func parsePKCS8(want ck.KeyType, der []byte) (material, error) {
	info, ok := outerSequence(der)
	var version int64
	var algorithm, oid, key cryptobyte.String
	if !ok || !info.ReadASN1Integer(&version) || version < 0 || version > 1 ||
		!info.ReadASN1(&algorithm, asn1.SEQUENCE) || !algorithm.ReadASN1Element(&oid, asn1.OBJECT_IDENTIFIER) ||
		!info.ReadASN1(&key, asn1.OCTET_STRING) || !info.SkipOptionalASN1(tagAttributes) {
		return nil, errPKCS8
	}
	var m material
	var err error
	switch params := algorithm; {
	case want == ck.CKK_RSA && string(oid) == string(oidRSA) && (params.Empty() || string(params) == string(null)):
		m, err = parseRSAPrivateKey(key)
	case want == ck.CKK_EC && string(oid) == string(oidEC):
		m, err = parseECPrivateKey(params, key)
	case want == ck.CKK_EC_EDWARDS && params.Empty() && string(oid) == string(pubkey.Ed25519.Params):
		m, err = parseCurvePrivateKey(key, newEdwards)
	case want == ck.CKK_EC_MONTGOMERY && params.Empty() && string(oid) == string(pubkey.X25519.Params):
		m, err = parseCurvePrivateKey(key, newMontgomery)
	case want == ck.CKK_ML_KEM && params.Empty():
		m, err = parseKEMPrivateKey(oid, key)
	case want == ck.CKK_ML_DSA && params.Empty():
		m, err = parseMLDSAPrivateKey(oid, key)
	default:
		return nil, errPKCS8
	}
	if err != nil {
		return nil, errPKCS8
	}
	return m, nil
}

// outerSequence takes off the outermost SEQUENCE. Zeros may follow it, fewer than a cipher's block: CBC without padding leaves them.
func outerSequence(der []byte) (cryptobyte.String, bool) {
	rest := cryptobyte.String(der)
	var info cryptobyte.String
	if !rest.ReadASN1(&info, asn1.SEQUENCE) || len(rest) >= 16 {
		return nil, false
	}
	var padding byte
	for _, b := range rest {
		padding |= b
	}
	return info, padding == 0
}

// marshalPKCS8 writes a PrivateKeyInfo around what key writes.
func marshalPKCS8(sizeHint int, algorithm [][]byte, key cryptobyte.BuilderContinuation) (*secret.Bytes, error) {
	// One buffer that never grows, so that no copy is left behind.
	b := cryptobyte.NewFixedBuilder(make([]byte, 0, sizeHint+128))
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0)
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, element := range algorithm {
				b.AddBytes(element)
			}
		})
		b.AddASN1(asn1.OCTET_STRING, key)
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, ck.Errorf(ck.CKR_GENERAL_ERROR, "writing a PrivateKeyInfo: %w", err)
	}
	return secret.From(der), nil
}

// parseRSAPrivateKey reads an RSAPrivateKey of RFC 8017 with two primes.
func parseRSAPrivateKey(der cryptobyte.String) (material, error) {
	var sequence cryptobyte.String
	var version int64
	if !der.ReadASN1(&sequence, asn1.SEQUENCE) || !der.Empty() || !sequence.ReadASN1Integer(&version) || version != 0 {
		return nil, errPKCS8
	}
	var numbers rsaNumbers
	for _, n := range numbers.all() {
		*n = new(big.Int)
		if !sequence.ReadASN1Integer(*n) || (*n).Sign() <= 0 {
			numbers.wipe()
			return nil, errPKCS8
		}
	}
	if !sequence.Empty() {
		numbers.wipe()
		return nil, errPKCS8
	}
	return newRSAKey(&numbers)
}

// parseECPrivateKey reads an ECPrivateKey of RFC 5915. The curve is the algorithm's; what the key itself says must agree.
func parseECPrivateKey(params, der cryptobyte.String) (material, error) {
	curve, err := pubkey.DecodeParams(params, ck.CKK_EC)
	if err != nil {
		return nil, err
	}
	var sequence, scalar, inner, point cryptobyte.String
	var version int64
	var hasInner, hasPoint bool
	if !der.ReadASN1(&sequence, asn1.SEQUENCE) || !der.Empty() ||
		!sequence.ReadASN1Integer(&version) || version != 1 || !sequence.ReadASN1(&scalar, asn1.OCTET_STRING) ||
		!sequence.ReadOptionalASN1(&inner, &hasInner, tagParameters) || !sequence.ReadOptionalASN1(&point, &hasPoint, tagPublicKey) ||
		!sequence.Empty() || hasInner && string(inner) != string(params) {
		return nil, errPKCS8
	}
	var raw []byte
	if hasPoint && (!point.ReadASN1BitStringAsBytes(&raw) || !point.Empty()) {
		return nil, errPKCS8
	}
	return newECKey(curve, scalar, raw)
}

// parseCurvePrivateKey reads a CurvePrivateKey of RFC 8410.
func parseCurvePrivateKey(der cryptobyte.String, make func([]byte) (material, error)) (material, error) {
	var value cryptobyte.String
	if !der.ReadASN1(&value, asn1.OCTET_STRING) || !der.Empty() {
		return nil, errPKCS8
	}
	return make(value)
}

// marshalCurvePKCS8 writes the key of a curve that RFC 8410 is about.
func marshalCurvePKCS8(curve *pubkey.Curve, value []byte) (*secret.Bytes, error) {
	return marshalPKCS8(len(value), [][]byte{curve.Params}, func(b *cryptobyte.Builder) { b.AddASN1OctetString(value) })
}
