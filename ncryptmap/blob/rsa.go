package blob

import (
	"math/big"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// BCRYPT_RSAKEY_BLOB (bcrypt.h): Magic, BitLength, cbPublicExp, cbModulus, cbPrime1, cbPrime2; then PublicExponent and Modulus, Prime1 and Prime2 of private
// keys, and of full ones Exponent1, Exponent2, Coefficient and PrivateExponent.
const (
	magicRSA1   = 0x31415352 // BCRYPT_RSAPUBLIC_MAGIC
	magicRSA2   = 0x32415352 // BCRYPT_RSAPRIVATE_MAGIC
	magicRSA3   = 0x33415352 // BCRYPT_RSAFULLPRIVATE_MAGIC
	rsaHeader   = 24
	maxRSABytes = 8192 // of a number: no provider has longer keys, and the time to look at one is bounded
)

var rsaFormats = []format{
	{"RSAPUBLICBLOB", ck.CKO_PUBLIC_KEY, readRSA(magicRSA1), writeRSA("RSAPUBLICBLOB", magicRSA1)},
	{"RSAPRIVATEBLOB", ck.CKO_PRIVATE_KEY, readRSA(magicRSA2), writeRSA("RSAPRIVATEBLOB", magicRSA2)},
	{"RSAFULLPRIVATEBLOB", ck.CKO_PRIVATE_KEY, readRSA(magicRSA3), writeRSA("RSAFULLPRIVATEBLOB", magicRSA3)},
}

// rsaLengths is the header behind the magic number. BitLength is not looked at, as on Windows.
type rsaLengths struct{ bits, exponent, modulus, prime1, prime2 uint32 }

func readRSA(magic uint32) func([]byte, *Options) (*Key, error) {
	return func(data []byte, _ *Options) (*Key, error) {
		r := &reader{data: data}
		if found := r.ulong(); found != magic {
			return nil, wrongMagic(found, magic)
		}
		n := rsaLengths{r.ulong(), r.ulong(), r.ulong(), r.ulong(), r.ulong()}
		k := &Key{Algorithm: "RSA", Class: ck.CKO_PUBLIC_KEY, KeyType: ck.CKK_RSA}
		k.Put(ck.CKA_PUBLIC_EXPONENT, number(r.take(n.exponent)))
		k.Put(ck.CKA_MODULUS, number(r.take(n.modulus)))
		if magic != magicRSA1 {
			k.Class = ck.CKO_PRIVATE_KEY
			k.PutSecret(ck.CKA_PRIME_1, number(r.take(n.prime1)))
			k.PutSecret(ck.CKA_PRIME_2, number(r.take(n.prime2)))
		}
		if magic == magicRSA3 {
			k.PutSecret(ck.CKA_EXPONENT_1, number(r.take(n.prime1)))
			k.PutSecret(ck.CKA_EXPONENT_2, number(r.take(n.prime2)))
			k.PutSecret(ck.CKA_COEFFICIENT, number(r.take(n.prime1)))
			k.PutSecret(ck.CKA_PRIVATE_EXPONENT, number(r.take(n.modulus)))
		}
		if err := r.end(); err != nil {
			k.Close()
			return nil, err
		}
		if n.modulus > maxRSABytes || n.exponent == 0 || n.modulus == 0 || magic != magicRSA1 && (n.prime1 == 0 || n.prime2 == 0) {
			k.Close()
			return nil, nte.Errorf(nte.NTE_BAD_DATA, "a number of the RSA key is missing or too long")
		}
		return k, nil
	}
}

func writeRSA(name string, magic uint32) func(*Key, *Options) (*secret.Bytes, error) {
	return func(k *Key, _ *Options) (*secret.Bytes, error) {
		if k.KeyType != ck.CKK_RSA || len(k.Get(ck.CKA_MODULUS)) == 0 || len(k.Get(ck.CKA_PUBLIC_EXPONENT)) == 0 {
			return nil, wrongKind(name, k)
		}
		exponent, modulus := k.Get(ck.CKA_PUBLIC_EXPONENT), k.Get(ck.CKA_MODULUS)
		p, q := k.Get(ck.CKA_PRIME_1), k.Get(ck.CKA_PRIME_2)
		if magic == magicRSA1 {
			p, q = nil, nil
		}
		size := rsaHeader + len(exponent) + len(modulus) + len(p) + len(q)
		if magic == magicRSA3 {
			size += 2*len(p) + len(q) + len(modulus)
		}
		w := newWriter(size)
		w.ulong(magic, uint32(new(big.Int).SetBytes(modulus).BitLen()), uint32(len(exponent)), uint32(len(modulus)), uint32(len(p)), uint32(len(q)))
		w.bytes(exponent)
		w.bytes(modulus)
		w.bytes(p)
		w.bytes(q)
		if magic == magicRSA3 {
			w.fixed(k.Get(ck.CKA_EXPONENT_1), len(p))
			w.fixed(k.Get(ck.CKA_EXPONENT_2), len(q))
			w.fixed(k.Get(ck.CKA_COEFFICIENT), len(p))
			w.fixed(k.Get(ck.CKA_PRIVATE_EXPONENT), len(modulus))
		}
		return w.out, nil
	}
}

// wrongMagic: a public blob with the magic number of nothing is an invalid parameter on Windows, and so is one of another kind.
func wrongMagic(found, want uint32) error {
	return nte.Errorf(nte.NTE_INVALID_PARAMETER, "the blob begins with %#08x, not with %#08x", found, want)
}
