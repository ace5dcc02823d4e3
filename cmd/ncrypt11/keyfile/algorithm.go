package keyfile

import (
	encoding "encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// algorithmID is an AlgorithmIdentifier of a key: what it is for, and for EC keys the curve.
type algorithmID struct {
	oid        string
	parameters cryptobyte.String // still encoded; empty when absent
}

// name is what people call an algorithm or a curve, and whether a key of it can be read.
type name struct {
	text      string
	supported bool
}

const (
	oidRSA = "1.2.840.113549.1.1.1"
	oidEC  = "1.2.840.10045.2.1"
)

var algorithms = map[string]name{
	oidRSA:                    {"RSA", true},
	oidEC:                     {"EC", true},
	"1.3.101.110":             {"X25519", true},
	"1.3.101.112":             {"Ed25519", true},
	"1.3.101.111":             {"X448", false},
	"1.3.101.113":             {"Ed448", false},
	"1.2.840.10040.4.1":       {"DSA", false},
	"1.2.840.10046.2.1":       {"X9.42 Diffie-Hellman", false},
	"1.2.840.113549.1.3.1":    {"Diffie-Hellman", false},
	"1.2.840.113549.1.1.7":    {"RSAES-OAEP", false},
	"1.2.840.113549.1.1.10":   {"RSASSA-PSS", false},
	"1.2.156.10197.1.301":     {"SM2", false},
	"2.16.840.1.101.3.4.3.17": {"ML-DSA-44", true},
	"2.16.840.1.101.3.4.3.18": {"ML-DSA-65", true},
	"2.16.840.1.101.3.4.3.19": {"ML-DSA-87", true},
	"2.16.840.1.101.3.4.4.1":  {"ML-KEM-512", false},
	"2.16.840.1.101.3.4.4.2":  {"ML-KEM-768", false},
	"2.16.840.1.101.3.4.4.3":  {"ML-KEM-1024", false},
}

var curves = map[string]name{
	"1.2.840.10045.3.1.7":   {"P-256", true},
	"1.3.132.0.34":          {"P-384", true},
	"1.3.132.0.35":          {"P-521", true},
	"1.2.840.10045.3.1.1":   {"P-192", false},
	"1.3.132.0.33":          {"P-224", false},
	"1.3.132.0.10":          {"secp256k1", false},
	"1.3.36.3.3.2.8.1.1.7":  {"brainpoolP256r1", false},
	"1.3.36.3.3.2.8.1.1.11": {"brainpoolP384r1", false},
	"1.3.36.3.3.2.8.1.1.13": {"brainpoolP512r1", false},
	"1.2.156.10197.1.301":   {"SM2", false},
}

// supported says why a key of this algorithm cannot be read, before anything deeper is looked at.
func (a algorithmID) supported() error {
	if known := algorithms[a.oid]; !known.supported {
		return &Error{Err: fmt.Errorf("%s keys are not supported", orOID(known.text, a.oid)), Advice: adviceNewKey}
	}
	if a.oid == oidEC {
		return supportedCurve(a.parameters)
	}
	return nil
}

// supportedCurve reads ECParameters (RFC 5480, section 2.1.1), of which only a name is of use: explicit parameters are how forged
// generators get in.
func supportedCurve(parameters cryptobyte.String) error {
	if parameters.PeekASN1Tag(asn1.SEQUENCE) {
		return &Error{Err: errors.New("the curve is described by its parameters instead of its name"), Advice: "convert it with: openssl ec -param_enc named_curve -in FILE -out NEW"}
	}
	var oid encoding.ObjectIdentifier
	if !parameters.ReadASN1ObjectIdentifier(&oid) {
		return &Error{Err: errors.New("the key does not name its curve"), Advice: adviceCurve}
	}
	if known := curves[oid.String()]; !known.supported {
		return &Error{Err: fmt.Errorf("the curve %s is not supported", orOID(known.text, oid.String())), Advice: adviceCurve}
	}
	return nil
}

func orOID(text, oid string) string {
	if text == "" {
		return "OID " + oid
	}
	return text
}

// readAlgorithm reads an AlgorithmIdentifier.
func readAlgorithm(s *cryptobyte.String) (algorithmID, bool) {
	var inner cryptobyte.String
	var oid encoding.ObjectIdentifier
	if !s.ReadASN1(&inner, asn1.SEQUENCE) || !inner.ReadASN1ObjectIdentifier(&oid) {
		return algorithmID{}, false
	}
	return algorithmID{oid: oid.String(), parameters: inner}, true
}

// publicAlgorithm reads the algorithm of a SubjectPublicKeyInfo.
func publicAlgorithm(der []byte) (algorithmID, error) {
	s := cryptobyte.String(der)
	var inner cryptobyte.String
	if !s.ReadASN1(&inner, asn1.SEQUENCE) {
		return algorithmID{}, errNoAlgorithm
	}
	algorithm, ok := readAlgorithm(&inner)
	if !ok {
		return algorithmID{}, errNoAlgorithm
	}
	return algorithm, nil
}
