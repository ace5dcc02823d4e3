package blob

import (
	"bytes"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// curveByParams finds the curve that CKA_EC_PARAMS name, which is how a named curve is written in DER as well.
func curveByParams(params []byte) *curve {
	return curveWhere(func(c *curve) bool { return bytes.Equal(c.params, params) && !c.montgomery() })
}

// groupFor says whether an EC key is CNG's for ECDH, which can sign too, or for ECDSA, which cannot agree: the caller may have said it; else a key that the
// blob says nothing of is for both, as on Windows.
func groupFor(oid string, usage *uint32, asked string) string {
	switch group := groupOf(asked); {
	case group == "ECDSA" || group == "ECDH":
		return group
	case usage != nil && *usage&allowKeyAgreement == 0 && oid != string(oidECDH):
		return "ECDSA"
	}
	return "ECDH"
}

// readECPrivateKey reads an ECPrivateKey (RFC 5915). What it says of the public key is not looked at, as on Windows: whoever takes the key in computes it. A
// curve that is described and not named is refused without a public key, and else accepted if it is one that has a name.
func readECPrivateKey(p *privateKeyInfo, group string) (*Key, error) {
	var sequence, scalar, inner, point cryptobyte.String
	var version int64
	var hasInner, hasPoint bool
	if !p.key.ReadASN1(&sequence, asn1.SEQUENCE) || !p.key.Empty() || !sequence.ReadASN1Integer(&version) || version != 1 ||
		!sequence.ReadASN1(&scalar, asn1.OCTET_STRING) || !sequence.ReadOptionalASN1(&inner, &hasInner, tag0) ||
		!sequence.ReadOptionalASN1(&point, &hasPoint, tag1) || !sequence.Empty() {
		return nil, badDER("ECPrivateKey")
	}
	if p.parameters.Empty() {
		p.parameters = inner
	}
	if hasInner && !bytes.Equal(inner, p.parameters) {
		return nil, nte.Errorf(nte.NTE_BAD_DATA, "the key names two different curves")
	}
	c := curveByParams(p.parameters)
	if p.parameters.PeekASN1Tag(asn1.SEQUENCE) {
		if !hasPoint {
			return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "a key on a curve that is described and not named needs its public key")
		}
		c = curveDescribed(p.parameters)
	}
	if c == nil {
		return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "the curve of the key is not supported")
	}
	if n := len(number(scalar)); n == 0 || n > c.size || len(scalar) > 2*c.size {
		return nil, nte.Errorf(nte.NTE_BAD_DATA, "the private key has the wrong length for %s", c.names[0])
	}
	k := newKey(group, ck.CKK_EC, true)
	k.Put(ck.CKA_EC_PARAMS, c.params)
	k.PutSecret(ck.CKA_VALUE, number(scalar))
	return k, nil
}

// oidPrimeField is prime-field of ANSI X9.62.
var oidPrimeField = []byte{6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 1, 1}

// curveDescribed finds the curve that explicit parameters describe (RFC 3279, section 2.3.5), nil where it is none that the token has: who may choose a
// generator can forge.
func curveDescribed(der cryptobyte.String) *curve {
	var parameters, field, oid, equation, a, b, base cryptobyte.String
	var version int64
	var p, order, cofactor []byte
	if !der.ReadASN1(&parameters, asn1.SEQUENCE) || !der.Empty() || !parameters.ReadASN1Integer(&version) || version < 1 || version > 3 ||
		!parameters.ReadASN1(&field, asn1.SEQUENCE) || !field.ReadASN1Element(&oid, asn1.OBJECT_IDENTIFIER) || !bytes.Equal(oid, oidPrimeField) ||
		!field.ReadASN1Integer(&p) || !field.Empty() ||
		!parameters.ReadASN1(&equation, asn1.SEQUENCE) || !equation.ReadASN1(&a, asn1.OCTET_STRING) || !equation.ReadASN1(&b, asn1.OCTET_STRING) ||
		!equation.SkipOptionalASN1(asn1.BIT_STRING) || !equation.Empty() ||
		!parameters.ReadASN1(&base, asn1.OCTET_STRING) || !parameters.ReadASN1Integer(&order) {
		return nil
	}
	if !parameters.Empty() && (!parameters.ReadASN1Integer(&cofactor) || !parameters.Empty()) {
		return nil
	}
	return curveWhere(func(c *curve) bool {
		d := domainOfCurve(c)
		if d == nil || len(base) != 1+2*c.size || base[0] != uncompressed || cofactor != nil && !sameNumber(cofactor, d.cofactor) {
			return false
		}
		field := slices.Concat(padded(p, c.size), padded(a, c.size), padded(b, c.size), base[1:])
		return bytes.Equal(field, d.field) && sameNumber(order, d.order)
	})
}

// padded is a public number in n bytes, nil where it is longer.
func padded(value []byte, n int) []byte {
	value = number(value)
	if len(value) > n {
		return nil
	}
	return append(make([]byte, n-len(value), n), value...)
}

// writeECPrivateKey writes an ECPrivateKey without the curve, which the algorithm says.
func writeECPrivateKey(b *cryptobyte.Builder, k *Key, c *curve) {
	_, coordinates := pointOf(k)
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1(asn1.OCTET_STRING, func(b *cryptobyte.Builder) {
			value := number(k.Get(ck.CKA_VALUE))
			b.AddBytes(make([]byte, c.size-len(value)))
			b.AddBytes(value)
		})
		if coordinates != nil {
			b.AddASN1(tag1, func(b *cryptobyte.Builder) { b.AddASN1BitString(slices.Concat([]byte{uncompressed}, coordinates)) })
		}
	})
}
