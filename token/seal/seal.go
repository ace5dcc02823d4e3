// Package seal is the contract of what binds a master key to something outside the disk: a PIN, a TPM.
package seal

import (
	"errors"

	"github.com/ncrypt11/ncrypt11/token/secret"
)

// What a sealer answers. Where PKCS #11 has a CK_RV for it, the error carries it too.
var (
	ErrAuth    = errors.New("wrong PIN")                                                                    // the sealed bytes themselves are sound
	ErrDamaged = errors.New("sealed master key is damaged")                                                 // torn, altered, or sealed for something else
	ErrForeign = errors.New("sealed by another TPM, or by this one before it was cleared")                  // for good
	ErrDead    = errors.New("sealed for one boot only, and that boot is over")                              // for good
	ErrLocked  = errors.New("too many wrong PINs")                                                          // the sealer tries no more for now
	ErrAbsent  = errors.New("there is no TPM, or it does not answer")                                       // try again when it is back
	ErrBusy    = errors.New("the TPM is busy")                                                              // try again
	ErrTerms   = errors.New("this sealer cannot promise that: it seals with software, for whoever asks it") // terms that are not the zero value
)

// Sealer seals small secrets (master keys, 32 bytes).
type Sealer interface {
	// Seal binds master to auth (nil: to nothing but the sealer itself), to context, which Unseal must be given again, and to terms. Error: ErrTerms.
	Seal(master, auth *secret.Bytes, context []byte, terms *Terms) ([]byte, error)
	// Terms reads what sealed says of itself. It proves nothing: Unseal does, before it tries a PIN.
	Terms(sealed []byte) (*Terms, error)
	// Unseal gives the master key back.
	Unseal(sealed []byte, auth *secret.Bytes, context []byte) (*secret.Bytes, error)
	// PINLimit is how many wrong PINs in a row the sealer lets pass before it answers ErrLocked, by a count of its own; 0: it does not count.
	PINLimit() int
}

// Terms are what is promised of a sealed master key, whoever asks for it. The zero value promises nothing.
type Terms struct {
	PerBoot bool // it is dead after the next boot
	Apart   bool // it was made in a guard that none of its users started, so that none of them ever had it. The guard says so; it is no promise that can be asked for
	Access  Access
}

// Empty says that nothing is promised. Nil terms are empty.
func (t *Terms) Empty() bool {
	return t == nil || !t.PerBoot && !t.Access.Machine && t.Access.Owner == (Principal{}) && len(t.Access.Allow) == 0
}
