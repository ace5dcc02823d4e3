package publickey

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// kemKey is an ML-KEM key. What it makes is secret, so the guard encapsulates; here it has nothing to do.
type kemKey struct {
	noCipher
	*pubkey.KEMKey
}

func (k *kemKey) Bits() int { return 8 * k.Public }

func (k *kemKey) SignatureLen() int { return 0 }

func (k *kemKey) Verify(*mech.Scheme, []byte, []byte) error { return ck.CKR_KEY_TYPE_INCONSISTENT }
