package blob

import (
	"bytes"
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// CAPI's blobs (wincrypt.h) begin with a BLOBHEADER: bType, bVersion, two bytes that are reserved, aiKeyAlg. Numbers are little-endian.
const (
	capiHeader       = 8
	capiPublic       = 6 // PUBLICKEYBLOB
	capiPrivate      = 7 // PRIVATEKEYBLOB
	capiVersion2     = 2 // CUR_BLOB_VERSION
	capiVersion3     = 3
	algorithmRSASign = 0x2400 // CALG_RSA_SIGN
	algorithmRSAKeyX = 0xa400 // CALG_RSA_KEYX
	capiRSAHeader    = capiHeader + 12
	maxCAPIBits      = 8 * maxRSABytes
)

// RSAPUBKEY: magic, bitlen, pubexp; then modulus, and of private keys prime1, prime2, exponent1, exponent2, coefficient and privateExponent.
var capiFormats = []format{
	{"CAPIPUBLICBLOB", ck.CKO_PUBLIC_KEY, readCAPI(false), writeCAPI("CAPIPUBLICBLOB", false)},
	{"CAPIPRIVATEBLOB", ck.CKO_PRIVATE_KEY, readCAPI(true), writeCAPI("CAPIPRIVATEBLOB", true)},
}

// capiNumbers are the numbers of a private key, in their order. The modulus is all that a public key has. The primes and what belongs to them have half the
// modulus' length.
var capiNumbers = []struct {
	typ          ck.AttributeType
	half, secret bool
}{
	{ck.CKA_MODULUS, false, false},
	{ck.CKA_PRIME_1, true, true},
	{ck.CKA_PRIME_2, true, true},
	{ck.CKA_EXPONENT_1, true, true},
	{ck.CKA_EXPONENT_2, true, true},
	{ck.CKA_COEFFICIENT, true, true},
	{ck.CKA_PRIVATE_EXPONENT, false, true},
}

// capiType is the type of blob that keys are in.
func capiType(private bool) uint32 {
	if private {
		return capiPrivate
	}
	return capiPublic
}

// capiStart reads a BLOBHEADER and says which version the blob has.
func (r *reader) capiStart(private bool, algorithms ...uint32) (version uint32, err error) {
	first, algorithm := r.ulong(), r.ulong()
	if first&0xff != capiType(private) {
		return 0, r.wrongMagic(first, capiType(private)|capiVersion2<<8)
	}
	if !slices.Contains(algorithms, algorithm) {
		return 0, r.wrongMagic(algorithm, algorithms[0])
	}
	return first >> 8 & 0xff, nil
}

func (w *writer) capiStart(private bool, version, algorithm uint32) {
	w.ulong(capiType(private)|version<<8, algorithm)
}

// little reads a little-endian number of n bytes, and gives it to the key.
func (r *reader) little(k *Key, typ ck.AttributeType, n uint32, isSecret bool) {
	value := secret.Copy(bytes.TrimRight(r.take(n), "\x00"))
	slices.Reverse(value.Bytes())
	if isSecret {
		k.own(typ, value)
		return
	}
	k.Put(typ, value.Bytes())
	value.Close()
}

// capiLength is the length in bytes of a number of the modulus' length, or half of it.
func capiLength(bits uint32, half bool) uint32 {
	if half {
		return (bits + 15) / 16
	}
	return (bits + 7) / 8
}

func capiMagic(private bool) uint32 {
	if private {
		return magicRSA2
	}
	return magicRSA1
}

func readCAPI(private bool) func([]byte, *Options) (*Key, error) {
	return func(data []byte, _ *Options) (*Key, error) {
		r := &reader{data: data}
		version, err := r.capiStart(private, algorithmRSAKeyX, algorithmRSASign)
		if err != nil {
			return nil, err
		}
		magic, bits := r.ulong(), r.ulong()
		switch {
		case magic != capiMagic(private):
			return nil, r.wrongMagic(magic, capiMagic(private))
		case version != capiVersion2 || bits > maxCAPIBits:
			return nil, nte.Errorf(nte.NTE_BAD_DATA, "version %d of the blob, or a modulus of %d bits", version, bits)
		}
		k := newKey("RSA", ck.CKK_RSA, private)
		r.little(k, ck.CKA_PUBLIC_EXPONENT, 4, false)
		for i, f := range capiNumbers {
			if i == 0 || private {
				r.little(k, f.typ, capiLength(bits, f.half), f.secret)
			}
		}
		return k.checked(r)
	}
}

func writeCAPI(name string, private bool) func(*Key, *Options) (*secret.Bytes, error) {
	return func(k *Key, _ *Options) (*secret.Bytes, error) {
		if k.KeyType != ck.CKK_RSA {
			return nil, wrongKind(name, k)
		}
		numbers := capiNumbers[:1]
		if private {
			numbers = capiNumbers
		}
		if err := needs(name, k, ck.CKA_PUBLIC_EXPONENT); err != nil {
			return nil, err
		}
		bits := bitLen(k.Get(ck.CKA_MODULUS))
		size := capiRSAHeader
		for _, f := range numbers {
			if err := needs(name, k, f.typ); err != nil {
				return nil, err
			}
			size += int(capiLength(bits, f.half))
		}
		w := newWriter(size)
		w.capiStart(private, capiVersion2, algorithmRSAKeyX)
		w.ulong(capiMagic(private), bits)
		w.little(k.Get(ck.CKA_PUBLIC_EXPONENT), 4)
		for _, f := range numbers {
			w.little(k.Get(f.typ), int(capiLength(bits, f.half)))
		}
		return w.done()
	}
}
