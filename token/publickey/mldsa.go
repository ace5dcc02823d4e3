package publickey

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// mldsaKey is an ML-DSA key.
type mldsaKey struct {
	noCipher
	*pubkey.MLDSAKey
}

func (k *mldsaKey) Bits() int { return 8 * k.Public }

func (k *mldsaKey) SignatureLen() int { return k.Signature }

// Verify takes the message itself.
func (k *mldsaKey) Verify(s *mech.Scheme, message, signature []byte) error {
	switch {
	case s.Row.Primitive != mech.MLDSA:
		return ck.CKR_KEY_TYPE_INCONSISTENT
	case len(signature) != k.SignatureLen():
		return ck.CKR_SIGNATURE_LEN_RANGE
	case !k.MLDSAKey.Verify(message, signature, s.Context):
		return ck.CKR_SIGNATURE_INVALID
	}
	return nil
}
