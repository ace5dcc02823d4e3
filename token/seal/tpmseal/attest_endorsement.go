package tpmseal

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"

	"github.com/google/go-tpm/tpm2"

	"github.com/ncrypt11/ncrypt11/inject/attest"
)

// endorsementKind is a kind of endorsement key, and where the TCG has things that belong to it (Registry of Reserved TPM 2.0 Handles; EK Credential Profile, 2.2.1).
type endorsementKind struct {
	template    *attest.Template
	certificate tpm2.TPMHandle // an NV index
	kept        tpm2.TPMHandle // where the key is, if somebody made it persistent; 0: it is made sooner than looked for
}

// The kinds. The first whose certificate the TPM has is taken, and the first of all where it has none: a TPM makes it in a moment, and one for RSA in many seconds.
var (
	onP256       = endorsementKind{&attest.ECCEndorsementKey, 0x01C0000A, 0}
	onRSA        = endorsementKind{&attest.RSAEndorsementKey, 0x01C00002, 0x81010001}
	endorsements = []*endorsementKind{&onP256, &onRSA}
)

// endorsement is the endorsement key, and its certificate with those of the issuers, if it has one. A certificate for another key, which the maker had made by a template of
// his own, is nothing to go by.
func (o *operation) endorsement() (*endorsed, [][]byte, error) {
	for _, kind := range endorsements {
		der, public, err := o.certificate(kind.certificate)
		if err != nil {
			return nil, nil, err
		}
		if der == nil {
			continue
		}
		ek, err := o.endorsementKey(kind, public)
		if err != nil {
			return nil, nil, err
		}
		if !ek.Is(public) {
			ek.done()
			continue
		}
		issuers, err := o.issuers()
		if err != nil {
			ek.done()
			return nil, nil, err
		}
		return ek, append([][]byte{der}, issuers...), nil
	}
	ek, err := o.endorsed(onP256.template)
	return ek, nil, err
}

// endorsementKey is the endorsement key of a kind. One that was made persistent spares making it; but it is the owner who says what is persistent, so it has to be that
// of the certificate.
func (o *operation) endorsementKey(kind *endorsementKind, certified crypto.PublicKey) (*endorsed, error) {
	if certified != nil && kind.kept != 0 {
		if got, err := execute(o, tpm2.ReadPublic{ObjectHandle: kind.kept}); err == nil {
			key, err := kind.template.Read(got.OutPublic.Bytes())
			if err == nil && bytes.Equal(key.Name, got.Name.Buffer) && key.Is(certified) {
				return &endorsed{key, kind.kept, func() {}}, nil
			}
		} else if o.lost != nil {
			return nil, err
		}
	}
	return o.endorsed(kind.template)
}

// endorsementOf is the endorsement key of a kind, whether it has a certificate or not.
func (o *operation) endorsementOf(kind *endorsementKind) (*endorsed, error) {
	if kind.kept == 0 {
		return o.endorsed(kind.template)
	}
	_, certified, err := o.certificate(kind.certificate)
	if err != nil {
		return nil, err
	}
	return o.endorsementKey(kind, certified)
}

// certificate reads a certificate, and the key that it is for; nil where there is none, or none that anybody could read.
func (o *operation) certificate(index tpm2.TPMHandle) ([]byte, crypto.PublicKey, error) {
	content, err := o.readNV(index)
	if err != nil {
		return nil, nil, err
	}
	der, _ := cutCertificate(content) // some have padding behind
	if der == nil {
		return nil, nil, nil
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, nil
	}
	return der, c.PublicKey, nil
}

// issuers reads the certificates that makers leave for the way from the endorsement key's to their own: one after the other, over several indices where they are long.
func (o *operation) issuers() ([][]byte, error) {
	const first, last, most = 0x01C00100, 0x01C001FF, 16
	got, err := execute(o, tpm2.GetCapability{Capability: tpm2.TPMCapHandles, Property: first, PropertyCount: most})
	if err != nil {
		return nil, err
	}
	indices, err := got.CapabilityData.Data.Handles()
	if err != nil {
		return nil, unsound("TPM2_GetCapability: " + err.Error())
	}
	var all []byte
	for _, index := range indices.Handle[:min(most, len(indices.Handle))] {
		if index < first || index > last {
			break
		}
		content, err := o.readNV(index)
		if err != nil {
			return nil, err
		}
		all = append(all, content...)
	}
	var issuers [][]byte
	for len(issuers) < attest.MaxCertificates-1 {
		var der []byte
		if der, all = cutCertificate(all); der == nil {
			break
		}
		if _, err := x509.ParseCertificate(der); err == nil {
			issuers = append(issuers, der)
		}
	}
	return issuers, nil
}

// cutCertificate cuts what may be a certificate, a SEQUENCE of DER, off the front; nil where there is none.
func cutCertificate(content []byte) (der, rest []byte) {
	var sequence asn1.RawValue
	rest, err := asn1.Unmarshal(content, &sequence)
	if err != nil || sequence.Class != asn1.ClassUniversal || sequence.Tag != asn1.TagSequence || len(sequence.FullBytes) > attest.MaxCertificate {
		return nil, nil
	}
	return sequence.FullBytes, rest
}
