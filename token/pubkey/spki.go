package pubkey

import (
	"crypto"
	"crypto/rsa"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// crypto/x509 would do this too, but it brings net, and with it a resolver, into every program that loads the module.

// The algorithms of SubjectPublicKeyInfo that take parameters, as DER OIDs.
var (
	oidRSA = []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1} // rsaEncryption, RFC 8017
	oidEC  = []byte{6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1}          // id-ecPublicKey, RFC 5480
	null   = []byte{5, 0}
)

// SPKI is the DER SubjectPublicKeyInfo of public (RFC 5280), which is CKA_PUBLIC_KEY_INFO.
func SPKI(public crypto.PublicKey) ([]byte, error) {
	var algorithm [][]byte
	var key []byte
	if pub, ok := public.(*rsa.PublicKey); ok {
		algorithm, key = [][]byte{oidRSA, null}, rsaPublicKey(pub)
	} else if pub, ok := public.(*KEMKey); ok {
		algorithm, key = [][]byte{pub.OID}, pub.Bytes() // RFC 9935, section 4: parameters are absent
	} else if pub, ok := public.(*MLDSAKey); ok {
		algorithm, key = [][]byte{pub.OID}, pub.Bytes() // RFC 9881, section 2: so they are here
	} else if curve, raw := Point(public); curve != nil {
		key = raw
		if curve.KeyType == ck.CKK_EC {
			algorithm = [][]byte{oidEC, curve.Params}
		} else {
			algorithm = [][]byte{curve.Params} // RFC 8410: the OID says the curve, parameters are absent
		}
	} else {
		return nil, ck.Errorf(ck.CKR_KEY_TYPE_INCONSISTENT, "no SubjectPublicKeyInfo for %T", public)
	}
	b := cryptobyte.NewBuilder(make([]byte, 0, 64+len(key)))
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, element := range algorithm {
				b.AddBytes(element)
			}
		})
		b.AddASN1BitString(key)
	})
	return b.Bytes()
}

var errNotSPKI = ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "CKA_PUBLIC_KEY_INFO is not a SubjectPublicKeyInfo")

// ParseSPKI reads a DER SubjectPublicKeyInfo. Errors are those of Parse.
func ParseSPKI(der []byte) (crypto.PublicKey, error) {
	input := cryptobyte.String(der)
	var info, params, oid cryptobyte.String
	var key []byte
	if !input.ReadASN1(&info, asn1.SEQUENCE) || !input.Empty() ||
		!info.ReadASN1(&params, asn1.SEQUENCE) || !params.ReadASN1Element(&oid, asn1.OBJECT_IDENTIFIER) ||
		!info.ReadASN1BitStringAsBytes(&key) || !info.Empty() {
		return nil, errNotSPKI
	}
	switch string(oid) {
	case string(oidRSA):
		if string(params) != string(null) {
			return nil, errNotSPKI
		}
		return parseRSAPublicKey(key)
	case string(oidEC):
		return parsePoint(ck.CKK_EC, params, key)
	}
	if !params.Empty() {
		return nil, errNotSPKI
	}
	for _, kem := range KEMs() {
		if string(kem.OID) == string(oid) {
			return kem.PublicKey(key)
		}
	}
	for _, d := range MLDSAs() {
		if string(d.OID) == string(oid) {
			return d.PublicKey(key)
		}
	}
	if _, err := DecodeParams(oid, ck.CKK_EC_EDWARDS); err == nil {
		return parsePoint(ck.CKK_EC_EDWARDS, oid, key)
	}
	return parsePoint(ck.CKK_EC_MONTGOMERY, oid, key)
}

// parsePoint takes the raw point only, as RFC 5480 and RFC 8410 have it.
func parsePoint(keyType ck.KeyType, params, raw []byte) (crypto.PublicKey, error) {
	curve, err := DecodeParams(params, keyType)
	if err != nil {
		return nil, err
	}
	return curve.PublicKey(raw)
}

// rsaPublicKey is the DER RSAPublicKey of RFC 8017.
func rsaPublicKey(pub *rsa.PublicKey) []byte {
	b := cryptobyte.NewBuilder(make([]byte, 0, 16+len(pub.N.Bits())*8))
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(pub.N)
		b.AddASN1Int64(int64(pub.E))
	})
	return b.BytesOrPanic()
}

func parseRSAPublicKey(der []byte) (crypto.PublicKey, error) {
	input := cryptobyte.String(der)
	var sequence cryptobyte.String
	n, e := new(big.Int), new(big.Int)
	if !input.ReadASN1(&sequence, asn1.SEQUENCE) || !input.Empty() ||
		!sequence.ReadASN1Integer(n) || !sequence.ReadASN1Integer(e) || !sequence.Empty() ||
		n.Sign() <= 0 || e.Sign() <= 0 {
		return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "CKA_PUBLIC_KEY_INFO holds no RSAPublicKey")
	}
	return parseRSA(n.Bytes(), e.Bytes())
}
