package publickey

import (
	"crypto/rand"
	"crypto/rsa"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// Encrypt is C_Encrypt for all RSA mechanisms.
func (k *rsaKey) Encrypt(dst []byte, s *mech.Scheme, data []byte) ([]byte, error) {
	most, ok := k.maxData(s)
	if !ok {
		return nil, ck.CKR_KEY_TYPE_INCONSISTENT
	}
	if len(data) > most {
		return nil, ck.CKR_DATA_LEN_RANGE
	}
	var out []byte
	var err error
	switch s.Row.Primitive {
	case mech.RSAPKCS1:
		//lint:ignore SA1019 CKM_RSA_PKCS is this padding, and the caller chose it
		out, err = rsa.EncryptPKCS1v15(rand.Reader, k.public, data)
	case mech.RSAOAEP:
		options := rsa.OAEPOptions{Hash: s.Hash.Crypto(), MGFHash: s.MGFHash.Crypto(), Label: s.Label}
		out, err = rsa.EncryptOAEPWithOptions(rand.Reader, k.public, data, &options)
	case mech.RSARaw:
		if out, ok = k.raw(data); !ok {
			return nil, ck.Errorf(ck.CKR_DATA_INVALID, "the data is not below the modulus")
		}
	}
	if err != nil {
		return nil, ck.Errorf(ck.CKR_FUNCTION_FAILED, "RSA encryption: %w", err)
	}
	return append(dst, out...), nil
}

// maxData is the most bytes that can be encrypted at once, below 0 where the hash is too long for the key. False: the scheme does not
// encrypt with RSA.
func (k *rsaKey) maxData(s *mech.Scheme) (int, bool) {
	size := k.SignatureLen()
	switch s.Row.Primitive {
	case mech.RSAPKCS1:
		return size - pkcs1Overhead, s.Row.Hash == 0
	case mech.RSAOAEP:
		return size - 2 - 2*s.Hash.Size(), true
	case mech.RSARaw:
		return size, true
	}
	return 0, false
}
