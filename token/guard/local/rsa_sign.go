package local

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// pkcs1Overhead is the least padding of PKCS #1 v1.5: 00 01, eight bytes, 00.
const pkcs1Overhead = 11

func (k *rsaKey) sign(dst []byte, s *mech.Scheme, data []byte) ([]byte, error) {
	switch s.Row.Primitive {
	case mech.RSAPKCS1:
		return k.signPKCS1(dst, s, data)
	case mech.RSAPSS:
		return k.signPSS(dst, s, data)
	case mech.RSARaw:
		return k.rawOperation(dst, data, ck.CKR_DATA_LEN_RANGE, ck.CKR_DATA_INVALID)
	}
	return nil, ck.CKR_MECHANISM_INVALID
}

// signPKCS1 signs the digest where the row has a hash, and else data as it is.
func (k *rsaKey) signPKCS1(dst []byte, s *mech.Scheme, data []byte) ([]byte, error) {
	if s.Row.Hash != 0 {
		if len(data) != s.Row.Hash.Size() {
			return nil, ck.CKR_DATA_LEN_RANGE
		}
		data = append(s.Row.Hash.DigestInfoPrefix(nil), data...)
	}
	if len(data) > k.raw.size()-pkcs1Overhead {
		return nil, ck.CKR_DATA_LEN_RANGE
	}
	if k.raw.kernel == nil {
		signature, err := rsa.SignPKCS1v15(nil, k.std, crypto.Hash(0), data) // 0: data is padded and signed as it is
		if err != nil {
			return nil, ck.Errorf(ck.CKR_FUNCTION_FAILED, "RSA: %w", err)
		}
		return append(dst, signature...), nil
	}
	signature, _, err := k.raw.private(padPKCS1(k.raw.size(), data)) // in range: it begins with a zero, and the modulus does not
	if err != nil {
		return nil, err
	}
	return append(dst, signature...), nil
}

// padPKCS1 is EMSA-PKCS1-v1_5 of RFC 8017, section 9.2, from its step 4 on. The data fits.
func padPKCS1(size int, data []byte) []byte {
	em := bytes.Repeat([]byte{0xff}, size)
	em[0], em[1], em[size-len(data)-1] = 0, 1, 0
	copy(em[size-len(data):], data)
	return em
}

// rawOperation is CKM_RSA_X_509, which signs and decrypts alike: data is taken for a number, which must be below the modulus.
func (k *rsaKey) rawOperation(dst, data []byte, badLength, badData ck.RV) ([]byte, error) {
	if len(data) == 0 || len(data) > k.raw.size() {
		return nil, badLength
	}
	out, inRange, err := k.raw.private(data)
	if err != nil {
		return nil, err
	}
	if !inRange {
		return nil, badData
	}
	return append(dst, out...), nil
}

// signPSS signs a digest (RFC 8017, sections 8.1.1 and 9.1.1). crypto/rsa cannot: it knows no mask hash of its own, and takes a salt of
// no bytes for the longest.
func (k *rsaKey) signPSS(dst []byte, s *mech.Scheme, digest []byte) ([]byte, error) {
	if err := knownHashes(s); err != nil {
		return nil, err
	}
	hashLen := s.Hash.Size()
	if len(digest) != hashLen {
		return nil, ck.CKR_DATA_LEN_RANGE
	}
	emBits := k.n.BitLen() - 1
	em := make([]byte, (emBits+7)/8)
	dbLen := len(em) - hashLen - 1
	if s.SaltLen < 0 || dbLen < s.SaltLen+1 {
		return nil, ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "the salt or the hash is too long for this key")
	}
	db, h := em[:dbLen], em[dbLen:dbLen+hashLen]
	salt := db[dbLen-s.SaltLen:]
	rand.Read(salt)

	hash := s.Hash.New()
	hash.Write(make([]byte, 8))
	hash.Write(digest)
	hash.Write(salt)
	hash.Sum(h[:0])

	db[dbLen-s.SaltLen-1] = 1
	mgf1(db, s.MGFHash, h)
	db[0] &= 0xff >> (8*len(em) - emBits)
	em[len(em)-1] = 0xbc

	signature, _, err := k.raw.private(em)
	if err != nil {
		return nil, err
	}
	return append(dst, signature...), nil
}

// knownHashes checks the hashes of a PSS or OAEP scheme.
func knownHashes(s *mech.Scheme) error {
	if !s.Hash.Known() || !s.MGFHash.Known() {
		return ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "the parameter names no hash that is known here")
	}
	return nil
}

// mgf1 masks out with MGF1 of seed (RFC 8017, section B.2.1).
func mgf1(out []byte, h mech.Hash, seed []byte) {
	hash := h.New()
	mask := make([]byte, 0, hash.Size())
	for counter := uint32(0); len(out) > 0; counter++ {
		hash.Reset()
		hash.Write(seed)
		hash.Write([]byte{byte(counter >> 24), byte(counter >> 16), byte(counter >> 8), byte(counter)})
		mask = hash.Sum(mask[:0])
		n := min(len(mask), len(out))
		for i := range n {
			out[i] ^= mask[i]
		}
		out = out[n:]
	}
}
