package blob

import (
	"bytes"
	"slices"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// curve is one that CNG has a name for (BCRYPT_ECC_CURVE_*).
type curve struct {
	names  []string // the first is the one that is written
	size   int      // bytes of a coordinate
	params []byte   // DER of its object identifier
	known  *pubkey.Curve
}

// curves: those without a pubkey.Curve are read and written all the same. Who takes the key in refuses it, and can say why.
var curves = []curve{
	{[]string{"nistP256", "secP256r1", "x962P256v1"}, 32, pubkey.P256.Params, pubkey.P256},
	{[]string{"nistP384", "secP384r1"}, 48, pubkey.P384.Params, pubkey.P384},
	{[]string{"nistP521", "secP521r1"}, 66, pubkey.P521.Params, pubkey.P521},
	{[]string{curve25519}, 32, pubkey.X25519.Params, pubkey.X25519},
	{[]string{"nistP192", "secP192r1", "x962P192v1"}, 24, []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 1}, nil}, // 1.2.840.10045.3.1.1
	{[]string{"nistP224", "secP224r1"}, 28, secg(33), nil},
	{[]string{"secP192k1"}, 24, secg(31), nil},
	{[]string{"secP256k1"}, 32, secg(10), nil},
	{[]string{"brainpoolP160r1"}, 20, brainpool(1), nil},
	{[]string{"brainpoolP160t1"}, 20, brainpool(2), nil},
	{[]string{"brainpoolP192r1"}, 24, brainpool(3), nil},
	{[]string{"brainpoolP192t1"}, 24, brainpool(4), nil},
	{[]string{"brainpoolP224r1"}, 28, brainpool(5), nil},
	{[]string{"brainpoolP224t1"}, 28, brainpool(6), nil},
	{[]string{"brainpoolP256r1"}, 32, brainpool(7), nil},
	{[]string{"brainpoolP256t1"}, 32, brainpool(8), nil},
	{[]string{"brainpoolP320r1"}, 40, brainpool(9), nil},
	{[]string{"brainpoolP320t1"}, 40, brainpool(10), nil},
	{[]string{"brainpoolP384r1"}, 48, brainpool(11), nil},
	{[]string{"brainpoolP384t1"}, 48, brainpool(12), nil},
	{[]string{"brainpoolP512r1"}, 64, brainpool(13), nil},
	{[]string{"brainpoolP512t1"}, 64, brainpool(14), nil},
}

// curve25519 has one coordinate: u, as RFC 7748 has it, is X, and Y is zero.
const curve25519 = "curve25519"

// secg is 1.3.132.0.last: SEC 2, appendix A.
func secg(last byte) []byte { return []byte{6, 5, 0x2b, 0x81, 4, 0, last} }

// brainpool is 1.3.36.3.3.2.8.1.1.last: RFC 5639, section 4.1.
func brainpool(last byte) []byte { return []byte{6, 9, 0x2b, 0x24, 3, 3, 2, 8, 1, 1, last} }

func (c *curve) montgomery() bool { return c.names[0] == curve25519 }

func (c *curve) keyType() ck.KeyType {
	if c.montgomery() {
		return ck.CKK_EC_MONTGOMERY
	}
	return ck.CKK_EC
}

func curveNamed(name string) *curve {
	return curveWhere(func(c *curve) bool { return slices.Contains(c.names, name) })
}

func curveWhere(is func(*curve) bool) *curve {
	for i := range curves {
		if is(&curves[i]) {
			return &curves[i]
		}
	}
	return nil
}

// CurveByName finds a curve by CNG's name, nil where it is not supported.
func CurveByName(name string) *pubkey.Curve {
	c := curveNamed(name)
	if c == nil {
		return nil
	}
	return c.known
}

// CurveName is CNG's name of a curve.
func CurveName(known *pubkey.Curve) string {
	c := curveWhere(func(c *curve) bool { return c.known != nil && c.known == known })
	if c == nil {
		return ""
	}
	return c.names[0]
}

// pointOf gives a key's curve and its coordinates, one behind the other.
func pointOf(k *Key) (c *curve, coordinates []byte) {
	params, point := k.Get(ck.CKA_EC_PARAMS), k.Get(ck.CKA_EC_POINT)
	if known, err := pubkey.DecodeParams(params, k.KeyType); err == nil {
		c = curveWhere(func(c *curve) bool { return c.known == known })
		if point, err = pubkey.DecodePoint(known, point); err != nil {
			return nil, nil
		}
	} else {
		c = curveWhere(func(c *curve) bool { return bytes.Equal(c.params, params) && c.keyType() == k.KeyType })
	}
	switch {
	case c == nil:
		return nil, nil
	case c.montgomery():
		return c, append(slices.Clone(point), make([]byte, c.size)...)
	case len(point) != 1+2*c.size || point[0] != uncompressed:
		return nil, nil
	}
	return c, point[1:]
}
