package local

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

func (k *rsaKey) decrypt(dst []byte, s *mech.Scheme, data []byte) ([]byte, error) {
	if len(data) != k.raw.size() && s.Row.Primitive != mech.RSARaw {
		return nil, ck.CKR_ENCRYPTED_DATA_LEN_RANGE
	}
	switch s.Row.Primitive {
	case mech.RSAPKCS1:
		return k.decryptPKCS1(dst, data, nil)
	case mech.RSAOAEP:
		return k.decryptOAEP(dst, s, data)
	case mech.RSARaw:
		return k.rawOperation(dst, data, ck.CKR_ENCRYPTED_DATA_LEN_RANGE, ck.CKR_ENCRYPTED_DATA_INVALID)
	}
	return nil, ck.CKR_MECHANISM_INVALID
}

// decryptOAEP is RFC 8017, section 7.1.2. Why a ciphertext is refused must not be told, by the time it takes neither (Manger): no branch
// depends on em before all of it has been looked at.
func (k *rsaKey) decryptOAEP(dst []byte, s *mech.Scheme, data []byte) ([]byte, error) {
	if err := knownHashes(s); err != nil {
		return nil, err
	}
	hashLen := s.Hash.Size()
	if k.raw.size() < 2*hashLen+2 {
		return nil, ck.CKR_ENCRYPTED_DATA_INVALID
	}
	em, inRange, err := k.raw.private(data)
	if err != nil {
		return nil, err
	}
	if !inRange { // a public fact
		return nil, ck.CKR_ENCRYPTED_DATA_INVALID
	}
	defer secret.Wipe(em)
	seed, db := em[1:1+hashLen], em[1+hashLen:]
	mgf1(seed, s.MGFHash, db)
	mgf1(db, s.MGFHash, seed)
	label := s.Hash.New()
	label.Write(s.Label)
	good := subtle.ConstantTimeByteEq(em[0], 0) & subtle.ConstantTimeCompare(db[:hashLen], label.Sum(nil))

	// Zeros, a one, and then the plaintext.
	var found, start int
	for i, b := range db[hashLen:] {
		isOne := subtle.ConstantTimeByteEq(b, 1)
		start = subtle.ConstantTimeSelect(isOne&^found, i+1, start)
		good &= found | isOne | subtle.ConstantTimeByteEq(b, 0)
		found |= isOne
	}
	if good&found != 1 {
		return nil, ck.CKR_ENCRYPTED_DATA_INVALID
	}
	return append(dst, db[hashLen+start:]...), nil
}

// decryptPKCS1 never says that the padding is wrong, for whoever may ask often enough can decrypt with that answer (Bleichenbacher). A bad
// ciphertext gives a synthetic plaintext instead, always the same for the same ciphertext and key ("implicit rejection", as in the
// IRTF's RSA guidance and in OpenSSL 3.2). Where the plaintext can only have certain lengths (nil: any), another is as bad as bad padding.
func (k *rsaKey) decryptPKCS1(dst, ciphertext []byte, lengths []int) ([]byte, error) {
	em, inRange, err := k.raw.private(ciphertext)
	if err != nil {
		return nil, err
	}
	if !inRange { // a public fact
		return nil, ck.CKR_ENCRYPTED_DATA_INVALID
	}
	defer secret.Wipe(em)
	size := len(em)
	if len(lengths) > 0 && slices.Max(lengths) > size-pkcs1Overhead {
		return nil, ck.CKR_ENCRYPTED_DATA_LEN_RANGE
	}
	synthetic, syntheticLen := k.synthetic(ciphertext)
	defer secret.Wipe(synthetic)

	// Where does the padding end? No branch below depends on em.
	var end, found int
	for i := 2; i < size; i++ {
		zero := subtle.ConstantTimeByteEq(em[i], 0)
		end = subtle.ConstantTimeSelect(zero&^found, i, end)
		found |= zero
	}
	good := subtle.ConstantTimeByteEq(em[0], 0) & subtle.ConstantTimeByteEq(em[1], 2) & found &
		subtle.ConstantTimeLessOrEq(pkcs1Overhead-1, end)
	plainLen := size - 1 - end
	if len(lengths) > 0 {
		var fits int
		for _, length := range lengths {
			fits |= subtle.ConstantTimeEq(int32(plainLen), int32(length))
		}
		good &= fits
		syntheticLen = lengths[syntheticLen%len(lengths)]
	}
	subtle.ConstantTimeCopy(1-good, em, synthetic)
	plainLen = subtle.ConstantTimeSelect(good, plainLen, syntheticLen)
	return append(dst, em[size-plainLen:]...), nil
}

// synthetic gives the bytes whose end stands for the plaintext of a bad ciphertext, and how many of them do.
func (k *rsaKey) synthetic(ciphertext []byte) (message []byte, length int) {
	size := k.raw.size()
	padded := make([]byte, size)
	copy(padded[size-len(ciphertext):], ciphertext)
	mac := hmac.New(sha256.New, k.seed[:])
	mac.Write(padded)
	key := mac.Sum(nil)
	defer secret.Wipe(key)

	// 128 candidates of 16 bits. The last that is in range wins; that none is has a chance below 2^-128.
	limit := size - pkcs1Overhead + 1
	mask := 1<<bits.Len(uint(limit)) - 1
	candidates := expand(key, "length", 256)
	for i := 0; i < len(candidates); i += 2 {
		candidate := int(binary.BigEndian.Uint16(candidates[i:])) & mask
		fits := subtle.ConstantTimeLessOrEq(candidate+1, limit)
		length = subtle.ConstantTimeSelect(fits, candidate, length)
	}
	return expand(key, "message", size), length
}

// expand is the guidance's pseudorandom function: HMAC-SHA256 over a counter, the label and the length in bits.
func expand(key []byte, label string, n int) []byte {
	out := make([]byte, 0, n+sha256.Size)
	mac := hmac.New(sha256.New, key)
	for i := 0; len(out) < n; i++ {
		mac.Reset()
		mac.Write(binary.BigEndian.AppendUint16(nil, uint16(i)))
		mac.Write([]byte(label))
		mac.Write(binary.BigEndian.AppendUint16(nil, uint16(n*8)))
		out = mac.Sum(out)
	}
	return out[:n]
}
