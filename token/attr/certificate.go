package attr

import (
	"bytes"
	"crypto/sha1" // CKA_CHECK_VALUE is defined by it; nothing is trusted because of it
	"encoding/asn1"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// certificate fills in what CKA_VALUE says, so that clients find a certificate by its issuer and serial number even if they stored it
// without (PKCS #11 v3.2, section 4.6.3).
func (m *making) certificate() error {
	der, _ := m.set.Get(ck.CKA_VALUE)
	if len(der) == 0 {
		return m.certificateByURL()
	}
	fields, err := parseCertificate(der)
	if err != nil {
		return ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "CKA_VALUE is no X.509 certificate: %w", err)
	}
	// What names the certificate is the caller's to choose: clients encode names in more than one way.
	for _, a := range []Attribute{
		{ck.CKA_SUBJECT, fields.Subject.FullBytes},
		{ck.CKA_ISSUER, fields.Issuer.FullBytes},
		{ck.CKA_SERIAL_NUMBER, fields.SerialNumber.FullBytes},
	} {
		if given, _ := m.set.Get(a.Type); len(given) == 0 {
			m.set.Put(a.Type, a.Value)
		}
	}
	digest := sha1.Sum(der)
	if err := m.demand(ck.CKA_CHECK_VALUE, digest[:3]); err != nil {
		return err
	}
	return m.demand(ck.CKA_PUBLIC_KEY_INFO, fields.PublicKeyInfo.FullBytes)
}

// certificateByURL checks a certificate that is kept elsewhere: its hashes stand for it.
func (m *making) certificateByURL() error {
	for _, typ := range []ck.AttributeType{ck.CKA_URL, ck.CKA_SUBJECT, ck.CKA_HASH_OF_SUBJECT_PUBLIC_KEY, ck.CKA_HASH_OF_ISSUER_PUBLIC_KEY} {
		if value, _ := m.set.Get(typ); len(value) == 0 {
			return ck.Errorf(ck.CKR_TEMPLATE_INCOMPLETE, "a certificate without CKA_VALUE needs %v", typ)
		}
	}
	return nil
}

// demand puts a computed value, which a given one must equal. An empty one asks for none to be stored.
func (m *making) demand(typ ck.AttributeType, value []byte) error {
	given, ok := m.set.Get(typ)
	switch {
	case !ok:
		m.set.Put(typ, value)
	case len(given) == 0:
	case !bytes.Equal(given, value):
		return m.schema.find(typ).invalid("not that of the certificate")
	}
	return nil
}

// tbsCertificate is the part of a certificate that is needed here (RFC 5280, section 4.1), read no further than to its fields' bounds:
// odd certificates are kept too, for their users to judge.
type tbsCertificate struct {
	Version       asn1.RawValue `asn1:"optional,explicit,tag:0"`
	SerialNumber  asn1.RawValue
	Algorithm     asn1.RawValue
	Issuer        asn1.RawValue
	Validity      asn1.RawValue
	Subject       asn1.RawValue
	PublicKeyInfo asn1.RawValue
}

func parseCertificate(der []byte) (*tbsCertificate, error) {
	var outer struct {
		TBS       asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.RawValue
	}
	rest, err := asn1.Unmarshal(der, &outer)
	if err != nil {
		return nil, err
	}
	if len(rest) != 0 {
		return nil, asn1.SyntaxError{Msg: "trailing data"}
	}
	var tbs tbsCertificate
	if _, err := asn1.Unmarshal(outer.TBS.FullBytes, &tbs); err != nil {
		return nil, err
	}
	if tbs.SerialNumber.Tag != asn1.TagInteger || tbs.Issuer.Tag != asn1.TagSequence || tbs.Subject.Tag != asn1.TagSequence {
		return nil, asn1.StructuralError{Msg: "fields of other types"}
	}
	return &tbs, nil
}
