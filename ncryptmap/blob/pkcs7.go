package blob

import (
	"bytes"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// The formats of keys that are under another key, whose owner opens them: they are known here and taken apart, and nobody has what is in them.
const (
	PKCS7       = "PKCS7_ENVELOPE"        // NCRYPT_PKCS7_ENVELOPE_BLOB: EnvelopedData (RFC 5652, section 6)
	Opaque      = "OpaqueTransport"       // NCRYPT_OPAQUETRANSPORT_BLOB
	IsolatedKey = "ISOLATED_KEY_ENVELOPE" // NCRYPT_ISOLATED_KEY_ENVELOPE_BLOB
)

var sealedFormats = []format{
	{PKCS7, ck.CKO_PRIVATE_KEY, readSealed, writeSealed},
	{Opaque, 0, readSealed, writeSealed},
	{IsolatedKey, 0, readSealed, writeSealed},
}

func readSealed([]byte, *Options) (*Key, error) {
	return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "the blob is opened with the key that it is under")
}

func writeSealed(*Key, *Options) (*secret.Bytes, error) {
	return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "the blob is made by who has the key")
}

// OIDs of CMS (RFC 5652), with their content ciphers and key transports (RFC 3565, RFC 3560).
var (
	oidEnvelopedData = mustOID("1.2.840.113549.1.7.3")
	oidData          = mustOID("1.2.840.113549.1.7.1")
	oidRSAOAEP       = mustOID("1.2.840.113549.1.1.7")
	oidMGF1          = mustOID("1.2.840.113549.1.1.8")
	oidPSpecified    = mustOID("1.2.840.113549.1.1.9")
)

// Enveloped is an EnvelopedData.
type Enveloped struct {
	Recipients []Recipient // those with key transport by RSA
	Cipher     Cipher
	IV         []byte
	Data       []byte
}

// Cipher is what content is encrypted with, in CBC mode and padded.
type Cipher struct {
	OID    string
	KeyLen int
	AES    bool // else triple DES
}

// Recipient is who can open an envelope, with the content's key encrypted for him.
type Recipient struct {
	Issuer []byte // Name, DER; with Serial
	Serial []byte // INTEGER, DER
	KeyID  []byte // subject key identifier; nil: Issuer and Serial say who
	Hash   string // of OAEP, by CNG's name; empty: the padding of PKCS #1 v1.5
	MGF    string // hash of OAEP's mask, by CNG's name
	Label  []byte
	Key    []byte // the content's key, encrypted
}

// maxRecipients bounds what is tried.
const maxRecipients = 64

// ParseEnveloped reads an EnvelopedData in DER. Errors: nte.NTE_BAD_DATA; nte.NTE_NOT_SUPPORTED for another cipher.
func ParseEnveloped(der []byte) (*Enveloped, error) {
	input := cryptobyte.String(der)
	var info, oid, content, envelope, recipients, encrypted cryptobyte.String
	var version int64
	if len(der) > maxBlob || !input.ReadASN1(&info, tag.SEQUENCE) || !input.Empty() || !info.ReadASN1Element(&oid, tag.OBJECT_IDENTIFIER) ||
		!bytes.Equal(oid, oidEnvelopedData) || !info.ReadASN1(&content, tag0) || !info.Empty() ||
		!content.ReadASN1(&envelope, tag.SEQUENCE) || !content.Empty() || !envelope.ReadASN1Integer(&version) || version < 0 || version > 4 ||
		!envelope.SkipOptionalASN1(tag0) || !envelope.ReadASN1(&recipients, tag.SET) ||
		!envelope.ReadASN1(&encrypted, tag.SEQUENCE) || !envelope.SkipOptionalASN1(tag1) || !envelope.Empty() {
		return nil, badDER("EnvelopedData")
	}
	e := &Enveloped{}
	if err := e.parseContent(encrypted); err != nil {
		return nil, err
	}
	for n := 0; !recipients.Empty(); n++ {
		var element cryptobyte.String
		var kind tag.Tag
		if !recipients.ReadAnyASN1(&element, &kind) || n == maxRecipients {
			return nil, badDER("EnvelopedData")
		}
		if kind != tag.SEQUENCE {
			continue // another way than key transport
		}
		if r, ok := parseRecipient(element); ok {
			e.Recipients = append(e.Recipients, *r)
		}
	}
	return e, nil
}

// parseContent reads an EncryptedContentInfo.
func (e *Enveloped) parseContent(der cryptobyte.String) error {
	var algorithm, iv, data cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !der.SkipASN1(tag.OBJECT_IDENTIFIER) || !der.ReadASN1(&algorithm, tag.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&oid) {
		return badDER("EncryptedContentInfo")
	}
	s := schemeOf(oid.String())
	if s == nil || s.derivesIV() {
		return nte.Errorf(nte.NTE_NOT_SUPPORTED, "the content cipher %v is not supported", oid)
	}
	if !algorithm.ReadASN1(&iv, tag.OCTET_STRING) || !algorithm.Empty() || len(iv) != s.blockLen ||
		!der.ReadASN1(&data, tag.Tag(0).ContextSpecific()) || !der.Empty() || len(data) == 0 || len(data)%s.blockLen != 0 {
		return badDER("EncryptedContentInfo")
	}
	e.Cipher, e.IV, e.Data = cipherOf(s), iv, data
	return nil
}

func cipherOf(s *scheme) Cipher { return Cipher{s.oid, s.keyLen, s.blockLen == aesBlock} }

// parseRecipient reads a KeyTransRecipientInfo; false where it is one that RSA does not open.
func parseRecipient(der cryptobyte.String) (*Recipient, bool) {
	var version int64
	var who, algorithm, oid, key cryptobyte.String
	r := &Recipient{}
	if !der.ReadASN1Integer(&version) {
		return nil, false
	}
	if der.PeekASN1Tag(tag.SEQUENCE) {
		var issuer, serial cryptobyte.String
		if !der.ReadASN1(&who, tag.SEQUENCE) || !who.ReadASN1Element(&issuer, tag.SEQUENCE) || !who.ReadASN1Element(&serial, tag.INTEGER) || !who.Empty() {
			return nil, false
		}
		r.Issuer, r.Serial = issuer, serial
	} else {
		if !der.ReadASN1(&who, tag.Tag(0).ContextSpecific()) || len(who) == 0 {
			return nil, false
		}
		r.KeyID = who
	}
	if !der.ReadASN1(&algorithm, tag.SEQUENCE) || !algorithm.ReadASN1Element(&oid, tag.OBJECT_IDENTIFIER) || !der.ReadASN1(&key, tag.OCTET_STRING) || !der.Empty() {
		return nil, false
	}
	r.Key = key
	switch {
	case bytes.Equal(oid, oidRSA):
		return r, true
	case bytes.Equal(oid, oidRSAOAEP):
		return r, r.parseOAEP(algorithm)
	}
	return nil, false
}

// oaepHashes are those of OAEP, by CNG's names.
var oaepHashes = []struct {
	oid  []byte
	name string
}{
	{mustOID("1.3.14.3.2.26"), "SHA1"},
	{mustOID("2.16.840.1.101.3.4.2.1"), "SHA256"},
	{mustOID("2.16.840.1.101.3.4.2.2"), "SHA384"},
	{mustOID("2.16.840.1.101.3.4.2.3"), "SHA512"},
}

// readHash reads the AlgorithmIdentifier of a hash.
func readHash(der cryptobyte.String) (string, bool) {
	var algorithm, oid cryptobyte.String
	if !der.ReadASN1(&algorithm, tag.SEQUENCE) || !der.Empty() || !algorithm.ReadASN1Element(&oid, tag.OBJECT_IDENTIFIER) {
		return "", false
	}
	for _, h := range oaepHashes {
		if bytes.Equal(h.oid, oid) {
			return h.name, true
		}
	}
	return "", false
}

// parseOAEP reads RSAES-OAEP-params (RFC 8017, appendix A.2.1), whose defaults are SHA-1 and an empty label.
func (r *Recipient) parseOAEP(der cryptobyte.String) bool {
	r.Hash, r.MGF = "SHA1", "SHA1"
	if der.Empty() {
		return true
	}
	var params, hash, mask, source cryptobyte.String
	var hasHash, hasMask, hasSource bool
	if !der.ReadASN1(&params, tag.SEQUENCE) || !der.Empty() || !params.ReadOptionalASN1(&hash, &hasHash, tag0) ||
		!params.ReadOptionalASN1(&mask, &hasMask, tag1) || !params.ReadOptionalASN1(&source, &hasSource, tag.Tag(2).ContextSpecific().Constructed()) || !params.Empty() {
		return false
	}
	ok := true
	if hasHash {
		r.Hash, ok = readHash(hash)
	}
	if hasMask && ok {
		var algorithm, oid cryptobyte.String
		ok = mask.ReadASN1(&algorithm, tag.SEQUENCE) && mask.Empty() && algorithm.ReadASN1Element(&oid, tag.OBJECT_IDENTIFIER) && bytes.Equal(oid, oidMGF1)
		if ok {
			r.MGF, ok = readHash(algorithm)
		}
	}
	if hasSource && ok {
		var algorithm, oid, label cryptobyte.String
		ok = source.ReadASN1(&algorithm, tag.SEQUENCE) && source.Empty() && algorithm.ReadASN1Element(&oid, tag.OBJECT_IDENTIFIER) &&
			bytes.Equal(oid, oidPSpecified) && algorithm.ReadASN1(&label, tag.OCTET_STRING) && algorithm.Empty()
		r.Label = label
	}
	return ok
}
