package publickey

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"math/big"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

type ecKey struct {
	signOnly
	public *ecdsa.PublicKey
}

// Verify takes r || s. The halves may both be shorter than the order: PKCS #11 v3.2, in its section on EC signatures, wants r and s
// that were padded less to verify too.
func (k *ecKey) Verify(s *mech.Scheme, digest, signature []byte) error {
	if s.Row.Primitive != mech.ECDSA {
		return ck.CKR_KEY_TYPE_INCONSISTENT
	}
	n := len(signature)
	if n == 0 || n%2 != 0 || n > k.SignatureLen() {
		return ck.CKR_SIGNATURE_LEN_RANGE
	}
	var r, t big.Int
	r.SetBytes(signature[:n/2])
	t.SetBytes(signature[n/2:])
	if !ecdsa.Verify(k.public, digest, &r, &t) {
		return ck.CKR_SIGNATURE_INVALID
	}
	return nil
}

type edKey struct {
	signOnly
	public ed25519.PublicKey
}

// Verify takes the data itself, for Ed25519ph too.
func (k *edKey) Verify(s *mech.Scheme, data, signature []byte) error {
	if s.Row.Primitive != mech.EdDSA {
		return ck.CKR_KEY_TYPE_INCONSISTENT
	}
	if len(signature) != k.SignatureLen() {
		return ck.CKR_SIGNATURE_LEN_RANGE
	}
	options := ed25519.Options{Context: string(s.Context)}
	if s.Prehash {
		options.Hash = crypto.SHA512
		var digest [mech.MaxDigest]byte
		data = mech.SHA512.Sum(digest[:0], data)
	}
	if ed25519.VerifyWithOptions(k.public, data, signature, &options) != nil {
		return ck.CKR_SIGNATURE_INVALID
	}
	return nil
}
