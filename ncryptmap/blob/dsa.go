package blob

import (
	"bytes"
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// BCRYPT_DSA_KEY_BLOB (bcrypt.h): dwMagic, cbKey, Count[4], Seed[20], q[20]; then Modulus, Generator and Public, cbKey bytes each, and of private keys
// PrivateExponent[20]. BCRYPT_DSA_KEY_BLOB_V2, for moduli beyond 1024 bits: dwMagic, cbKey, hashAlgorithm, standardVersion, cbSeedLength, cbGroupSize,
// Count[4]; then Seed, q, Modulus, Generator and Public, and of private keys PrivateExponent[cbGroupSize]. Count is big-endian, like numbers.
const (
	magicDSAPublic    = 0x42505344 // BCRYPT_DSA_PUBLIC_MAGIC
	magicDSAPrivate   = 0x56505344 // BCRYPT_DSA_PRIVATE_MAGIC
	magicDSAPublicV2  = 0x32425044 // BCRYPT_DSA_PUBLIC_MAGIC_V2
	magicDSAPrivateV2 = 0x32565044 // BCRYPT_DSA_PRIVATE_MAGIC_V2

	dsaHeader   = 8
	dsaHeaderV2 = 24 // without Count, which belongs to the seed
	dsaCount    = 4
	dsaGroupV1  = 20  // SHA-1's, which is what Seed and q have in V1
	dsaMaxV1    = 128 // bytes of V1's moduli
)

// Domain is how the parameters of a DSA key were made (FIPS 186-4, appendix A.1), so that it can be checked.
type Domain struct {
	Count    [4]byte // big-endian
	Seed     []byte
	Hash     uint32 // HASHALGORITHM_ENUM: 0 SHA-1, 1 SHA-256, 2 SHA-512
	Standard uint32 // DSAFIPSVERSION_ENUM: 0 FIPS 186-2, 1 FIPS 186-3
}

var dsaFormats = []format{
	{"DSAPUBLICBLOB", ck.CKO_PUBLIC_KEY, readDSAPublic, writeDSA("DSAPUBLICBLOB", magicDSAPublic, magicDSAPublicV2)},
	{"DSAPRIVATEBLOB", ck.CKO_PRIVATE_KEY, readDSAPrivate, writeDSA("DSAPRIVATEBLOB", magicDSAPrivate, magicDSAPrivateV2)},
}

func readDSAPublic(data []byte, _ *Options) (*Key, error) {
	return readDSA(data, magicDSAPublic, magicDSAPublicV2, false)
}

func readDSAPrivate(data []byte, _ *Options) (*Key, error) {
	return readDSA(data, magicDSAPrivate, magicDSAPrivateV2, true)
}

func readDSA(data []byte, v1, v2 uint32, private bool) (*Key, error) {
	r := &reader{data: data}
	found := r.ulong()
	if found != v1 && found != v2 {
		return nil, r.wrongMagic(found, v1)
	}
	size, seed, group := r.ulong(), uint32(dsaGroupV1), uint32(dsaGroupV1)
	domain := &Domain{}
	switch {
	case found == v1 && size > dsaMaxV1:
		return nil, nte.Errorf(nte.NTE_BAD_DATA, "a modulus of %d bytes needs version 2 of the blob", size)
	case found == v2:
		domain.Hash, domain.Standard = r.ulong(), r.ulong()
		seed, group = r.ulong(), r.ulong()
	}
	copy(domain.Count[:], r.take(dsaCount))
	domain.Seed = bytes.Clone(r.take(seed))
	k := newKey("DSA", ck.CKK_DSA, private)
	k.Domain = domain
	k.Put(ck.CKA_SUBPRIME, number(r.take(group)))
	k.Put(ck.CKA_PRIME, number(r.take(size)))
	k.Put(ck.CKA_BASE, number(r.take(size)))
	k.putPublic(number(r.take(size)))
	if private {
		k.PutSecret(ck.CKA_VALUE, number(r.take(group)))
	}
	return k.checked(r)
}

func writeDSA(name string, v1, v2 uint32) func(*Key, *Options) (*secret.Bytes, error) {
	return func(k *Key, _ *Options) (*secret.Bytes, error) {
		if k.KeyType != ck.CKK_DSA {
			return nil, wrongKind(name, k)
		}
		if err := needsGroup(name, k, ck.CKA_SUBPRIME); err != nil {
			return nil, err
		}
		domain, err := domainOf(name, k)
		if err != nil {
			return nil, err
		}
		size, group := len(k.Get(ck.CKA_PRIME)), len(k.Get(ck.CKA_SUBPRIME))
		inV1 := size <= dsaMaxV1 && group <= dsaGroupV1 && len(domain.Seed) == dsaGroupV1
		header := dsaHeaderV2
		if inV1 {
			header, group = dsaHeader, dsaGroupV1
		}
		total := header + dsaCount + len(domain.Seed) + group + 3*size
		if v1 == magicDSAPrivate {
			total += group
		}
		w := newWriter(total)
		if inV1 {
			w.ulong(v1, uint32(size))
		} else {
			w.ulong(v2, uint32(size), domain.Hash, domain.Standard, uint32(len(domain.Seed)), uint32(group))
		}
		w.bytes(domain.Count[:])
		w.bytes(domain.Seed)
		w.fixed(k.Get(ck.CKA_SUBPRIME), group)
		for _, value := range [][]byte{k.Get(ck.CKA_PRIME), k.Get(ck.CKA_BASE), k.public()} {
			w.fixed(value, size)
		}
		if v1 == magicDSAPrivate {
			w.fixed(k.Get(ck.CKA_VALUE), group)
		}
		return w.done()
	}
}

// dsaHashes are the hash functions that CNG can say, by the size of the group that goes with them.
var dsaHashes = []struct {
	group int
	hash  uint32
}{{20, 0}, {32, 1}, {64, 2}}

// unknown is what stands for a count and a seed that are not known: CNG takes zeros for a seed, and refuses it.
const unknown = 0xff

// domainOf is how a key's parameters were made, as a blob says it.
func domainOf(name string, k *Key) (*Domain, error) {
	if k.Domain != nil {
		return k.Domain, nil
	}
	group := len(k.Get(ck.CKA_SUBPRIME))
	for _, h := range dsaHashes {
		if h.group == group {
			d := &Domain{Seed: bytes.Repeat([]byte{unknown}, group), Hash: h.hash, Standard: 1}
			copy(d.Count[:], slices.Repeat([]byte{unknown}, dsaCount))
			return d, nil
		}
	}
	return nil, nte.Errorf(nte.NTE_BAD_TYPE, "%s has no number for the hash function of a group of %d bytes", name, group)
}
