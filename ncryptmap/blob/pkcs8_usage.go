package blob

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

// NCRYPT_KEY_USAGE_PROPERTY, as far as X.509 has words for it.
const (
	allowDecrypt      = 0x1
	allowSigning      = 0x2
	allowKeyAgreement = 0x4
	allowAllUsages    = 0x00ffffff
)

// oidKeyUsage is id-ce-keyUsage, 2.5.29.15: as an attribute of a PrivateKeyInfo it says what the key is for.
var oidKeyUsage = []byte{6, 3, 0x55, 0x1d, 0x0f}

// usageBits are the bits of KeyUsage (RFC 5280, section 4.2.1.3) with what CNG makes of each when it reads them, and which it writes.
var usageBits = []struct {
	bit     int
	usage   uint32
	written bool
}{
	{0, allowSigning, true},      // digitalSignature
	{2, allowDecrypt, false},     // keyEncipherment
	{3, allowDecrypt, true},      // dataEncipherment
	{4, allowKeyAgreement, true}, // keyAgreement
	{5, allowSigning, false},     // keyCertSign
	{6, allowSigning, false},     // cRLSign
	{7, allowDecrypt, false},     // encipherOnly
	{8, allowDecrypt, false},     // decipherOnly
}

// readUsage finds the key usage among attributes; nil: it is not there, and the key is for everything. Others are passed over.
func readUsage(attributes cryptobyte.String) (*uint32, error) {
	var usage *uint32
	for !attributes.Empty() {
		var attribute, oid, values cryptobyte.String
		if !attributes.ReadASN1(&attribute, asn1.SEQUENCE) || !attribute.ReadASN1Element(&oid, asn1.OBJECT_IDENTIFIER) ||
			!attribute.ReadASN1(&values, asn1.SET) || !attribute.Empty() {
			return nil, badDER("list of attributes")
		}
		if string(oid) != string(oidKeyUsage) {
			continue
		}
		found, ok := readKeyUsage(values)
		if !ok || usage != nil {
			return nil, nte.Errorf(nte.NTE_BAD_DATA, "the key usage in the blob is damaged, or there are two")
		}
		usage = &found
	}
	return usage, nil
}

// readKeyUsage reads a BIT STRING of named bits, of which the first is the highest bit of the first byte.
func readKeyUsage(value cryptobyte.String) (uint32, bool) {
	var content cryptobyte.String
	var unused uint8
	if !value.ReadASN1(&content, asn1.BIT_STRING) || !value.Empty() || !content.ReadUint8(&unused) || unused > 7 || unused > 0 && content.Empty() {
		return 0, false
	}
	var usage uint32
	for _, row := range usageBits {
		if i := row.bit / 8; i < len(content) && content[i]&(0x80>>(row.bit%8)) != 0 {
			usage |= row.usage
		}
	}
	return usage, true
}

// writeUsage adds the key usage as an attribute, unless the key is for everything. A key that is for none of it gets no bits, so that who reads the blob
// does not take it for one that is for everything.
func writeUsage(b *cryptobyte.Builder, usage *uint32) {
	if usage == nil || *usage&allowAllUsages == allowAllUsages {
		return
	}
	var bits uint8
	for _, row := range usageBits {
		if row.written && *usage&row.usage != 0 {
			bits |= 0x80 >> row.bit
		}
	}
	b.AddASN1(tag0, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(oidKeyUsage)
			b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.BIT_STRING, func(b *cryptobyte.Builder) { addNamedBits(b, bits) })
			})
		})
	})
}

// addNamedBits adds a byte of named bits without the zeros at its end (X.690, section 11.2.2).
func addNamedBits(b *cryptobyte.Builder, bits uint8) {
	if bits == 0 {
		b.AddUint8(0)
		return
	}
	unused := uint8(0)
	for bits>>unused&1 == 0 {
		unused++
	}
	b.AddUint8(unused)
	b.AddUint8(bits)
}
