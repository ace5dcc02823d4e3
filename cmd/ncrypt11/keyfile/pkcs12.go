package keyfile

import (
	"crypto/x509"
	"errors"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"software.sslmate.com/src/go-pkcs12"
)

// readPKCS12 reads one private key, its certificate and the chain. Files without a password are common: it is asked for only where
// the empty one does not do.
func (p *parser) readPKCS12(b block) error {
	if asksTooMuch(b.der, 0) {
		return b.advise(advicePKCS12, "%w", errTooMuchWork)
	}
	err := p.decodePKCS12(b, "")
	if !errors.Is(err, ErrPassphrase) {
		return err
	}
	pass, err := p.passphrase(b)
	if err != nil {
		return err
	}
	defer pass.Close()
	// The library takes a string: that copy is the garbage collector's.
	return p.decodePKCS12(b, string(pass.Bytes()))
}

func (p *parser) decodePKCS12(b block, password string) error {
	key, leaf, chain, err := pkcs12.DecodeChain(b.der, password)
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword), errors.Is(err, pkcs12.ErrDecryption):
		return b.fail(ErrPassphrase)
	case err != nil:
		return b.advise(advicePKCS12, "it cannot be read as one private key and its certificates: %w", err)
	}
	if err := p.addKey(b, key, ""); err != nil {
		return err
	}
	for _, certificate := range slices.Concat([]*x509.Certificate{leaf}, chain) {
		if err := p.addCertificate(b, certificate.Raw); err != nil {
			return err
		}
	}
	return nil
}

// asksTooMuch looks for an iteration count beyond reason before the library obeys it. In every parameter set of PKCS #5 and PKCS #12
// the count is the INTEGER that follows the salt, an OCTET STRING; octet strings are looked into, because PKCS #12 nests
// its contents in them.
func asksTooMuch(der cryptobyte.String, depth int) bool {
	const deepest = 32
	if depth > deepest {
		return true
	}
	var previous asn1.Tag
	for !der.Empty() {
		var element, content cryptobyte.String
		var tag asn1.Tag
		if !der.ReadAnyASN1Element(&element, &tag) {
			return false // not DER after all: ciphertext, or a salt
		}
		var count int64
		counted := element
		if tag == asn1.INTEGER && previous == asn1.OCTET_STRING && (!counted.ReadASN1Integer(&count) || count > maxIterations) {
			return true
		}
		const constructed = 0x20
		if (tag&constructed != 0 || tag == asn1.OCTET_STRING) && element.ReadAnyASN1(&content, &tag) && asksTooMuch(content, depth+1) {
			return true
		}
		previous = tag
	}
	return false
}
