package local

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"slices"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// ECB and CBC, which work on whole blocks, and CBC_PAD, which fills up the last one.

const blockLen = aes.BlockSize

// blockMode is the mode of the scheme, set to encrypt or to decrypt.
func (k *secretKey) blockMode(s *mech.Scheme, decrypt bool) (cipher.BlockMode, error) {
	if s.Row.Primitive == mech.AESECB {
		return ecb{k.block, decrypt}, nil
	}
	if len(s.IV) != blockLen {
		return nil, ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "the IV of CBC has %d bytes", blockLen)
	}
	return &cbc{block: k.block, chain: [blockLen]byte(s.IV), decrypt: decrypt}, nil
}

// cbc chains blocks. crypto/cipher would do it too, but copies the expanded key into each new mode: twice the time for short data, and one
// more copy that nobody wipes.
type cbc struct {
	block   cipher.Block
	chain   [blockLen]byte
	decrypt bool
}

func (c *cbc) BlockSize() int { return blockLen }

func (c *cbc) CryptBlocks(dst, src []byte) {
	for ; len(src) > 0; dst, src = dst[blockLen:], src[blockLen:] {
		if c.decrypt {
			next := [blockLen]byte(src) // dst may be src
			c.block.Decrypt(dst, src)
			subtle.XORBytes(dst, dst[:blockLen], c.chain[:])
			c.chain = next
		} else {
			subtle.XORBytes(c.chain[:], c.chain[:], src)
			c.block.Encrypt(c.chain[:], c.chain[:])
			copy(dst, c.chain[:])
		}
	}
}

// ecb encrypts each block by itself.
type ecb struct {
	block   cipher.Block
	decrypt bool
}

func (e ecb) BlockSize() int { return blockLen }

func (e ecb) CryptBlocks(dst, src []byte) {
	for ; len(src) > 0; dst, src = dst[blockLen:], src[blockLen:] {
		if e.decrypt {
			e.block.Decrypt(dst, src)
		} else {
			e.block.Encrypt(dst, src)
		}
	}
}

func encryptBlocks(k *secretKey, dst []byte, s *mech.Scheme, data []byte) ([]byte, error) {
	crypt, err := k.blockMode(s, false)
	if err != nil {
		return nil, err
	}
	padded := s.Row.Primitive == mech.AESCBCPad
	if !padded && len(data)%blockLen != 0 {
		return nil, ck.CKR_DATA_LEN_RANGE
	}
	n := len(data)
	if padded {
		n += blockLen - n%blockLen
	}
	out := append(slices.Grow(dst, n), data...) // grown at once: what it grew out of later would keep the plaintext
	if padded {
		out = pad(out, len(data))
	}
	body := out[len(dst):]
	crypt.CryptBlocks(body, body)
	return out, nil
}

func decryptBlocks(k *secretKey, dst []byte, s *mech.Scheme, data []byte) ([]byte, error) {
	padded := s.Row.Primitive == mech.AESCBCPad
	if len(data)%blockLen != 0 || padded && len(data) == 0 {
		return nil, ck.CKR_ENCRYPTED_DATA_LEN_RANGE
	}
	crypt, err := k.blockMode(s, true)
	if err != nil {
		return nil, err
	}
	out := append(dst, data...)
	body := out[len(dst):]
	crypt.CryptBlocks(body, body)
	if !padded {
		return out, nil
	}
	n, ok := unpad(body[len(body)-blockLen:])
	if !ok {
		secret.Wipe(body)
		return nil, ck.CKR_ENCRYPTED_DATA_INVALID
	}
	return out[:len(out)-blockLen+n], nil
}

// pad appends the padding of PKCS #7 for n bytes of data.
func pad(dst []byte, n int) []byte {
	fill := blockLen - n%blockLen
	for range fill {
		dst = append(dst, byte(fill))
	}
	return dst
}

// unpad tells how many bytes of the last block are data. It looks at all of them in any case.
func unpad(last []byte) (n int, ok bool) {
	fill := int(last[blockLen-1])
	good := subtle.ConstantTimeLessOrEq(1, fill) & subtle.ConstantTimeLessOrEq(fill, blockLen)
	for i, b := range last {
		inside := subtle.ConstantTimeLessOrEq(blockLen-fill, i)
		good &= subtle.ConstantTimeSelect(inside, subtle.ConstantTimeByteEq(b, byte(fill)), 1)
	}
	return blockLen - fill, good == 1
}

// blocks is the multi-part form.
type blocks struct {
	crypt   cipher.BlockMode
	rest    []byte // less than a block, or one block that may be the last
	padding bool
	decrypt bool
}

func streamBlocks(k *secretKey, s *mech.Scheme, op mech.Op) (state, error) {
	b := &blocks{rest: make([]byte, 0, blockLen), padding: s.Row.Primitive == mech.AESCBCPad, decrypt: op == mech.OpDecrypt}
	var err error
	b.crypt, err = k.blockMode(s, b.decrypt)
	return b, err
}

// shape counts whole blocks, less the one that decryption keeps back because it may be the padding.
func (b *blocks) shape() guard.StreamShape {
	s := guard.StreamShape{Unit: blockLen, Held: len(b.rest)}
	if b.padding && b.decrypt {
		s.Keep = 1
	}
	return s
}

func (b *blocks) update(dst, part []byte) ([]byte, error) {
	n := b.shape().UpdateLen(len(part))
	if n == 0 {
		b.rest = append(b.rest, part...)
		return dst, nil
	}
	fresh := n - len(b.rest)
	out := append(append(slices.Grow(dst, n), b.rest...), part[:fresh]...)
	b.crypt.CryptBlocks(out[len(dst):], out[len(dst):])
	b.rest = append(b.rest[:0], part[fresh:]...)
	return out, nil
}

func (b *blocks) finalLen() int {
	if b.padding {
		return blockLen
	}
	return 0
}

func (b *blocks) final(dst []byte) ([]byte, error) {
	switch {
	case b.padding && !b.decrypt:
		b.rest = pad(b.rest, len(b.rest))
	case b.padding && len(b.rest) != blockLen, !b.padding && b.decrypt && len(b.rest) > 0:
		return nil, ck.CKR_ENCRYPTED_DATA_LEN_RANGE
	case !b.padding && len(b.rest) > 0:
		return nil, ck.CKR_DATA_LEN_RANGE
	case !b.padding:
		return dst, nil
	}
	b.crypt.CryptBlocks(b.rest, b.rest)
	n := blockLen
	if b.decrypt {
		var ok bool
		if n, ok = unpad(b.rest); !ok {
			return nil, ck.CKR_ENCRYPTED_DATA_INVALID
		}
	}
	return append(dst, b.rest[:n]...), nil
}

func (b *blocks) wipe() { secret.Wipe(b.rest[:cap(b.rest)]) }
