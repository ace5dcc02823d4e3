package keyfile

import (
	"crypto/sha3"
	"fmt"

	"filippo.io/mldsa"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// mldsaSet is a parameter set of ML-DSA.
type mldsaSet struct {
	parameters mldsa.Parameters
	expanded   int // bytes of a private key that is written out (FIPS 204, table 2)
}

// mldsaSets by their OIDs (RFC 9881, section 2).
var mldsaSets = map[string]mldsaSet{
	"2.16.840.1.101.3.4.3.17": {mldsa.MLDSA44(), 2560},
	"2.16.840.1.101.3.4.3.18": {mldsa.MLDSA65(), 4032},
	"2.16.840.1.101.3.4.3.19": {mldsa.MLDSA87(), 4896},
}

// tagSeed is that of a private key that is its seed.
var tagSeed = asn1.Tag(0).ContextSpecific()

// readMLDSA reads a private key of RFC 9881, section 6, which x509 does not know: its seed, or its seed and the key that was made of it, as OpenSSL writes it.
func (p *parser) readMLDSA(b block, set mldsaSet, private cryptobyte.String) error {
	var both, seed, expanded cryptobyte.String
	switch {
	case private.PeekASN1Tag(asn1.OCTET_STRING):
		return b.advise(adviceSeed, "the %v key is without its seed, and cannot be used so", set.parameters)
	case private.PeekASN1Tag(tagSeed):
		if !private.ReadASN1(&seed, tagSeed) || !private.Empty() {
			return b.fail(errDamaged)
		}
	case !private.ReadASN1(&both, asn1.SEQUENCE) || !private.Empty() || !both.ReadASN1(&seed, asn1.OCTET_STRING) ||
		!both.ReadASN1(&expanded, asn1.OCTET_STRING) || !both.Empty():
		return b.fail(errDamaged)
	}
	key, err := mldsa.NewPrivateKey(set.parameters, seed)
	if err != nil {
		return b.fail(fmt.Errorf("the %v key is not valid: %w", set.parameters, err))
	}
	if both != nil && !set.belongs(expanded, key.PublicKey().Bytes()) {
		wipeKey(key)
		return b.fail(errMismatch)
	}
	return p.addKey(b, key, "")
}

// belongs compares what of a private key that is written out is public (FIPS 204, algorithm 24: rho at its beginning, and tr, the hash of the public key) with
// the public key of its seed. The rest of it is not used.
func (s mldsaSet) belongs(expanded, public []byte) bool {
	const rho, tr, end = 32, 64, 128
	return len(expanded) == s.expanded && string(expanded[:rho]) == string(public[:rho]) &&
		string(expanded[tr:end]) == string(sha3.SumSHAKE256(public, end-tr))
}

// readMLDSAPublic reads what is in a SubjectPublicKeyInfo (RFC 9881, section 4).
func (p *parser) readMLDSAPublic(b block, set mldsaSet) error {
	input := cryptobyte.String(b.der)
	var info cryptobyte.String
	var raw []byte
	if !input.ReadASN1(&info, asn1.SEQUENCE) || !info.SkipASN1(asn1.SEQUENCE) || !info.ReadASN1BitStringAsBytes(&raw) || !info.Empty() {
		return b.fail(errDamaged)
	}
	public, err := mldsa.NewPublicKey(set.parameters, raw)
	if err != nil {
		return b.fail(fmt.Errorf("the %v public key cannot be read: %w", set.parameters, err))
	}
	p.file.PublicKeys = append(p.file.PublicKeys, public)
	return nil
}
