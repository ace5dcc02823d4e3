package blob

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"hash"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

const aesBlock = 16

// scheme is an encryption under a password.
type scheme struct {
	oid      string // of the cipher in PBES2; of the whole, of older ones
	keyLen   int
	blockLen int
	cipher   func(key []byte) (cipher.Block, error)
	saltLen  int // of a fresh salt
	rounds   int // where nobody says how many
	derive   func(e *Encrypted, password []byte) (*secret.Bytes, error)
	write    func(e *Encrypted, b *cryptobyte.Builder) // the AlgorithmIdentifier's content
	written  bool                                      // or only read
}

// The work that PBES2 takes is what guessing its passwords costs. What the old scheme takes is what programs that read it bear with.
const (
	pbes2Rounds = 600_000
	pbeRounds   = 10_000
)

// schemes: those of PBES2 first (RFC 8018, appendix B.2), the first of them being what is taken where nobody says which.
var schemes = []scheme{
	{"2.16.840.1.101.3.4.1.42", 32, aesBlock, aes.NewCipher, 16, pbes2Rounds, derivePBKDF2, writePBES2, true},
	{"2.16.840.1.101.3.4.1.22", 24, aesBlock, aes.NewCipher, 16, pbes2Rounds, derivePBKDF2, writePBES2, true},
	{"2.16.840.1.101.3.4.1.2", 16, aesBlock, aes.NewCipher, 16, pbes2Rounds, derivePBKDF2, writePBES2, true},
	{"1.2.840.113549.3.7", 24, des.BlockSize, des.NewTripleDESCipher, 16, pbes2Rounds, derivePBKDF2, writePBES2, false},
	{pbeSHA1TripleDES, 24, des.BlockSize, des.NewTripleDESCipher, 8, pbeRounds, derivePKCS12, writePBE, true},
}

// pbeSHA1TripleDES is pbeWithSHAAnd3-KeyTripleDES-CBC (RFC 7292, appendix C), the one scheme that old Windows writes. It derives its IV as well as its key.
const pbeSHA1TripleDES = "1.2.840.113549.1.12.1.3"

// pbes2 is PBES2's own name: it stands for the first scheme.
const pbes2 = "1.2.840.113549.1.5.13"

func (s *scheme) derivesIV() bool { return s.oid == pbeSHA1TripleDES }

// schemeOf finds a scheme by its OID, nil where it is not known.
func schemeOf(oid string) *scheme {
	i := slices.IndexFunc(schemes, func(s scheme) bool { return s.oid == oid })
	if i < 0 {
		return nil
	}
	return &schemes[i]
}

// schemeFor is the scheme to write by NCRYPTBUFFER_PKCS_ALG_OID.
func schemeFor(oid string) (*scheme, error) {
	if oid == "" || oid == pbes2 {
		return &schemes[0], nil
	}
	if s := schemeOf(oid); s != nil && s.written {
		return s, nil
	}
	return nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "nothing is encrypted with %q: take %s (PBES2, AES-256) or %s (PBE-SHA1-3DES)", oid, schemes[0].oid, pbeSHA1TripleDES)
}

var (
	oidPBES2  = mustOID(pbes2)
	oidPBKDF2 = mustOID("1.2.840.113549.1.5.12")
)

// mustOID writes an object identifier in DER. It is for those that are written in this package.
func mustOID(dotted string) []byte {
	var oid asn1.ObjectIdentifier
	for _, arc := range bytes.Split([]byte(dotted), []byte(".")) {
		n := 0
		for _, digit := range arc {
			n = 10*n + int(digit-'0')
		}
		oid = append(oid, n)
	}
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1ObjectIdentifier(oid)
	return b.BytesOrPanic()
}

// prf is a pseudorandom function of PBKDF2 (RFC 8018, appendix B.1).
type prf struct {
	oid  []byte
	hash func() hash.Hash
}

var prfs = []prf{
	{mustOID("1.2.840.113549.2.7"), sha1.New},
	{mustOID("1.2.840.113549.2.8"), sha256.New224},
	{mustOID("1.2.840.113549.2.9"), sha256.New},
	{mustOID("1.2.840.113549.2.10"), sha512.New384},
	{mustOID("1.2.840.113549.2.11"), sha512.New},
}

var (
	prfDefault = &prfs[0]
	prfSHA256  = &prfs[2]
)

// parsePBES2 reads PBES2-params (RFC 8018, appendix A.4).
func (e *Encrypted) parsePBES2(der cryptobyte.String) error {
	var params, kdf, kdfOID, encryption, iv cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !der.ReadASN1(&params, tag.SEQUENCE) || !der.Empty() || !params.ReadASN1(&kdf, tag.SEQUENCE) || !kdf.ReadASN1Element(&kdfOID, tag.OBJECT_IDENTIFIER) ||
		!params.ReadASN1(&encryption, tag.SEQUENCE) || !params.Empty() || !encryption.ReadASN1ObjectIdentifier(&oid) {
		return badDER("PBES2-params")
	}
	if e.scheme = schemeOf(oid.String()); e.scheme == nil || e.scheme.derivesIV() {
		return nte.Errorf(nte.NTE_NOT_SUPPORTED, "the cipher %v of PBES2 is not supported", oid)
	}
	if string(kdfOID) != string(oidPBKDF2) {
		return nte.Errorf(nte.NTE_NOT_SUPPORTED, "PBES2 with another key derivation than PBKDF2 is not supported")
	}
	if !encryption.ReadASN1(&iv, tag.OCTET_STRING) || !encryption.Empty() || len(iv) != e.scheme.blockLen {
		return badDER("PBES2-params")
	}
	e.iv = iv
	return e.parsePBKDF2(kdf)
}

// parsePBKDF2 reads PBKDF2-params (RFC 8018, appendix A.2).
func (e *Encrypted) parsePBKDF2(der cryptobyte.String) error {
	var params, salt, algorithm, oid cryptobyte.String
	keyLen, named := int64(e.scheme.keyLen), false
	if !der.ReadASN1(&params, tag.SEQUENCE) || !der.Empty() || !params.ReadASN1(&salt, tag.OCTET_STRING) || !params.ReadASN1Integer(&e.rounds) ||
		params.PeekASN1Tag(tag.INTEGER) && !params.ReadASN1Integer(&keyLen) || keyLen != int64(e.scheme.keyLen) ||
		!params.ReadOptionalASN1(&algorithm, &named, tag.SEQUENCE) || !params.Empty() {
		return badDER("PBKDF2-params")
	}
	e.salt, e.prf = salt, prfDefault
	if !named {
		return nil
	}
	if !algorithm.ReadASN1Element(&oid, tag.OBJECT_IDENTIFIER) {
		return badDER("PBKDF2-params")
	}
	i := slices.IndexFunc(prfs, func(p prf) bool { return bytes.Equal(p.oid, oid) })
	if i < 0 {
		return nte.Errorf(nte.NTE_NOT_SUPPORTED, "the function of PBKDF2 (OID % x) is not supported", oid)
	}
	e.prf = &prfs[i]
	return nil
}

func writePBES2(e *Encrypted, b *cryptobyte.Builder) {
	b.AddBytes(oidPBES2)
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(oidPBKDF2)
			b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1OctetString(e.salt)
				b.AddASN1Int64(int64(e.rounds))
				b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddBytes(e.prf.oid)
					b.AddBytes(asn1Null)
				})
			})
		})
		b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(mustOID(e.scheme.oid))
			b.AddASN1OctetString(e.iv)
		})
	})
}

// parsePBE reads pkcs-12PbeParams (RFC 7292, appendix C).
func (e *Encrypted) parsePBE(oid, der cryptobyte.String) error {
	var params, salt cryptobyte.String
	var id asn1.ObjectIdentifier
	if !oid.ReadASN1ObjectIdentifier(&id) {
		return badDER("EncryptedPrivateKeyInfo")
	}
	if e.scheme = schemeOf(id.String()); e.scheme == nil || !e.scheme.derivesIV() {
		return nte.Errorf(nte.NTE_NOT_SUPPORTED, "the encryption %v is not supported: encrypt the key with PBES2", id)
	}
	if !der.ReadASN1(&params, tag.SEQUENCE) || !der.Empty() || !params.ReadASN1(&salt, tag.OCTET_STRING) || !params.ReadASN1Integer(&e.rounds) || !params.Empty() {
		return badDER("pkcs-12PbeParams")
	}
	e.salt = salt
	return nil
}

func writePBE(e *Encrypted, b *cryptobyte.Builder) {
	b.AddBytes(mustOID(e.scheme.oid))
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1OctetString(e.salt)
		b.AddASN1Int64(int64(e.rounds))
	})
}
