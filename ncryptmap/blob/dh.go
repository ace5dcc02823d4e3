package blob

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// BCRYPT_DH_KEY_BLOB (bcrypt.h): dwMagic, cbKey; then Modulus, Generator and Public, and PrivateExponent of private keys, cbKey bytes each.
const (
	magicDHPublic  = 0x42504844 // BCRYPT_DH_PUBLIC_MAGIC
	magicDHPrivate = 0x56504844 // BCRYPT_DH_PRIVATE_MAGIC
	dhHeader       = 8
)

var dhFormats = []format{
	{"DHPUBLICBLOB", ck.CKO_PUBLIC_KEY, readDH(magicDHPublic), writeDH("DHPUBLICBLOB", magicDHPublic)},
	{"DHPRIVATEBLOB", ck.CKO_PRIVATE_KEY, readDH(magicDHPrivate), writeDH("DHPRIVATEBLOB", magicDHPrivate)},
}

func readDH(magic uint32) func([]byte, *Options) (*Key, error) {
	return func(data []byte, _ *Options) (*Key, error) {
		r := &reader{data: data}
		if found := r.ulong(); found != magic {
			return nil, r.wrongMagic(found, magic)
		}
		k := newKey("DH", ck.CKK_DH, magic == magicDHPrivate)
		size := r.ulong()
		k.Put(ck.CKA_PRIME, number(r.take(size)))
		k.Put(ck.CKA_BASE, number(r.take(size)))
		k.putPublic(number(r.take(size)))
		if magic == magicDHPrivate {
			k.PutSecret(ck.CKA_VALUE, number(r.take(size)))
		}
		return k.checked(r)
	}
}

// putPublic adds the public value of a DH or DSA key.
func (k *Key) putPublic(value []byte) {
	if k.Class == ck.CKO_PUBLIC_KEY {
		k.Put(ck.CKA_VALUE, value)
		return
	}
	k.Public = slices.Clone(value)
}

// public gives the public value of a DH or DSA key.
func (k *Key) public() []byte {
	if k.Class == ck.CKO_PUBLIC_KEY {
		return k.Get(ck.CKA_VALUE)
	}
	return k.Public
}

// needsGroup fails where a DH or DSA key lacks a number that its blobs are made of.
func needsGroup(name string, k *Key, types ...ck.AttributeType) error {
	if err := needs(name, k, append(types, ck.CKA_PRIME, ck.CKA_BASE, ck.CKA_VALUE)...); err != nil {
		return err
	}
	if len(k.public()) == 0 {
		return nte.Errorf(nte.NTE_BAD_TYPE, "%s needs the public value, which is not known of this %s key", name, k.Algorithm)
	}
	return nil
}

func writeDH(name string, magic uint32) func(*Key, *Options) (*secret.Bytes, error) {
	return func(k *Key, _ *Options) (*secret.Bytes, error) {
		if k.KeyType != ck.CKK_DH && k.KeyType != ck.CKK_X9_42_DH {
			return nil, wrongKind(name, k)
		}
		if err := needsGroup(name, k); err != nil {
			return nil, err
		}
		numbers := [][]byte{k.Get(ck.CKA_PRIME), k.Get(ck.CKA_BASE), k.public()}
		if magic == magicDHPrivate {
			numbers = append(numbers, k.Get(ck.CKA_VALUE))
		}
		size := len(numbers[0])
		w := newWriter(dhHeader + len(numbers)*size)
		w.ulong(magic, uint32(size))
		for _, value := range numbers {
			w.fixed(value, size)
		}
		return w.done()
	}
}
