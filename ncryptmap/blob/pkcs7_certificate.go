package blob

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
)

// Certificate is what an envelope needs of a certificate. crypto/x509 would read it too, but it brings net, and with it a resolver, into every program.
type Certificate struct {
	DER    []byte
	Issuer []byte // Name, DER
	Serial []byte // INTEGER, DER
	Public []byte // SubjectPublicKeyInfo, DER
	KeyID  []byte // subject key identifier; nil: there is none
}

// oidSubjectKeyID is id-ce-subjectKeyIdentifier, 2.5.29.14.
var oidSubjectKeyID = []byte{6, 3, 0x55, 0x1d, 0x0e}

// ParseCertificate reads NCRYPTBUFFER_CERT_BLOB: a certificate in DER, or a serialized certificate store with one in it. It trusts nobody: a certificate
// says which key is meant. Error: nte.NTE_INVALID_PARAMETER.
func ParseCertificate(data []byte) (*Certificate, error) {
	bad := nte.Errorf(nte.NTE_INVALID_PARAMETER, "the parameter is neither a certificate in DER nor a store with one certificate")
	if len(data) > maxBlob {
		return nil, bad
	}
	if der, ok := storedCertificate(data); ok {
		data = der
	}
	input := cryptobyte.String(data)
	var outer, tbs, issuer, serial, public, extensions, list cryptobyte.String
	var extended bool
	if !input.ReadASN1(&outer, tag.SEQUENCE) || !input.Empty() || !outer.ReadASN1(&tbs, tag.SEQUENCE) ||
		!tbs.SkipOptionalASN1(tag0) || !tbs.ReadASN1Element(&serial, tag.INTEGER) || !tbs.SkipASN1(tag.SEQUENCE) ||
		!tbs.ReadASN1Element(&issuer, tag.SEQUENCE) || !tbs.SkipASN1(tag.SEQUENCE) || !tbs.SkipASN1(tag.SEQUENCE) ||
		!tbs.ReadASN1Element(&public, tag.SEQUENCE) || !tbs.SkipOptionalASN1(tag.Tag(1).ContextSpecific()) || !tbs.SkipOptionalASN1(tag.Tag(2).ContextSpecific()) ||
		!tbs.ReadOptionalASN1(&extensions, &extended, tag.Tag(3).ContextSpecific().Constructed()) || extended && !extensions.ReadASN1(&list, tag.SEQUENCE) {
		return nil, bad
	}
	return &Certificate{data, issuer, serial, public, keyIDOf(list)}, nil
}

func keyIDOf(extensions cryptobyte.String) []byte {
	for !extensions.Empty() {
		var extension, oid, value, id cryptobyte.String
		if !extensions.ReadASN1(&extension, tag.SEQUENCE) || !extension.ReadASN1Element(&oid, tag.OBJECT_IDENTIFIER) {
			return nil
		}
		if bytes.Equal(oid, oidSubjectKeyID) && extension.SkipOptionalASN1(tag.BOOLEAN) && extension.ReadASN1(&value, tag.OCTET_STRING) && value.ReadASN1(&id, tag.OCTET_STRING) {
			return id
		}
	}
	return nil
}

// Names says whether a certificate is a recipient's.
func (r *Recipient) Names(c *Certificate) bool {
	if r.KeyID != nil {
		return bytes.Equal(r.KeyID, c.KeyID)
	}
	return bytes.Equal(r.Issuer, c.Issuer) && bytes.Equal(r.Serial, c.Serial)
}

// A serialized store (CERT_STORE_SAVE_AS_STORE): version 0 and "CERT"; then elements of identifier, encoding (1: X.509), length and value, of which the one
// with identifier 32 is a certificate; the last element has identifier 0.
const (
	storeMagic   = 0x54524543
	storeCert    = 32 // CERT_CERT_PROP_ID
	storeX509    = 1  // X509_ASN_ENCODING
	storeMaxRows = 1024
)

// storedCertificate gives the only certificate of a serialized store.
func storedCertificate(data []byte) ([]byte, bool) {
	const header, element = 8, 12
	if len(data) < header || binary.LittleEndian.Uint32(data) != 0 || binary.LittleEndian.Uint32(data[4:]) != storeMagic {
		return nil, false
	}
	var found []byte
	data = data[header:]
	for range storeMaxRows {
		if len(data) < element {
			return nil, false
		}
		id, encoding, n := binary.LittleEndian.Uint32(data), binary.LittleEndian.Uint32(data[4:]), binary.LittleEndian.Uint32(data[8:])
		data = data[element:]
		switch {
		case id == 0:
			return found, found != nil
		case uint64(n) > uint64(len(data)), id == storeCert && (found != nil || encoding != storeX509):
			return nil, false
		case id == storeCert:
			found = data[:n]
		}
		data = data[n:]
	}
	return nil, false
}
