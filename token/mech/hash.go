package mech

import (
	"crypto"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"hash"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Hash is a hash function. 0: none.
type Hash byte

// The hash functions.
const (
	MD5 Hash = iota + 1
	SHA1
	SHA224
	SHA256
	SHA384
	SHA512
	SHA512_224
	SHA512_256
	SHA3_224
	SHA3_256
	SHA3_384
	SHA3_512
	hashEnd
)

// MaxDigest is the longest digest, in bytes.
const MaxDigest = sha512.Size

// hashFacts is what one hash function is in Go and in PKCS #11.
type hashFacts struct {
	size, blockSize int
	crypto          crypto.Hash
	new             func() hash.Hash
	sum             func(dst, data []byte) []byte // in one go, without an allocation
	mechanism       ck.MechanismType              // the digest mechanism
	mgf             uint                          // CKG_MGF1_*; 0: there is none
	oid             []byte                        // contents of the OID in DigestInfo
}

// nist is the OID 2.16.840.1.101.3.4.2.n (hashAlgs).
func nist(n byte) []byte { return []byte{0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, n} }

var hashes = [hashEnd]hashFacts{
	MD5: {md5.Size, md5.BlockSize, crypto.MD5, md5.New,
		func(d, p []byte) []byte { s := md5.Sum(p); return append(d, s[:]...) },
		ck.CKM_MD5, 0, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 5}},
	SHA1: {sha1.Size, sha1.BlockSize, crypto.SHA1, sha1.New,
		func(d, p []byte) []byte { s := sha1.Sum(p); return append(d, s[:]...) },
		ck.CKM_SHA_1, ck.CKG_MGF1_SHA1, []byte{0x2b, 0x0e, 3, 2, 0x1a}},
	SHA224: {sha256.Size224, sha256.BlockSize, crypto.SHA224, sha256.New224,
		func(d, p []byte) []byte { s := sha256.Sum224(p); return append(d, s[:]...) },
		ck.CKM_SHA224, ck.CKG_MGF1_SHA224, nist(4)},
	SHA256: {sha256.Size, sha256.BlockSize, crypto.SHA256, sha256.New,
		func(d, p []byte) []byte { s := sha256.Sum256(p); return append(d, s[:]...) },
		ck.CKM_SHA256, ck.CKG_MGF1_SHA256, nist(1)},
	SHA384: {sha512.Size384, sha512.BlockSize, crypto.SHA384, sha512.New384,
		func(d, p []byte) []byte { s := sha512.Sum384(p); return append(d, s[:]...) },
		ck.CKM_SHA384, ck.CKG_MGF1_SHA384, nist(2)},
	SHA512: {sha512.Size, sha512.BlockSize, crypto.SHA512, sha512.New,
		func(d, p []byte) []byte { s := sha512.Sum512(p); return append(d, s[:]...) },
		ck.CKM_SHA512, ck.CKG_MGF1_SHA512, nist(3)},
	SHA512_224: {sha512.Size224, sha512.BlockSize, crypto.SHA512_224, sha512.New512_224,
		func(d, p []byte) []byte { s := sha512.Sum512_224(p); return append(d, s[:]...) },
		ck.CKM_SHA512_224, 0, nist(5)},
	SHA512_256: {sha512.Size256, sha512.BlockSize, crypto.SHA512_256, sha512.New512_256,
		func(d, p []byte) []byte { s := sha512.Sum512_256(p); return append(d, s[:]...) },
		ck.CKM_SHA512_256, 0, nist(6)},
	SHA3_224: {28, 144, crypto.SHA3_224, func() hash.Hash { return sha3.New224() },
		func(d, p []byte) []byte { s := sha3.Sum224(p); return append(d, s[:]...) },
		ck.CKM_SHA3_224, ck.CKG_MGF1_SHA3_224, nist(7)},
	SHA3_256: {32, 136, crypto.SHA3_256, func() hash.Hash { return sha3.New256() },
		func(d, p []byte) []byte { s := sha3.Sum256(p); return append(d, s[:]...) },
		ck.CKM_SHA3_256, ck.CKG_MGF1_SHA3_256, nist(8)},
	SHA3_384: {48, 104, crypto.SHA3_384, func() hash.Hash { return sha3.New384() },
		func(d, p []byte) []byte { s := sha3.Sum384(p); return append(d, s[:]...) },
		ck.CKM_SHA3_384, ck.CKG_MGF1_SHA3_384, nist(9)},
	SHA3_512: {64, 72, crypto.SHA3_512, func() hash.Hash { return sha3.New512() },
		func(d, p []byte) []byte { s := sha3.Sum512(p); return append(d, s[:]...) },
		ck.CKM_SHA3_512, ck.CKG_MGF1_SHA3_512, nist(10)},
}

// facts gives the zero facts for a Hash that is none.
func (h Hash) facts() *hashFacts {
	if h >= hashEnd {
		h = 0
	}
	return &hashes[h]
}

// Known reports whether h is a hash function.
func (h Hash) Known() bool { return 0 < h && h < hashEnd }

// New starts a digest. It must not be called on an unknown Hash.
func (h Hash) New() hash.Hash { return h.facts().new() }

// Sum appends the digest of data to dst, and allocates nothing where dst has room. It must not be called on an unknown Hash.
func (h Hash) Sum(dst, data []byte) []byte { return h.facts().sum(dst, data) }

// Size is the length of a digest in bytes, 0 for an unknown Hash.
func (h Hash) Size() int { return h.facts().size }

// BlockSize is the length of an input block in bytes, 0 for an unknown Hash.
func (h Hash) BlockSize() int { return h.facts().blockSize }

// Crypto is Go's name for h.
func (h Hash) Crypto() crypto.Hash { return h.facts().crypto }

// Mechanism is the digest mechanism of h.
func (h Hash) Mechanism() ck.MechanismType { return h.facts().mechanism }

// MGF is the CKG_MGF1_* number of MGF1 over h, 0 where PKCS #11 has none.
func (h Hash) MGF() uint { return h.facts().mgf }

// String gives the usual name, such as SHA-256.
func (h Hash) String() string {
	if !h.Known() {
		return "no hash"
	}
	return h.Crypto().String()
}

// DigestInfoPrefix appends what stands before the digest in a DER DigestInfo (RFC 8017, section 9.2): AlgorithmIdentifier with NULL
// parameters, and the header of the OCTET STRING.
func (h Hash) DigestInfoPrefix(dst []byte) []byte {
	f := h.facts()
	oid, size := byte(len(f.oid)), byte(f.size)
	dst = append(dst, 0x30, oid+8+size, 0x30, oid+4, 0x06, oid)
	dst = append(dst, f.oid...)
	return append(dst, 0x05, 0, 0x04, size)
}

// HashOf gives the Hash of a digest mechanism, 0 where it is none that is known.
func HashOf(digest ck.MechanismType) Hash {
	return find(func(f *hashFacts) bool { return f.mechanism == digest })
}

// HashOfMGF gives the Hash of a CKG_MGF1_* number, 0 where it is none that is known.
func HashOfMGF(mgf uint) Hash {
	return find(func(f *hashFacts) bool { return mgf != 0 && f.mgf == mgf })
}

func find(match func(*hashFacts) bool) Hash {
	for h := Hash(1); h < hashEnd; h++ {
		if match(&hashes[h]) {
			return h
		}
	}
	return 0
}
