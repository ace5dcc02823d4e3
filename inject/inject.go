// Package inject carries keys from a server to tokens on other, untrusted machines, so that nobody in between sees them: not the people and programs that a
// package passes through, and not the target's own users, whatever programs they write. (Its administrator could have its TPM vouch for keys of his own:
// THREATS.md.) A target says, by its TPM's word, which keys its guard has that packages may be sealed to
// (Target); a server checks that, and seals (Seal); the target's guard opens (package inject/target). FORMAT.md has the formats and the reasons.
//
// It is pure: a server needs no token, no guard and no TPM.
package inject

import "errors"

// What is wrong with a target or a package; errors wrap one of these and say more.
var (
	ErrMalformed   = errors.New("malformed")                      // not a target or a package of a version that is known here
	ErrUntrusted   = errors.New("not trusted")                    // the attestation does not hold, or is of a TPM that is not trusted
	ErrUnfit       = errors.New("not fit to receive keys")        // attested, but of keys that may do too much or are kept too badly
	ErrNonce       = errors.New("an answer to another question")  // the target's nonce is not the one that was given
	ErrExpired     = errors.New("expired")                        // or not valid yet
	ErrOtherTarget = errors.New("for another target")             // the package has nothing for this one
	ErrSender      = errors.New("not from the sender it must be") // the target names a sender, and this package is not signed by him
	ErrTampered    = errors.New("altered, or sealed by a forger") // what is authenticated does not fit
	ErrReplayed    = errors.New("it has been imported before")    // by this target
)
