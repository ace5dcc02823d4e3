package inject

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Everything that is hashed or derived begins with a text that nothing else begins with (domain separation; FORMAT.md, "Keys").
const (
	domainTranscript = "ncrypt11 inject v1 transcript\x00"
	domainCombine    = "ncrypt11 inject v1 combine\x00"
	domainKey        = "ncrypt11 inject v1 key\x00"
	domainSender     = "ncrypt11 inject v1 sender\x00"
)

// OAEPLabel is the label of RSAES-OAEP (RFC 8017, section 7.1.1): what is encrypted for this purpose is of no use for another.
const OAEPLabel = "ncrypt11 inject v1 rsa-oaep-3072"

// keyLen is that of all symmetric keys and shared secrets here.
const keyLen = 32

func hashOf(domain string, parts ...[]byte) []byte {
	h := sha256.New()
	h.Write([]byte(domain))
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}

// combineInfo is HKDF's info of one step of combining a target's secrets: which step, the suite, the target, and through the transcript all that is public.
func combineInfo(step int, suite Suite, id [16]byte, transcript []byte) []byte {
	return slices.Concat([]byte(domainCombine), []byte{byte(step), byte(len(suite))}, []byte(suite), id[:], transcript)
}

// combine makes of a target's secrets the key that its part of the package is under: each secret is the salt with which the key so far is derived anew.
// It leaves the secrets to the caller.
func combine(secrets []*secret.Bytes, suite Suite, id [16]byte, transcript []byte) (*secret.Bytes, error) {
	key := secrets[0].Clone()
	for i, salt := range secrets[1:] {
		next, err := hkdf.Key(sha256.New, key.Bytes(), salt.Bytes(), string(combineInfo(i, suite, id, transcript)), keyLen)
		key.Close()
		if err != nil {
			return nil, fmt.Errorf("HKDF: %w", err)
		}
		key = secret.From(next)
	}
	return key, nil
}

// keyAAD is what a key is authenticated with: the package, its place in it, how many there are, and what is said of it.
func keyAAD(transcript []byte, index, count int, meta []byte) []byte {
	b := slices.Concat([]byte(domainKey), transcript)
	b = binary.BigEndian.AppendUint32(b, uint32(index))
	b = binary.BigEndian.AppendUint32(b, uint32(count))
	return append(b, meta...)
}

// nonceOf is AES-GCM's of the key at an index: a counter, under a key that is made for this package and target alone (SP 800-38D, section 8.2.1).
func nonceOf(index int) []byte {
	return binary.BigEndian.AppendUint32(make([]byte, 8, nonceLen), uint32(index))
}

const (
	nonceLen = 12
	tagLen   = 16
)

// aesGCM is AES-256-GCM.
func aesGCM(key *secret.Bytes) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key.Bytes())
	if err != nil {
		return nil, fmt.Errorf("AES: %w", err)
	}
	return cipher.NewGCM(block)
}
