package attest

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The TCG's names (EK Credential Profile).
var (
	oidEKCertificate = asn1.ObjectIdentifier{2, 23, 133, 8, 1} // tcg-kp-EKCertificate, an extended key usage
	oidManufacturer  = asn1.ObjectIdentifier{2, 23, 133, 2, 1} // tcg-at-tpmManufacturer
	oidModel         = asn1.ObjectIdentifier{2, 23, 133, 2, 2} // tcg-at-tpmModel
	oidVersion       = asn1.ObjectIdentifier{2, 23, 133, 2, 3} // tcg-at-tpmVersion

	oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}
)

// certificates reads the endorsement key's certificate and those of its issuers. Whether it is believed or not, a certificate for another key has no business here.
func (k *keys) certificates(list [][]byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for _, der := range list {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	if len(all) > 0 && !k.ek.Is(all[0].PublicKey) {
		return nil, errors.New("it is of another endorsement key")
	}
	return all, nil
}

// Is says whether other is the key's public key.
func (k *Key) Is(other crypto.PublicKey) bool {
	mine, ok := k.Public.(interface{ Equal(x crypto.PublicKey) bool })
	return ok && mine.Equal(other)
}

// chain checks that the first of the certificates is an endorsement key's and leads to one of the roots.
func (t *Trust) chain(certificates []*x509.Certificate) error {
	switch {
	case t.EKRoots == nil:
		return errors.New("no maker's certificates are there to go by")
	case len(certificates) == 0:
		return errors.New("it has no certificate of its maker")
	}
	leaf := *certificates[0]
	// The subject's alternative name is critical, because the subject is empty, and holds the TPM's model, which Go does not read. All else that is critical stays so.
	leaf.UnhandledCriticalExtensions = slices.DeleteFunc(slices.Clone(leaf.UnhandledCriticalExtensions), oidSubjectAltName.Equal)
	if !slices.ContainsFunc(leaf.UnknownExtKeyUsage, oidEKCertificate.Equal) || leaf.IsCA {
		return errors.New("the certificate of its endorsement key is not for endorsement keys")
	}
	between := x509.NewCertPool()
	for _, c := range certificates[1:] {
		between.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots:         t.EKRoots,
		Intermediates: between,
		CurrentTime:   t.Time,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny}, // Go has no number for the TCG's, which was looked for above
	})
	if err != nil {
		return fmt.Errorf("its certificate is not believed: %w", err)
	}
	return nil
}

// names reads who made the TPM, and what it is, from the directory name in the subject's alternative name.
func names(c *x509.Certificate) (manufacturer, model, version string) {
	for _, attribute := range directoryNames(c) {
		text, ok := attribute.Value.(string)
		if !ok {
			continue
		}
		switch {
		case attribute.Type.Equal(oidManufacturer):
			manufacturer = letters(text)
		case attribute.Type.Equal(oidModel):
			model = printable(text)
		case attribute.Type.Equal(oidVersion):
			version = printable(text)
		}
	}
	return manufacturer, model, version
}

// directoryNames are the attributes of the directory names in the subject's alternative name (RFC 5280, 4.2.1.6).
func directoryNames(c *x509.Certificate) (all []pkix.AttributeTypeAndValue) {
	const directoryName = 4
	for _, extension := range c.Extensions {
		var list []asn1.RawValue
		if !extension.Id.Equal(oidSubjectAltName) {
			continue
		}
		if rest, err := asn1.Unmarshal(extension.Value, &list); err != nil || len(rest) != 0 {
			continue
		}
		for _, name := range list {
			var parts pkix.RDNSequence
			if name.Class != asn1.ClassContextSpecific || name.Tag != directoryName {
				continue
			}
			if rest, err := asn1.Unmarshal(name.Bytes, &parts); err != nil || len(rest) != 0 {
				continue
			}
			for _, part := range parts {
				all = append(all, part...)
			}
		}
	}
	return all
}

// letters reads a manufacturer's "id:494E5443", the letters that TPM_PT_MANUFACTURER has. Some have numbers there.
func letters(text string) string {
	if digits, ok := strings.CutPrefix(text, "id:"); ok {
		raw, err := hex.DecodeString(digits)
		if name := strings.TrimRight(string(raw), "\x00 "); err == nil && len(raw) == 4 && name != "" && printable(name) == name {
			return name
		}
	}
	return printable(text)
}
