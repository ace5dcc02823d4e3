package local

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Private keys of ML-KEM (RFC 9935, section 6) and ML-DSA (RFC 9881, section 6) have three forms: the seed, the key that is written out, or both. Records have
// the first, and only what has the seed is read.

// tagSeed is that of the first form.
var tagSeed = asn1.Tag(0).ContextSpecific()

// marshalSeed writes a private key as its seed.
func marshalSeed(oid []byte, seed *secret.Bytes) (*secret.Bytes, error) {
	return marshalPKCS8(seed.Len(), [][]byte{oid}, func(b *cryptobyte.Builder) {
		b.AddASN1(tagSeed, func(b *cryptobyte.Builder) { b.AddBytes(seed.Bytes()) })
	})
}

// readSeed reads the forms that have the seed; value is the key that is written out, nil where it is not there.
func readSeed(der cryptobyte.String) (seed, value cryptobyte.String, ok bool) {
	if der.PeekASN1Tag(tagSeed) {
		ok = der.ReadASN1(&seed, tagSeed) && der.Empty()
		return seed, nil, ok
	}
	var both cryptobyte.String
	ok = der.ReadASN1(&both, asn1.SEQUENCE) && der.Empty() && both.ReadASN1(&seed, asn1.OCTET_STRING) && both.ReadASN1(&value, asn1.OCTET_STRING) && both.Empty()
	if value == nil {
		value = cryptobyte.String{} // it is there, and empty
	}
	return seed, value, ok
}
