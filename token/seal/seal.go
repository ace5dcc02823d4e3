// Package seal is the contract of what binds a master key to something outside the disk: a PIN, a TPM.
package seal

import (
	"errors"

	"github.com/ncrypt11/ncrypt11/token/secret"
)

// ErrAuth says that the authorization (the PIN) was wrong. The sealed bytes themselves are sound.
var ErrAuth = errors.New("wrong PIN")

// ErrDamaged says that the sealed bytes are not what this sealer made: torn, altered, or from elsewhere.
var ErrDamaged = errors.New("sealed master key is damaged")

// Sealer seals small secrets (master keys, 32 bytes).
type Sealer interface {
	// Seal binds master to auth (nil: to nothing but the sealer itself) and to context, which Unseal must be given again.
	Seal(master, auth *secret.Bytes, context []byte) ([]byte, error)
	// Unseal gives the master key back. It fails with ErrAuth or ErrDamaged.
	Unseal(sealed []byte, auth *secret.Bytes, context []byte) (*secret.Bytes, error)
}
