package minidriver

import (
	"crypto/aes"
	"crypto/cipher"
	"math/big"

	"github.com/ncrypt11/ncrypt11/minidriver/message"
	"github.com/ncrypt11/ncrypt11/ncryptmap/blob"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// checks look at what is to be encrypted for a secure function, so that a server learns of what its card would refuse without a reason.
var checks = map[string]func([]byte) error{
	CARD_SECURE_FUNCTION_IMPORT_KEYPAIR:       checkKeyPair,
	CARD_SECURE_FUNCTION_CHANGE_AUTHENTICATOR: func(b []byte) error { _, err := message.ParseChangeAuthenticator(b); return err },
	CARD_SECURE_FUNCTION_AUTHENTICATE:         func(b []byte) error { _, err := message.ParseAuthenticate(b); return err },
}

func checkKeyPair(b []byte) error {
	m, err := message.ParseImportKeyPair(b)
	if err != nil {
		return err
	}
	spec := message.FindKeySpec(m.KeySpec)
	switch {
	case spec == nil:
		return invalid("there is no key spec %d", m.KeySpec)
	case m.PinID != message.ROLE_USER:
		return invalid("a container's key is under the user's PIN (%d), not %d", message.ROLE_USER, m.PinID)
	}
	key, err := readKey(spec, m.KeySize, m.Input)
	if err == nil {
		key.Close()
	}
	return err
}

// readKey reads a private key that is for a container.
func readKey(spec *message.KeySpec, bits uint32, data []byte) (*blob.Key, error) {
	key, err := blob.Read(spec.Blob, data, nil)
	if err != nil {
		return nil, invalid("%w", err)
	}
	size := spec.Bits
	if size == 0 {
		size = uint32(new(big.Int).SetBytes(key.Get(ck.CKA_MODULUS)).BitLen())
	}
	if key.Algorithm != spec.Algorithm || size != bits {
		key.Close()
		return nil, invalid("a key of %s with %d bits, for key spec %d with %d", key.Algorithm, size, spec.Number, bits)
	}
	return key, nil
}

// MDEncryptData encrypts a structure with the data behind it, for a card to do function with: by the key, its IV, which serves once, and padding to whole
// blocks (CARD_BLOCK_PADDING). It gives one part. Errors: SCARD_E_INVALID_PARAMETER, also without an IV; ERROR_REVISION_MISMATCH.
func (c *Context) MDEncryptData(h KeyHandle, function string, data []byte, flags uint32) ([][]byte, error) {
	if err := c.enter("MDEncryptData"); err != nil {
		return nil, err
	}
	defer c.mu.Unlock()
	k, err := c.keys.get(h)
	if err != nil {
		return nil, err
	}
	check, ok := checks[function]
	switch {
	case !ok:
		return nil, invalid("there is no secure function %q", function)
	case flags != CARD_BLOCK_PADDING:
		return nil, invalid("flags %#x: the padding must be CARD_BLOCK_PADDING", flags)
	case k.value == nil:
		return nil, unsupported("the key is in the card, and only decrypts there")
	case k.iv == nil:
		return nil, invalid("the key has no IV: each serves once")
	}
	if err := check(data); err != nil {
		return nil, err
	}
	encrypted, err := encrypt(k.value, k.iv, data)
	if err != nil {
		return nil, err
	}
	k.iv = nil
	return [][]byte{encrypted}, nil
}

// encrypt is AES-CBC with the padding of PKCS #7.
func encrypt(key *secret.Bytes, iv, data []byte) ([]byte, error) {
	block, err := aes.NewCipher(key.Bytes())
	if err != nil {
		return nil, err
	}
	fill := blockLen - len(data)%blockLen
	padded := secret.New(len(data) + fill)
	defer padded.Close()
	for i := copy(padded.Bytes(), data); i < padded.Len(); i++ {
		padded.Bytes()[i] = byte(fill)
	}
	out := make([]byte, padded.Len())
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, padded.Bytes())
	return out, nil
}
