package message

import (
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// The AT_* numbers of cardmod.h and wincrypt.h.
const (
	AT_KEYEXCHANGE uint32 = 1
	AT_SIGNATURE   uint32 = 2
	AT_ECDSA_P256  uint32 = 3
	AT_ECDSA_P384  uint32 = 4
	AT_ECDSA_P521  uint32 = 5
	AT_ECDHE_P256  uint32 = 6
	AT_ECDHE_P384  uint32 = 7
	AT_ECDHE_P521  uint32 = 8
)

// KeySpec says what an AT_* number stands for.
type KeySpec struct {
	Number    uint32
	KeyType   ck.KeyType
	Blob      string // the format of such keys, as package blob names it
	Algorithm string // what the blob then says that it has
	Bits      uint32 // of keys on a curve; 0: any
	Exchange  bool   // the key is to open or agree on secrets, and not to sign
}

// KeySpecs are all of them. RSA keys come as CAPI's PRIVATEKEYBLOB, others as BCRYPT_ECCPRIVATE_BLOB.
var KeySpecs = []KeySpec{
	{AT_KEYEXCHANGE, ck.CKK_RSA, "CAPIPRIVATEBLOB", "RSA", 0, true},
	{AT_SIGNATURE, ck.CKK_RSA, "CAPIPRIVATEBLOB", "RSA", 0, false},
	{AT_ECDSA_P256, ck.CKK_EC, "ECCPRIVATEBLOB", "ECDSA_P256", 256, false},
	{AT_ECDSA_P384, ck.CKK_EC, "ECCPRIVATEBLOB", "ECDSA_P384", 384, false},
	{AT_ECDSA_P521, ck.CKK_EC, "ECCPRIVATEBLOB", "ECDSA_P521", 521, false},
	{AT_ECDHE_P256, ck.CKK_EC, "ECCPRIVATEBLOB", "ECDH_P256", 256, true},
	{AT_ECDHE_P384, ck.CKK_EC, "ECCPRIVATEBLOB", "ECDH_P384", 384, true},
	{AT_ECDHE_P521, ck.CKK_EC, "ECCPRIVATEBLOB", "ECDH_P521", 521, true},
}

// KeyLen is how many bytes a private key's blob has, by its head, which at gives: CardCreateContainer is not told. Errors: SCARD_E_INVALID_PARAMETER where
// the head speaks of another size than the caller.
func KeyLen(number, size uint32, at func(n int) []byte) (int, error) {
	spec := FindKeySpec(number)
	if spec == nil {
		return 0, nte.Errorf(nte.SCARD_E_INVALID_PARAMETER, "there is no key spec %d", number)
	}
	if spec.Bits != 0 { // dwMagic, cbKey; X, Y, d
		n := (spec.Bits + 7) / 8
		if size != spec.Bits || ulong(at(8), 4) != n {
			return 0, nte.Errorf(nte.SCARD_E_INVALID_PARAMETER, "a key of %d bits has %d bytes", spec.Bits, n)
		}
		return 8 + 3*int(n), nil
	}
	// BLOBHEADER, RSAPUBKEY with its bitlen at 12; modulus and privateExponent, and five numbers of half their length
	bits := int(size)
	n := 20 + 2*((bits+7)/8) + 5*((bits+15)/16)
	if n > MaxData || ulong(at(20), 12) != size {
		return 0, nte.Errorf(nte.SCARD_E_INVALID_PARAMETER, "a key of %d bits, where dwKeySize is %d", ulong(at(20), 12), size)
	}
	return n, nil
}

// FindKeySpec finds the row of a number, nil where there is none.
func FindKeySpec(number uint32) *KeySpec {
	for i := range KeySpecs {
		if KeySpecs[i].Number == number {
			return &KeySpecs[i]
		}
	}
	return nil
}
