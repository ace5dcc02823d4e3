package local

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Wrapping of keys of any length under a key pair: an AES key in between wraps the key by RFC 5649, and what its owner needs to find the AES key
// stands before that (PKCS #11 v3.2, the sections on CKM_RSA_AES_KEY_WRAP and CKM_ECDH_AES_KEY_WRAP).

// hybrid says whether a mechanism wraps so.
func hybrid(p mech.Primitive) bool { return p == mech.RSAAESKeyWrap || p == mech.ECDHAESKeyWrap }

// finder is a private key that can find the AES key in between.
type finder interface {
	// find gives the AES key, which the caller closes, and what is wrapped under it.
	find(s *mech.Scheme, wrapped []byte) (aes *secret.Bytes, rest []byte, err error)
}

// wrapUnder appends plain, wrapped under the AES key, to dst.
func wrapUnder(dst []byte, aes *secret.Bytes, plain []byte) ([]byte, error) {
	k, err := newSecretKey(ck.CKK_AES, aes.Clone())
	if err != nil {
		return nil, err
	}
	defer k.wipe()
	out, err := wrapKWP(k, dst, &mech.Scheme{}, plain)
	if err != nil {
		return nil, ck.Errorf(ck.CKR_KEY_SIZE_RANGE, "a key of %d bytes cannot be wrapped", len(plain))
	}
	return out, nil
}

func unwrapHybrid(m material, s *mech.Scheme, wrapped []byte) (*secret.Bytes, error) {
	owner, ok := m.(finder)
	if !ok {
		return nil, ck.CKR_KEY_TYPE_INCONSISTENT
	}
	aes, rest, err := owner.find(s, wrapped)
	if err != nil {
		return nil, err
	}
	k, err := newSecretKey(ck.CKK_AES, aes) // which closes it
	if err != nil {
		return nil, ck.CKR_ENCRYPTED_DATA_INVALID
	}
	defer k.wipe()
	plain, err := unwrapKWP(k, nil, &mech.Scheme{}, rest)
	if err != nil {
		return nil, err
	}
	return secret.From(plain), nil
}

// split cuts a wrapped key in two. Lengths are public, and judged before anything is decrypted.
func split(wrapped []byte, head int) (first, rest []byte, err error) {
	if n := len(wrapped) - head; n < blockLen || n%semiblock != 0 || n > maxKeyWrapLen+semiblock {
		return nil, nil, ck.CKR_ENCRYPTED_DATA_LEN_RANGE
	}
	return wrapped[:head], wrapped[head:], nil
}

// checkAESLen does not trust a client's scheme to have come from mech.Parse.
func checkAESLen(s *mech.Scheme) error {
	if n := s.AESLen; n != 16 && n != 24 && n != 32 {
		return ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "an AES key of %d bytes", n)
	}
	return nil
}

// wrapRSAAES is CKM_RSA_AES_KEY_WRAP: OAEP of a fresh AES key, and the key under that.
func wrapRSAAES(dst []byte, public crypto.PublicKey, s *mech.Scheme, plain []byte) ([]byte, error) {
	if err := checkAESLen(s); err != nil {
		return nil, err
	}
	aes := secret.New(s.AESLen)
	defer aes.Close()
	rand.Read(aes.Bytes())
	oaep := &mech.Scheme{Row: mech.Lookup(ck.CKM_RSA_PKCS_OAEP), Hash: s.Hash, MGFHash: s.MGFHash, Label: s.Label}
	out, err := encryptRSA(dst, public.(*rsa.PublicKey), oaep, aes.Bytes())
	if ck.Code(err) == ck.CKR_KEY_SIZE_RANGE {
		return nil, ck.Errorf(ck.CKR_WRAPPING_KEY_SIZE_RANGE, "the modulus is too short for OAEP of the AES key with %v", s.Hash)
	}
	if err != nil {
		return nil, err
	}
	return wrapUnder(out, aes, plain)
}

// find undoes OAEP. The AES key is as long as it is: NCrypt's blobs do not say how long, and the length that the parameter names binds who wraps.
func (k *rsaKey) find(s *mech.Scheme, wrapped []byte) (*secret.Bytes, []byte, error) {
	if s.Row.Primitive != mech.RSAAESKeyWrap {
		return nil, nil, ck.CKR_KEY_TYPE_INCONSISTENT
	}
	first, rest, err := split(wrapped, k.raw.size())
	if err != nil {
		return nil, nil, err
	}
	aes, err := k.decryptOAEP(nil, s, first)
	if err != nil {
		return nil, nil, err
	}
	return secret.From(aes), rest, nil
}
