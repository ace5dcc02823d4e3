// Package publickey uses public keys: it verifies signatures and encrypts. Public keys are no secrets, so they never cross the seam to
// the guard. Data that is to be encrypted is in this process anyway.
package publickey

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// Key is a public key, ready for use by any number of goroutines. Every method gives CKR_KEY_TYPE_INCONSISTENT for a scheme that the
// key is not for. Output is appended to dst.
type Key interface {
	// Bits is the size of the modulus or of the curve's field.
	Bits() int
	// SignatureLen is the length of the key's signatures in bytes, 0 where it makes none.
	SignatureLen() int
	// Verify checks a signature of data, which is a digest where the scheme's row has a Hash. Errors: CKR_SIGNATURE_INVALID,
	// CKR_SIGNATURE_LEN_RANGE, CKR_DATA_LEN_RANGE for data that no signature of this kind can be of.
	Verify(s *mech.Scheme, data, signature []byte) error
	// VerifyRecover gives the data that is in a signature. Errors: CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE.
	VerifyRecover(dst []byte, s *mech.Scheme, signature []byte) ([]byte, error)
	// Encrypt encrypts data. Errors: CKR_DATA_LEN_RANGE, CKR_DATA_INVALID.
	Encrypt(dst []byte, s *mech.Scheme, data []byte) ([]byte, error)
}

// Parse makes a key from its attributes, as pubkey.Parse does. An RSA modulus that is too short to be used gives CKR_KEY_SIZE_RANGE.
func Parse(keyType ck.KeyType, get func(ck.AttributeType) []byte) (Key, error) {
	parsed, err := pubkey.Parse(keyType, get)
	if err != nil {
		return nil, err
	}
	switch public := parsed.(type) {
	case *rsa.PublicKey:
		return newRSA(public)
	case *ecdsa.PublicKey:
		curve, _ := pubkey.Point(public)
		return &ecKey{signOnly{curve: curve}, public}, nil
	case ed25519.PublicKey:
		return &edKey{signOnly{curve: pubkey.Ed25519}, public}, nil
	case *ecdh.PublicKey:
		return &agreementKey{signOnly{curve: pubkey.X25519}}, nil
	case *pubkey.KEMKey:
		return &kemKey{KEMKey: public}, nil
	case *pubkey.MLDSAKey:
		return &mldsaKey{MLDSAKey: public}, nil
	}
	return nil, ck.Errorf(ck.CKR_KEY_TYPE_INCONSISTENT, "%v has no public operations", keyType)
}

// signOnly is what the keys on curves have in common.
type signOnly struct {
	noCipher
	curve *pubkey.Curve
}

func (k signOnly) Bits() int { return k.curve.Bits }

// SignatureLen is that of r || s (PKCS #11 v3.2, the EC section) and of R || S (RFC 8032).
func (k signOnly) SignatureLen() int { return 2 * k.curve.Size }

// noCipher is for keys that neither encrypt nor give data back.
type noCipher struct{}

func (noCipher) VerifyRecover([]byte, *mech.Scheme, []byte) ([]byte, error) {
	return nil, ck.CKR_KEY_TYPE_INCONSISTENT
}

func (noCipher) Encrypt([]byte, *mech.Scheme, []byte) ([]byte, error) {
	return nil, ck.CKR_KEY_TYPE_INCONSISTENT
}

// agreementKey is a Montgomery key: only the private half computes anything.
type agreementKey struct{ signOnly }

func (k *agreementKey) SignatureLen() int { return 0 }

func (k *agreementKey) Verify(*mech.Scheme, []byte, []byte) error {
	return ck.CKR_KEY_TYPE_INCONSISTENT
}
