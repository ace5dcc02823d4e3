package keyfile

import (
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// maxPKCS1 admits RSA keys of 16384 bits, whose nine integers take some 9300 bytes: checking larger ones takes too long.
const maxPKCS1 = 9600

// readPKCS8 reads a PrivateKeyInfo (RFC 5208, section 5). The algorithm is judged before x509 sees the key, because x509 does not
// name what it refuses.
func (p *parser) readPKCS8(b block) error {
	s := cryptobyte.String(b.der)
	var inner, private cryptobyte.String
	if !s.ReadASN1(&inner, asn1.SEQUENCE) || !inner.SkipASN1(asn1.INTEGER) {
		return b.fail(errDamaged)
	}
	algorithm, ok := readAlgorithm(&inner)
	if !ok {
		return b.fail(errNoAlgorithm)
	}
	if err := algorithm.supported(); err != nil {
		return b.fail(err)
	}
	if !inner.ReadASN1(&private, asn1.OCTET_STRING) {
		return b.fail(errDamaged)
	}
	if algorithm.oid == oidRSA {
		return p.readPKCS1(block{where: b.where, der: private})
	}
	if set, ok := mldsaSets[algorithm.oid]; ok {
		return p.readMLDSA(b, set, private)
	}
	key, err := x509.ParsePKCS8PrivateKey(b.der)
	if err != nil {
		return b.fail(fmt.Errorf("the %s key is not valid: %w", algorithms[algorithm.oid].text, err))
	}
	if ec, ok := key.(*ecdsa.PrivateKey); ok {
		return p.addEC(b, ec, private, algorithm.parameters)
	}
	return p.addKey(b, key, "")
}

func (p *parser) readPKCS1(b block) error {
	if len(b.der) > maxPKCS1 {
		return b.fail(errRSATooLarge)
	}
	key, err := x509.ParsePKCS1PrivateKey(b.der)
	if err != nil {
		return b.advise("check it with: openssl rsa -check -noout -in FILE", "the RSA key is not valid: %w", err)
	}
	return p.addKey(b, key, "")
}

func (p *parser) readSEC1(b block) error {
	parameters, _, ok := sec1Parts(b.der)
	if !ok {
		return b.fail(errDamaged)
	}
	if err := supportedCurve(parameters); err != nil {
		return b.fail(err)
	}
	key, err := x509.ParseECPrivateKey(b.der)
	if err != nil {
		return b.fail(fmt.Errorf("the EC key is not valid: %w", err))
	}
	return p.addEC(b, key, b.der, parameters)
}

// addEC adds a key that was read from the ECPrivateKey sec1 on the curve of parameters. The public point that may accompany the
// scalar is not used, but it has to agree: it is the only thing that shows a damaged scalar.
func (p *parser) addEC(b block, key *ecdsa.PrivateKey, sec1, parameters []byte) error {
	inside, point, ok := sec1Parts(sec1)
	switch {
	case !ok:
		wipeKey(key)
		return b.fail(errDamaged)
	case len(inside) != 0 && string(inside) != string(parameters):
		wipeKey(key)
		return b.fail(errors.New("the key names two different curves"))
	case len(point) != 0 && !samePoint(&key.PublicKey, point):
		wipeKey(key)
		return b.fail(errMismatch)
	}
	return p.addKey(b, key, "")
}

var (
	tagParameters = asn1.Tag(0).Constructed().ContextSpecific()
	tagPublicKey  = asn1.Tag(1).Constructed().ContextSpecific()
)

// sec1Parts returns the curve parameters and the public point of an ECPrivateKey (RFC 5915, section 3), each empty when absent.
func sec1Parts(der []byte) (parameters, point cryptobyte.String, ok bool) {
	s := cryptobyte.String(der)
	var inner, public cryptobyte.String
	var hasPublic bool
	var unused uint8
	ok = s.ReadASN1(&inner, asn1.SEQUENCE) && s.Empty() &&
		inner.SkipASN1(asn1.INTEGER) && inner.SkipASN1(asn1.OCTET_STRING) &&
		inner.ReadOptionalASN1(&parameters, nil, tagParameters) &&
		inner.ReadOptionalASN1(&public, &hasPublic, tagPublicKey)
	if ok && hasPublic {
		ok = public.ReadASN1(&point, asn1.BIT_STRING) && point.ReadUint8(&unused) && unused == 0
	}
	return parameters, point, ok
}

// samePoint compares a public key with an encoded point, compressed or not (SEC 1, section 2.3.3).
func samePoint(public *ecdsa.PublicKey, point []byte) bool {
	whole, err := public.Bytes()
	if err != nil || len(point) == 0 {
		return false
	}
	if point[0] == whole[0] {
		return string(point) == string(whole)
	}
	const compressed = 2
	x, y := whole[1:1+len(whole)/2], whole[1+len(whole)/2:]
	return point[0] == compressed|y[len(y)-1]&1 && string(point[1:]) == string(x)
}

var (
	errDamaged     = errors.New("the structure is damaged")
	errNoAlgorithm = errors.New("the key does not name its algorithm")
	errMismatch    = &Error{Err: errors.New("its public half does not belong to its private half"), Advice: "the file is damaged; get it anew"}
	errRSATooLarge = errors.New("RSA keys of more than 16384 bits are not supported")
)
