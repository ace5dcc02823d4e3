package publickey

import (
	"bytes"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// verifyPSS is EMSA-PSS-VERIFY (RFC 8017, section 9.1.2), with the salt length that the parameter says. crypto/rsa cannot do that: it
// has no mask hash apart from the hash, and takes a salt length of 0 for any.
func (k *rsaKey) verifyPSS(s *mech.Scheme, digest, signature []byte) error {
	hashLen := s.Hash.Size()
	if len(digest) != hashLen {
		return ck.CKR_DATA_LEN_RANGE
	}
	bits := k.Bits() - 1
	length := (bits + 7) / 8
	maskedLen := length - hashLen - 1
	if s.SaltLen < 0 || s.SaltLen > maskedLen-1 {
		return ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "the salt or the hash is too long for this key")
	}
	message, ok := k.raw(signature)
	if !ok {
		return ck.CKR_SIGNATURE_INVALID
	}
	// A modulus of 8n+1 bits is a byte longer than the encoded message.
	if len(message) > length {
		if message[0] != 0 {
			return ck.CKR_SIGNATURE_INVALID
		}
		message = message[1:]
	}
	db, h := message[:maskedLen], message[maskedLen:length-1]
	unused := byte(0xff) << (8 - (8*length - bits)) // bits of the first byte that the message does not reach
	if 8*length == bits {
		unused = 0
	}
	if message[length-1] != 0xbc || db[0]&unused != 0 {
		return ck.CKR_SIGNATURE_INVALID
	}
	unmask(db, s.MGFHash, h)
	db[0] &^= unused
	padding, salt := db[:maskedLen-s.SaltLen], db[maskedLen-s.SaltLen:]
	for _, b := range padding[:len(padding)-1] {
		if b != 0 {
			return ck.CKR_SIGNATURE_INVALID
		}
	}
	if padding[len(padding)-1] != 1 || !bytes.Equal(h, saltedHash(s.Hash, digest, salt)) {
		return ck.CKR_SIGNATURE_INVALID
	}
	return nil
}

// saltedHash is H' of step 13: the hash of eight zeros, the digest and the salt.
func saltedHash(hash mech.Hash, digest, salt []byte) []byte {
	h := hash.New()
	var zeros [8]byte
	h.Write(zeros[:])
	h.Write(digest)
	h.Write(salt)
	return h.Sum(nil)
}

// unmask takes the mask MGF1(seed) off data (RFC 8017, section B.2.1).
func unmask(data []byte, hash mech.Hash, seed []byte) {
	h := hash.New()
	mask := make([]byte, 0, mech.MaxDigest)
	for counter := uint32(0); len(data) > 0; counter++ {
		h.Reset()
		h.Write(seed)
		h.Write([]byte{byte(counter >> 24), byte(counter >> 16), byte(counter >> 8), byte(counter)})
		mask = h.Sum(mask[:0])
		n := min(len(mask), len(data))
		for i := range n {
			data[i] ^= mask[i]
		}
		data = data[n:]
	}
}
