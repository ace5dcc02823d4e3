package local

import (
	"crypto/subtle"
	"math/big"

	"github.com/ncrypt11/ncrypt11/minidriver/message"
	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
)

// maxKeyPair bounds an encrypted CARD_IMPORT_KEYPAIR.
const maxKeyPair = message.ImportKeyPairLen + message.MaxData + blockLen

// errKeyPair says nothing of what is wrong: see errPKCS8.
var errKeyPair = ck.Errorf(ck.CKR_WRAPPED_KEY_INVALID, "not a sound CARD_IMPORT_KEYPAIR")

// unpadKeyPair cuts a plaintext at the length that its structure says, nil where the padding of PKCS #7 would not have the length that is left, and says
// whether it is that padding, without a branch.
func unpadKeyPair(plain []byte) (body []byte, padded int) {
	n, ok := message.ImportKeyPairSize(plain)
	if fill := len(plain) - n; !ok || fill < 1 || fill > blockLen {
		return nil, 0
	}
	padded = 1
	for _, b := range plain[n:] {
		padded &= subtle.ConstantTimeByteEq(b, byte(len(plain)-n))
	}
	return plain[:n], padded
}

// readKeyPair takes the key out of a CARD_IMPORT_KEYPAIR, and says which container it is for, and what it is for.
func readKeyPair(body []byte, p *guard.Policy) (material, []guard.Part, error) {
	m, err := message.ParseImportKeyPair(body)
	if err != nil {
		return nil, nil, errKeyPair
	}
	spec := message.FindKeySpec(m.KeySpec)
	if spec == nil || spec.KeyType != p.KeyType || m.PinID != message.ROLE_USER {
		return nil, nil, errKeyPair
	}
	key, err := blob.Read(spec.Blob, m.Input, nil)
	if err != nil {
		return nil, nil, errKeyPair
	}
	defer key.Close()
	if key.Algorithm != spec.Algorithm || sizeOfKey(spec, key) != m.KeySize {
		return nil, nil, errKeyPair
	}
	given := &guard.Material{Class: ck.CKO_PRIVATE_KEY, KeyType: spec.KeyType}
	for _, a := range key.Parts() {
		given.Parts = append(given.Parts, guard.Part{Type: a.Type, Value: a.Value})
	}
	made, err := importMaterial(given)
	if err != nil {
		return nil, nil, errKeyPair
	}
	return made, []guard.Part{
		{Type: ck.CKA_NCRYPT_CONTAINER, Value: attr.ULong(uint(m.ContainerIndex))},
		{Type: ck.CKA_NCRYPT_KEY_SPEC, Value: attr.ULong(uint(m.KeySpec))},
	}, nil
}

// sizeOfKey is the size that dwKeySize must say, in bits.
func sizeOfKey(spec *message.KeySpec, key *blob.Key) uint32 {
	if spec.Bits != 0 {
		return spec.Bits
	}
	return uint32(new(big.Int).SetBytes(key.Get(ck.CKA_MODULUS)).BitLen())
}
