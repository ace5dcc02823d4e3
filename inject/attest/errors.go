package attest

import (
	"errors"
	"fmt"

	"github.com/ncrypt11/ncrypt11/token/seal"
)

// Link is a part of an attestation that the belief in it hangs on.
type Link string

// The links, in the order in which they are checked.
const (
	LinkSizes          Link = "its sizes"
	LinkEK             Link = "the endorsement key"
	LinkAK             Link = "the attestation key"
	LinkKey            Link = "the key that signed the statement"
	LinkCertified      Link = "what the TPM certified of that key"
	LinkCertificate    Link = "the attestation key's signature"
	LinkSignature      Link = "the statement's signature"
	LinkEKCertificates Link = "the endorsement key's certificate"
)

// Error says which link of an attestation does not hold, and why.
type Error struct {
	Link   Link
	Reason error
}

func (e *Error) Error() string {
	return fmt.Sprintf("the attestation does not hold: %s: %v", e.Link, e.Reason)
}

func (e *Error) Unwrap() error { return e.Reason }

func failed(link Link, reason error) error { return &Error{link, reason} }

// What an attestation may have at most. No TPM comes near these; they are for who decodes what strangers send.
const (
	MaxCertificates = 8
	MaxCertificate  = 4096
	MaxPart         = 512 // of each of the others
)

// Check says whether the sizes of an attestation are possible. It proves nothing.
func Check(a *seal.Attestation) error {
	if a == nil {
		return failed(LinkSizes, errors.New("there is none"))
	}
	if len(a.EKCertificates) > MaxCertificates {
		return failed(LinkSizes, fmt.Errorf("%d certificates, at most %d are taken", len(a.EKCertificates), MaxCertificates))
	}
	for _, der := range a.EKCertificates {
		if len(der) == 0 || len(der) > MaxCertificate {
			return failed(LinkSizes, fmt.Errorf("a certificate of %d bytes, at most %d are taken", len(der), MaxCertificate))
		}
	}
	for _, part := range []struct {
		link  Link
		bytes []byte
	}{
		{LinkEK, a.EKPublic}, {LinkAK, a.AKPublic}, {LinkKey, a.KeyPublic},
		{LinkCertified, a.Certified}, {LinkCertificate, a.Certificate}, {LinkSignature, a.Signature},
	} {
		if len(part.bytes) == 0 || len(part.bytes) > MaxPart {
			return failed(LinkSizes, fmt.Errorf("%s has %d bytes, at most %d are taken", part.link, len(part.bytes), MaxPart))
		}
	}
	return nil
}
