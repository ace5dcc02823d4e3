// Package pubkey is how PKCS #11 writes public keys: curves (CKA_EC_PARAMS), points (CKA_EC_POINT), and SubjectPublicKeyInfo
// (CKA_PUBLIC_KEY_INFO), to and from the types of Go's crypto packages. It computes nothing with them and knows no secrets, so both
// sides of the guard's seam share it.
package pubkey

import (
	"bytes"
	"crypto/ecdh"
	"crypto/elliptic"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Curve is one curve that the token has keys on.
type Curve struct {
	Name    string     // as people say it: "P-256", "Ed25519"
	KeyType ck.KeyType // CKK_EC, CKK_EC_EDWARDS or CKK_EC_MONTGOMERY
	Bits    int        // size of the field, the unit of CK_MECHANISM_INFO
	Size    int        // bytes of a coordinate, and of a private key
	Params  []byte     // DER of the named curve's OID: the CKA_EC_PARAMS that this module writes

	aliases  [][]byte // other forms of Params that are accepted
	elliptic elliptic.Curve
	ecdh     ecdh.Curve
}

// The curves.
var (
	P256 = &Curve{
		Name: "P-256", KeyType: ck.CKK_EC, Bits: 256, Size: 32,
		Params:  []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}, // 1.2.840.10045.3.1.7
		aliases: [][]byte{printable("secp256r1"), printable("prime256v1")}, elliptic: elliptic.P256(), ecdh: ecdh.P256(),
	}
	P384 = &Curve{
		Name: "P-384", KeyType: ck.CKK_EC, Bits: 384, Size: 48,
		Params:  []byte{6, 5, 0x2b, 0x81, 4, 0, 0x22}, // 1.3.132.0.34
		aliases: [][]byte{printable("secp384r1")}, elliptic: elliptic.P384(), ecdh: ecdh.P384(),
	}
	P521 = &Curve{
		Name: "P-521", KeyType: ck.CKK_EC, Bits: 521, Size: 66,
		Params:  []byte{6, 5, 0x2b, 0x81, 4, 0, 0x23}, // 1.3.132.0.35
		aliases: [][]byte{printable("secp521r1")}, elliptic: elliptic.P521(), ecdh: ecdh.P521(),
	}
	Ed25519 = &Curve{
		Name: "Ed25519", KeyType: ck.CKK_EC_EDWARDS, Bits: 255, Size: 32,
		Params: []byte{6, 3, 0x2b, 0x65, 0x70}, // 1.3.101.112, RFC 8410
		aliases: [][]byte{
			printable("edwards25519"),
			{6, 9, 0x2b, 6, 1, 4, 1, 0xda, 0x47, 0x0f, 1}, // 1.3.6.1.4.1.11591.15.1, from before RFC 8410
		},
	}
	X25519 = &Curve{
		Name: "X25519", KeyType: ck.CKK_EC_MONTGOMERY, Bits: 255, Size: 32,
		Params: []byte{6, 3, 0x2b, 0x65, 0x6e}, // 1.3.101.110, RFC 8410
		aliases: [][]byte{
			printable("curve25519"),
			{6, 10, 0x2b, 6, 1, 4, 1, 0x97, 0x55, 1, 5, 1},          // 1.3.6.1.4.1.3029.1.5.1, from before RFC 8410
			append([]byte{tagPrintableString, 11}, "curve25519"...), // a wrong length, which OpenSC's pkcs11-tool asks for keys with
		},
		ecdh: ecdh.X25519(),
	}
)

var curves = [...]*Curve{P256, P384, P521, Ed25519, X25519}

// Curves gives all curves.
func Curves() []*Curve { return curves[:] }

// Elliptic is the curve for crypto/ecdsa, nil for Edwards and Montgomery curves.
func (c *Curve) Elliptic() elliptic.Curve { return c.elliptic }

// ECDH is the curve for crypto/ecdh, nil for Edwards curves.
func (c *Curve) ECDH() ecdh.Curve { return c.ecdh }

// PointLen is the length of a raw point: uncompressed on Weierstrass curves.
func (c *Curve) PointLen() int {
	if c.KeyType == ck.CKK_EC {
		return 1 + 2*c.Size
	}
	return c.Size
}

// The first byte of each choice of Parameters (PKCS #11 v3.2, the EC section's ASN.1).
const (
	tagOID             = 0x06
	tagPrintableString = 0x13
)

// DecodeParams finds the curve that CKA_EC_PARAMS names, by OID or by curveName. Errors: CKR_CURVE_NOT_SUPPORTED for a name that
// is not a curve of this key type here, CKR_DOMAIN_PARAMS_INVALID for other ways to say a curve (explicit parameters, implicitlyCA)
// and for bytes that say none. Explicit parameters are refused on purpose: a caller who may choose the generator can forge.
func DecodeParams(ecParams []byte, kt ck.KeyType) (*Curve, error) {
	for _, c := range curves {
		if c.KeyType == kt && c.isNamedBy(ecParams) {
			return c, nil
		}
	}
	if len(ecParams) < 3 || int(ecParams[1]) != len(ecParams)-2 ||
		ecParams[0] != tagOID && ecParams[0] != tagPrintableString {
		return nil, ck.Errorf(ck.CKR_DOMAIN_PARAMS_INVALID, "CKA_EC_PARAMS is not a named curve")
	}
	return nil, ck.Errorf(ck.CKR_CURVE_NOT_SUPPORTED, "no such curve for %v: %x", kt, ecParams)
}

func (c *Curve) isNamedBy(ecParams []byte) bool {
	if bytes.Equal(ecParams, c.Params) {
		return true
	}
	for _, alias := range c.aliases {
		if bytes.Equal(ecParams, alias) {
			return true
		}
	}
	return false
}

// printable is the DER of a short PrintableString.
func printable(s string) []byte {
	return append([]byte{tagPrintableString, byte(len(s))}, s...)
}
