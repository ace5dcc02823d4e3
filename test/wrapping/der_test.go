package wrapping_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"math/big"
	"slices"
	"testing"

	"github.com/miekg/pkcs11"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// tlv is an element of DER. A tag and length are not checked: what is wrong is wanted.
func tlv(tag byte, parts ...[]byte) []byte {
	content := slices.Concat(parts...)
	if len(content) < 0x80 {
		return append([]byte{tag, byte(len(content))}, content...)
	}
	size := bytes.TrimLeft(binary.BigEndian.AppendUint64(nil, uint64(len(content))), "\x00")
	return slices.Concat([]byte{tag, 0x80 | byte(len(size))}, size, content)
}

func sequence(parts ...[]byte) []byte { return tlv(0x30, parts...) }
func octets(content []byte) []byte    { return tlv(4, content) }

// integer is an INTEGER, negative ones too.
func integer(n *big.Int) []byte {
	if n.Sign() < 0 {
		return tlv(2, []byte{0x80}, n.Bytes())
	}
	return tlv(2, append([]byte{0}, n.Bytes()...)[leading(n):])
}

// leading is 1 where a number needs no zero before it.
func leading(n *big.Int) int {
	if n.BitLen()%8 != 0 {
		return 1
	}
	return 0
}

func small(n int64) []byte { return integer(big.NewInt(n)) }

// info is PrivateKeyInfo (RFC 5208).
func info(algorithm, key []byte) []byte { return sequence(small(0), algorithm, octets(key)) }

var rsaAlgorithm = sequence(oid(1, 2, 840, 113549, 1, 1, 1), []byte{5, 0})

func ecAlgorithm(curve []byte) []byte { return sequence(oid(1, 2, 840, 10045, 2, 1), curve) }

// rsaInfo is an RSA key of numbers: n, e, d, p, q, dP, dQ, qInv.
func rsaInfo(numbers ...*big.Int) []byte {
	parts := [][]byte{small(0)}
	for _, n := range numbers {
		parts = append(parts, integer(n))
	}
	return info(rsaAlgorithm, sequence(parts...))
}

// ecInfo is an EC key with or without its public half.
func ecInfo(curve, scalar, point []byte) []byte {
	parts := [][]byte{small(1), octets(scalar)}
	if point != nil {
		parts = append(parts, tlv(0xa1, tlv(3, []byte{0}, point)))
	}
	return info(ecAlgorithm(curve), sequence(parts...))
}

// sealers encrypt any plaintext as a mechanism does whose key the test knows.
var sealers = map[string]func(t *testing.T, tok *token, key pkcs11.ObjectHandle, plain []byte) []byte{
	"AES-CBC-PAD 256": func(t *testing.T, tok *token, _ pkcs11.ObjectHandle, plain []byte) []byte {
		block, err := aes.NewCipher(tok.fixtures.aes)
		must(t, err)
		n := aes.BlockSize - len(plain)%aes.BlockSize
		out := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(n)}, n)...)
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, out)
		return out
	},
	"AES-GCM 256": func(t *testing.T, tok *token, _ pkcs11.ObjectHandle, plain []byte) []byte {
		block, err := aes.NewCipher(tok.fixtures.aes)
		must(t, err)
		gcm, err := cipher.NewGCM(block)
		must(t, err)
		return gcm.Seal(nil, iv[:gcmIV], plain, nil)
	},
	"AES-KWP 256": func(t *testing.T, tok *token, key pkcs11.ObjectHandle, plain []byte) []byte {
		must(t, tok.EncryptInit(tok.h, []*pkcs11.Mechanism{pkcs11.NewMechanism(uint(ck.CKM_AES_KEY_WRAP_KWP), nil)}, key))
		out, err := tok.Encrypt(tok.h, plain)
		must(t, err)
		return out
	},
}
