package keyfile

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// format is one way to encode an item.
type format struct {
	name   string
	labels []string // PEM labels it may stand under
	shape  string   // how the list of its elements begins, see shapeOf
	read   func(*parser, block) error
}

const shapePKCS8 = "INTEGER SEQUENCE OCTETS"

// formats in the order of trial: a shape stands before the shorter ones that it begins with.
var formats = []format{
	{"PKCS #8 private key", []string{"PRIVATE KEY"}, shapePKCS8, (*parser).readPKCS8},
	{"encrypted PKCS #8 private key", []string{"ENCRYPTED PRIVATE KEY"}, "SEQUENCE OCTETS", (*parser).readEncryptedPKCS8},
	{"PKCS #1 RSA private key", []string{"RSA PRIVATE KEY"}, strings.Repeat("INTEGER ", 9), (*parser).readPKCS1},
	{"DSA private key", nil, strings.Repeat("INTEGER ", 6), (*parser).readDSA},
	{"SEC 1 EC private key", []string{"EC PRIVATE KEY"}, "INTEGER OCTETS", (*parser).readSEC1},
	{"PKCS #12 file", []string{"PKCS12", "PFX"}, "INTEGER SEQUENCE", (*parser).readPKCS12},
	{"X.509 certificate", []string{"CERTIFICATE", "X509 CERTIFICATE", "X.509 CERTIFICATE"}, "SEQUENCE SEQUENCE BITS", (*parser).readCertificate},
	{"PKIX public key", []string{"PUBLIC KEY"}, "SEQUENCE BITS", (*parser).readPKIX},
	{"PKCS #1 RSA public key", []string{"RSA PUBLIC KEY"}, "INTEGER INTEGER ", (*parser).readPKCS1Public},
	{"PKCS #7 bundle", nil, "OID", (*parser).readPKCS7},
	{"OpenSSH private key", []string{"OPENSSH PRIVATE KEY"}, opensshMagic, (*parser).readOpenSSH},
}

// parseBlock tells the format by the shape of the encoding and reads it. A PEM label that says otherwise is an error: whoever
// wrote it meant something else.
func (p *parser) parseBlock(b block) error {
	shape, err := shapeOf(b.der)
	if err != nil {
		return b.fail(err)
	}
	i := slices.IndexFunc(formats, func(f format) bool { return strings.HasPrefix(shape, f.shape) })
	labeled := slices.IndexFunc(formats, func(f format) bool { return slices.Contains(f.labels, b.label) })
	switch {
	case b.label != "" && labeled < 0:
		return b.advise("give the file of the private key", "blocks of this type are not supported")
	case i < 0:
		return b.advise("copy the file again, or check its name", "its structure is that of no key and no certificate")
	case labeled >= 0 && labeled != i:
		return b.advise("correct the BEGIN and END lines", "the label announces a %s, but what follows is a %s", formats[labeled].name, formats[i].name)
	}
	return formats[i].read(p, b)
}

// elementNames are the ASN.1 tags that tell formats apart.
var elementNames = map[asn1.Tag]string{
	asn1.INTEGER:           "INTEGER",
	asn1.SEQUENCE:          "SEQUENCE",
	asn1.OCTET_STRING:      "OCTETS",
	asn1.BIT_STRING:        "BITS",
	asn1.OBJECT_IDENTIFIER: "OID",
}

// shapeOf returns the names of the elements of the outermost SEQUENCE, each followed by a space, and checks that der is exactly that
// SEQUENCE. The one format here that is not ASN.1 is named by its magic.
func shapeOf(der []byte) (string, error) {
	if bytes.HasPrefix(der, []byte(opensshMagic)) {
		return opensshMagic, nil
	}
	rest, inner := cryptobyte.String(der), cryptobyte.String(nil)
	if !rest.ReadASN1(&inner, asn1.SEQUENCE) {
		return "", whyNotDER(der)
	}
	if len(rest) != 0 {
		return "", &Error{Err: fmt.Errorf("%d bytes follow the end of the structure", len(rest)), Advice: "remove them, or copy the file again"}
	}
	var shape strings.Builder
	const enough = 10
	for range enough {
		var element cryptobyte.String
		var tag asn1.Tag
		if !inner.ReadAnyASN1(&element, &tag) {
			break
		}
		name, ok := elementNames[tag]
		if !ok {
			name = "OTHER"
		}
		shape.WriteString(name + " ")
	}
	return shape.String(), nil
}

func whyNotDER(der []byte) error {
	const indefiniteLength = "\x30\x80"
	switch {
	case len(der) == 0:
		return errors.New("it is empty")
	case bytes.HasPrefix(der, []byte(indefiniteLength)):
		return &Error{Err: errors.New("it is BER, not DER"), Advice: "rewrite a PKCS #12 file with: openssl pkcs12 -in FILE -out NEW"}
	default:
		return &Error{Err: errors.New("it is not DER, or it is cut off"), Advice: "copy the file again"}
	}
}

func (p *parser) readCertificate(b block) error {
	// Requests and revocation lists have the same outer shape.
	if _, e := x509.ParseCertificateRequest(b.der); e == nil {
		return b.advise(adviceNoKey, whatRequest)
	}
	if _, e := x509.ParseRevocationList(b.der); e == nil {
		return b.advise(adviceNoKey, whatCRL)
	}
	return p.addCertificate(b, b.der)
}

func (p *parser) readPKIX(b block) error {
	algorithm, err := publicAlgorithm(b.der)
	if err != nil {
		return b.fail(err)
	}
	if err := algorithm.supported(); err != nil {
		return b.fail(err)
	}
	if set, ok := mldsaSets[algorithm.oid]; ok {
		return p.readMLDSAPublic(b, set)
	}
	public, err := x509.ParsePKIXPublicKey(bytes.Clone(b.der)) // an Ed25519 key is a slice of it
	if err != nil {
		return b.fail(fmt.Errorf("the public key cannot be read: %w", err))
	}
	p.file.PublicKeys = append(p.file.PublicKeys, public)
	return nil
}

func (p *parser) readPKCS1Public(b block) error {
	public, err := x509.ParsePKCS1PublicKey(b.der)
	if err != nil {
		return b.fail(fmt.Errorf("the RSA public key cannot be read: %w", err))
	}
	p.file.PublicKeys = append(p.file.PublicKeys, public)
	return nil
}

func (p *parser) readDSA(b block) error { return b.advise(adviceNewKey, "DSA keys are not supported") }

func (p *parser) readPKCS7(b block) error {
	return b.advise("get its certificates with: openssl pkcs7 -print_certs -inform DER -in FILE -out NEW", "it is a PKCS #7 or CMS bundle, which has no private keys")
}
