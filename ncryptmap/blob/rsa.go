package blob

import (
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
	maxRSABytes = 2048 // of a number: no provider has longer keys, and the time to look at one is bounded
)

var rsaFormats = []format{
	{"RSAPUBLICBLOB", ck.CKO_PUBLIC_KEY, readRSA(magicRSA1), writeRSA("RSAPUBLICBLOB", magicRSA1)},
	{"RSAPRIVATEBLOB", ck.CKO_PRIVATE_KEY, readRSA(magicRSA2), writeRSA("RSAPRIVATEBLOB", magicRSA2)},
	{"RSAFULLPRIVATEBLOB", ck.CKO_PRIVATE_KEY, readRSA(magicRSA3), writeRSA("RSAFULLPRIVATEBLOB", magicRSA3)},
}

// rsaNumber is a number behind the header, and the field of the header that has its length.
type rsaNumber struct {
	typ    ck.AttributeType
	length func(n *rsaLengths) uint32
	secret bool
}

// rsaLengths is the header behind the magic number. BitLength is not looked at, as on Windows.
type rsaLengths struct{ bits, exponent, modulus, prime1, prime2 uint32 }

var (
	ofExponent = func(n *rsaLengths) uint32 { return n.exponent }
	ofModulus  = func(n *rsaLengths) uint32 { return n.modulus }
	ofPrime1   = func(n *rsaLengths) uint32 { return n.prime1 }
	ofPrime2   = func(n *rsaLengths) uint32 { return n.prime2 }
)

// rsaNumbers are those of a full private key, in their order. A private key has the first four, a public one two.
var rsaNumbers = []rsaNumber{
	{ck.CKA_PUBLIC_EXPONENT, ofExponent, false},
	{ck.CKA_MODULUS, ofModulus, false},
	{ck.CKA_PRIME_1, ofPrime1, true},
	{ck.CKA_PRIME_2, ofPrime2, true},
	{ck.CKA_EXPONENT_1, ofPrime1, true},
	{ck.CKA_EXPONENT_2, ofPrime2, true},
	{ck.CKA_COEFFICIENT, ofPrime1, true},
	{ck.CKA_PRIVATE_EXPONENT, ofModulus, true},
}

// rsaNumbersOf gives the numbers that follow a header with this magic number.
func rsaNumbersOf(magic uint32) []rsaNumber {
	return rsaNumbers[:map[uint32]int{magicRSA1: 2, magicRSA2: 4, magicRSA3: len(rsaNumbers)}[magic]]
}

func readRSA(magic uint32) func([]byte, *Options) (*Key, error) {
	return func(data []byte, _ *Options) (*Key, error) {
		r := &reader{data: data}
		if found := r.ulong(); found != magic {
			return nil, r.wrongMagic(found, magic)
		}
		n := &rsaLengths{r.ulong(), r.ulong(), r.ulong(), r.ulong(), r.ulong()}
		k := newKey("RSA", ck.CKK_RSA, magic != magicRSA1)
		for _, f := range rsaNumbersOf(magic) {
			length := f.length(n)
			if length == 0 || length > maxRSABytes {
				k.Close()
				return nil, nte.Errorf(nte.NTE_BAD_DATA, "a number of the RSA key has %d bytes", length)
			}
			k.put(f.typ, number(r.take(length)), f.secret)
		}
		if k, err := k.checked(r); magic != magicRSA2 || err != nil {
			return k, err
		}
		if err := k.putExponent(); err != nil {
			k.Close()
			return nil, err
		}
		return k, nil
	}
}

func writeRSA(name string, magic uint32) func(*Key, *Options) (*secret.Bytes, error) {
	return func(k *Key, _ *Options) (*secret.Bytes, error) {
		if k.KeyType != ck.CKK_RSA {
			return nil, wrongKind(name, k)
		}
		numbers := rsaNumbersOf(magic)
		for _, f := range numbers {
			if err := needs(name, k, f.typ); err != nil {
				return nil, err
			}
		}
		length := func(typ ck.AttributeType) uint32 { return uint32(len(k.Get(typ))) }
		n := &rsaLengths{bitLen(k.Get(ck.CKA_MODULUS)), length(ck.CKA_PUBLIC_EXPONENT), length(ck.CKA_MODULUS), 0, 0}
		if magic != magicRSA1 {
			n.prime1, n.prime2 = length(ck.CKA_PRIME_1), length(ck.CKA_PRIME_2)
		}
		size := rsaHeader
		for _, f := range numbers {
			size += int(f.length(n))
		}
		w := newWriter(size)
		w.ulong(magic, n.bits, n.exponent, n.modulus, n.prime1, n.prime2)
		for _, f := range numbers {
			w.fixed(k.Get(f.typ), int(f.length(n)))
		}
		return w.done()
	}
}
