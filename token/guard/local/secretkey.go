package local

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1"
	"sync"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// maxSecretLen bounds the bytes of a secret key.
const maxSecretLen = 64 << 10

// checkLen is how much of a key CKA_CHECK_VALUE shows.
const checkLen = 3

// secretKey is a secret key: AES where it has a block cipher, and else bytes for HMAC and derivation.
type secretKey struct {
	value *secret.Bytes
	block cipher.Block

	gcmOnce sync.Once // at the first use of GCM
	gcm     cipher.AEAD
	gcmErr  error
}

// newSecretKey takes over value.
func newSecretKey(keyType ck.KeyType, value *secret.Bytes) (*secretKey, error) {
	k := &secretKey{value: value}
	n := value.Len()
	var err error
	switch {
	case n == 0 || n > maxSecretLen:
		err = ck.CKR_ATTRIBUTE_VALUE_INVALID
	case keyType == ck.CKK_AES:
		k.block, err = aes.NewCipher(value.Bytes())
	}
	if err != nil {
		value.Close()
		return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "no key of this type has %d bytes", n)
	}
	return k, nil
}

func generateSecret(spec *guard.KeySpec) (material, error) {
	switch n := spec.ValueLen; {
	case n == 0:
		return nil, ck.Errorf(ck.CKR_TEMPLATE_INCOMPLETE, "generating a secret key needs CKA_VALUE_LEN")
	case n < 0 || n > maxSecretLen, spec.KeyType == ck.CKK_AES && n != 16 && n != 24 && n != 32:
		return nil, ck.Errorf(ck.CKR_KEY_SIZE_RANGE, "no key of this type has %d bytes", n)
	}
	value := secret.New(spec.ValueLen)
	rand.Read(value.Bytes())
	return newSecretKey(spec.KeyType, value)
}

func (k *secretKey) plain() (*secret.Bytes, error) { return k.value.Clone(), nil }

func (k *secretKey) public() ([]guard.Part, error) {
	return []guard.Part{
		{Type: ck.CKA_VALUE_LEN, Value: attr.ULong(uint(k.value.Len()))},
		{Type: ck.CKA_CHECK_VALUE, Value: k.checkValue()},
	}, nil
}

// checkValue is the beginning of a zero block encrypted with the key, or of the key's SHA-1 where there is no cipher (PKCS #11 v3.2,
// CKA_CHECK_VALUE).
func (k *secretKey) checkValue() []byte {
	if k.block == nil {
		sum := sha1.Sum(k.value.Bytes())
		return sum[:checkLen]
	}
	var block [aes.BlockSize]byte
	k.block.Encrypt(block[:], block[:])
	return block[:checkLen]
}

func (k *secretKey) private() []guard.Part { return valuePart(k.value.Bytes()) }

func (k *secretKey) wipe() {
	k.value.Close()
	k.block, k.gcm = nil, nil
}

// mode is what one mechanism does with a secret key.
type mode struct {
	encrypt, decrypt func(k *secretKey, dst []byte, s *mech.Scheme, data []byte) ([]byte, error)
	stream           func(k *secretKey, s *mech.Scheme, op mech.Op) (state, error)
	cipher           bool // needs a block cipher
}

// modes are the primitives of secret keys. (A function, since the modes refer back to their users.)
func modeOf(p mech.Primitive) mode {
	switch p {
	case mech.AESECB, mech.AESCBC, mech.AESCBCPad:
		return mode{encryptBlocks, decryptBlocks, streamBlocks, true}
	case mech.AESCTR:
		return mode{cryptCTR, cryptCTR, streamCTR, true}
	case mech.AESGCM:
		return mode{sealGCM, openGCM, streamGCM, true}
	case mech.AESKeyWrap:
		return mode{wrapKW, unwrapKW, nil, true}
	case mech.AESKeyWrapPad:
		return mode{wrapKWP, unwrapKWP, nil, true}
	case mech.AESCMAC:
		return mode{nil, nil, streamMAC, true}
	case mech.HMAC:
		return mode{nil, nil, streamMAC, false}
	}
	return mode{}
}

func (k *secretKey) encrypt(dst []byte, s *mech.Scheme, data []byte) ([]byte, error) {
	m := modeOf(s.Row.Primitive)
	if m.encrypt == nil {
		return nil, ck.CKR_MECHANISM_INVALID
	}
	if k.block == nil {
		return nil, ck.CKR_KEY_TYPE_INCONSISTENT
	}
	return m.encrypt(k, dst, s, data)
}

func (k *secretKey) decrypt(dst []byte, s *mech.Scheme, data []byte) ([]byte, error) {
	m := modeOf(s.Row.Primitive)
	if m.decrypt == nil {
		return nil, ck.CKR_MECHANISM_INVALID
	}
	if k.block == nil {
		return nil, ck.CKR_KEY_TYPE_INCONSISTENT
	}
	return m.decrypt(k, dst, s, data)
}

func (k *secretKey) stream(s *mech.Scheme, op mech.Op) (state, error) {
	m := modeOf(s.Row.Primitive)
	if m.stream == nil {
		return nil, ck.Errorf(ck.CKR_MECHANISM_INVALID, "the mechanism works in one part only")
	}
	if m.cipher && k.block == nil {
		return nil, ck.CKR_KEY_TYPE_INCONSISTENT
	}
	return m.stream(k, s, op)
}
