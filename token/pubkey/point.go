package pubkey

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// The wrappings of a point.
const (
	tagOctetString = 0x04
	tagBitString   = 0x03
)

// DecodePoint gives the raw point that CKA_EC_POINT holds: 04 X Y, or the bytes of RFC 8032 and RFC 7748. It accepts what clients
// pass: the raw point, the point in a DER OCTET STRING, and (Edwards and Montgomery, PKCS #11 v3.0) in a DER BIT STRING. The length
// alone tells them apart, since a raw point may begin with any byte. Points off a Weierstrass curve and compressed points are refused:
// CKR_ATTRIBUTE_VALUE_INVALID. The result may alias ecPoint.
func DecodePoint(c *Curve, ecPoint []byte) ([]byte, error) {
	raw, ok := unwrapPoint(c, ecPoint)
	if !ok {
		return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "CKA_EC_POINT of %d bytes is no point of %s", len(ecPoint), c.Name)
	}
	if c.ecdh != nil {
		if _, err := c.ecdh.NewPublicKey(raw); err != nil {
			return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "CKA_EC_POINT: %w", err)
		}
	}
	return raw, nil
}

func unwrapPoint(c *Curve, p []byte) ([]byte, bool) {
	want := c.PointLen()
	switch {
	case len(p) == want:
		return p, true
	case len(p) < want:
		return nil, false
	}
	header, raw := p[:len(p)-want], p[len(p)-want:]
	if string(header) == string(pointHeader(c, tagOctetString)) {
		return raw, true
	}
	if c.KeyType != ck.CKK_EC && string(header) == string(pointHeader(c, tagBitString)) {
		return raw, true
	}
	return nil, false
}

// EncodePoint makes CKA_EC_POINT of a raw point, for all curves as a DER OCTET STRING. For Edwards and Montgomery curves the text of
// PKCS #11 v3.1 and later wants the raw bytes, and that of v3.0 could be read either way; GnuTLS, libp11 to 0.4.12 and the OpenSSL
// provider to 0.5 read nothing but the OCTET STRING, and newer clients read both. So the form that all can read is written.
func EncodePoint(c *Curve, raw []byte) []byte {
	return append(pointHeader(c, tagOctetString), raw...)
}

// pointHeader is the DER header of a point of the curve.
func pointHeader(c *Curve, tag byte) []byte {
	n := c.PointLen()
	if tag == tagBitString {
		return []byte{tag, byte(n + 1), 0} // 0: no unused bits
	}
	if n >= 0x80 {
		return []byte{tag, 0x81, byte(n)} // P-521, 133 bytes
	}
	return []byte{tag, byte(n)}
}
