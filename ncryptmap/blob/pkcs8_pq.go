package blob

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Private keys of ML-KEM (RFC 9935, section 6) and ML-DSA (RFC 9881, section 6) are in a PrivateKeyInfo as their seed, written out, or both.

// tagSeed is that of the seed.
var tagSeed = asn1.Tag(0).ContextSpecific()

// oid is the DER OID of the algorithm and the parameter set, which are one to PKCS #8; nil for SLH-DSA.
func (s *pqSet) oid() []byte {
	arcs := map[*pqAlgorithm][2]byte{mlDSA: {3, 16}, mlKEM: {4, 0}} // 2.16.840.1.101.3.4, then sigAlgs or kems, and where the sets begin
	last, ok := arcs[s.algorithm]
	if !ok {
		return nil
	}
	return []byte{6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, last[0], last[1] + byte(s.number)}
}

// pqSetByOID is nil where the algorithm is another.
func pqSetByOID(oid string) *pqSet {
	return pqSetWhere(func(s *pqSet) bool { return s.oid() != nil && string(s.oid()) == oid })
}

func readPQPrivateKey(p *privateKeyInfo, set *pqSet) (*Key, error) {
	var both, seed, expanded cryptobyte.String
	der := p.key
	ok := p.parameters.Empty()
	switch {
	case der.PeekASN1Tag(tagSeed):
		ok = ok && der.ReadASN1(&seed, tagSeed) && der.Empty()
	case der.PeekASN1Tag(asn1.OCTET_STRING):
		ok = ok && der.ReadASN1(&expanded, asn1.OCTET_STRING) && der.Empty()
	default:
		ok = ok && der.ReadASN1(&both, asn1.SEQUENCE) && der.Empty() && both.ReadASN1(&seed, asn1.OCTET_STRING) &&
			both.ReadASN1(&expanded, asn1.OCTET_STRING) && both.Empty() && len(seed) != 0 && len(expanded) != 0
	}
	if !ok || len(seed) != 0 && len(seed) != set.lengths[pqSeed] || len(expanded) != 0 && len(expanded) != set.lengths[pqPrivate] || len(seed)+len(expanded) == 0 {
		return nil, badDER(set.algorithm.name + " private key")
	}
	if len(expanded) == 0 {
		return set.key(pqSeed, seed), nil
	}
	k := set.key(pqPrivate, expanded)
	if len(seed) != 0 {
		k.PutSecret(ck.CKA_SEED, seed)
	}
	return k, nil
}

// writePQPrivateKey writes what is known of a key: for one that a token gives that is its seed.
func writePQPrivateKey(b *cryptobyte.Builder, k *Key) {
	seed, expanded := k.Get(ck.CKA_SEED), k.Get(ck.CKA_VALUE)
	switch {
	case len(expanded) == 0:
		b.AddASN1(tagSeed, func(b *cryptobyte.Builder) { b.AddBytes(seed) })
	case len(seed) == 0:
		b.AddASN1OctetString(expanded)
	default:
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1OctetString(seed)
			b.AddASN1OctetString(expanded)
		})
	}
}
