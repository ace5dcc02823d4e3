package publickey

import (
	"crypto/rsa"
	"crypto/subtle"

	"filippo.io/bigmod"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// pkcs1Overhead is the fewest bytes that v1.5 padding adds (RFC 8017, section 7.2.1).
const pkcs1Overhead = 11

type rsaKey struct {
	public  *rsa.PublicKey
	modulus *bigmod.Modulus
}

func newRSA(public *rsa.PublicKey) (Key, error) {
	if public.N.BitLen() < mech.MinRSABits {
		return nil, ck.Errorf(ck.CKR_KEY_SIZE_RANGE, "an RSA modulus of %d bits is too short", public.N.BitLen())
	}
	modulus, err := bigmod.NewModulus(public.N.Bytes())
	if err != nil {
		return nil, ck.Errorf(ck.CKR_ATTRIBUTE_VALUE_INVALID, "CKA_MODULUS: %w", err)
	}
	return &rsaKey{public, modulus}, nil
}

func (k *rsaKey) Bits() int { return k.public.N.BitLen() }

func (k *rsaKey) SignatureLen() int { return k.modulus.Size() }

// raw is RSAEP and RSAVP1 of RFC 8017: in ^ e modulo n, as long as the modulus. It is in constant time as far as in goes, which may be
// a plaintext. False: in is not below the modulus.
func (k *rsaKey) raw(in []byte) ([]byte, bool) {
	base, err := bigmod.NewNat().SetBytes(in, k.modulus)
	if err != nil {
		return nil, false
	}
	defer clear(base.Bits())
	return bigmod.NewNat().ExpShortVarTime(base, uint(k.public.E), k.modulus).Bytes(k.modulus), true
}

// Verify is C_Verify for all RSA mechanisms.
func (k *rsaKey) Verify(s *mech.Scheme, data, signature []byte) error {
	if len(signature) != k.SignatureLen() {
		return ck.CKR_SIGNATURE_LEN_RANGE
	}
	switch s.Row.Primitive {
	case mech.RSAPKCS1:
		return k.verifyPKCS1(s.Row.Hash, data, signature)
	case mech.RSAPSS:
		return k.verifyPSS(s, data, signature)
	case mech.RSARaw:
		return k.verifyRaw(data, signature)
	}
	return ck.CKR_KEY_TYPE_INCONSISTENT
}

// verifyPKCS1 with no hash is CKM_RSA_PKCS: the data is what stands behind the padding, a DigestInfo where the caller made one.
func (k *rsaKey) verifyPKCS1(hash mech.Hash, data, signature []byte) error {
	if hash == 0 && len(data) > k.SignatureLen()-pkcs1Overhead || hash != 0 && len(data) != hash.Size() {
		return ck.CKR_DATA_LEN_RANGE
	}
	if rsa.VerifyPKCS1v15(k.public, hash.Crypto(), data, signature) != nil {
		return ck.CKR_SIGNATURE_INVALID
	}
	return nil
}

// verifyRaw is CKM_RSA_X_509: the data is a number, however many zeros stand before it.
func (k *rsaKey) verifyRaw(data, signature []byte) error {
	if len(data) > k.SignatureLen() {
		return ck.CKR_DATA_LEN_RANGE
	}
	message, ok := k.raw(signature)
	if !ok {
		return ck.CKR_SIGNATURE_INVALID
	}
	padded := make([]byte, len(message))
	copy(padded[len(padded)-len(data):], data)
	if subtle.ConstantTimeCompare(padded, message) != 1 {
		return ck.CKR_SIGNATURE_INVALID
	}
	return nil
}

// VerifyRecover gives the data behind v1.5 padding, or, of CKM_RSA_X_509, the whole number as long as the modulus.
func (k *rsaKey) VerifyRecover(dst []byte, s *mech.Scheme, signature []byte) ([]byte, error) {
	if len(signature) != k.SignatureLen() {
		return nil, ck.CKR_SIGNATURE_LEN_RANGE
	}
	message, ok := k.raw(signature)
	if !ok {
		return nil, ck.CKR_SIGNATURE_INVALID
	}
	switch {
	case s.Row.Primitive == mech.RSARaw:
		return append(dst, message...), nil
	case s.Row.Primitive != mech.RSAPKCS1 || s.Row.Hash != 0:
		return nil, ck.CKR_KEY_TYPE_INCONSISTENT
	}
	if data, ok := unpad(message); ok {
		return append(dst, data...), nil
	}
	return nil, ck.CKR_SIGNATURE_INVALID
}

// unpad strips the padding of a v1.5 signature, 00 01 FF .. FF 00 with eight FF or more (RFC 8017, section 9.2). All of it is public.
func unpad(message []byte) ([]byte, bool) {
	if message[0] != 0 || message[1] != 1 {
		return nil, false
	}
	i := 2
	for i < len(message) && message[i] == 0xff {
		i++
	}
	if i < pkcs1Overhead-1 || i == len(message) || message[i] != 0 {
		return nil, false
	}
	return message[i+1:], true
}
