package tpmseal

import (
	"errors"

	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Tries counts wrong PINs of each sealed master key, where those who try cannot change it. It stands before the TPM's own count, which is one
// for all that the machine seals: a program that keeps trying locks its own token, and nobody else's.
type Tries interface {
	// Take counts a try, durably, before it is made; seal.ErrLocked where limit of them are counted already.
	Take(id []byte, limit int) error
	// Return takes one back that was not made, or whose answer nobody heard.
	Return(id []byte)
	// Settle forgets all.
	Settle(id []byte)
}

// DefaultLimit is how many wrong PINs in a row are let pass, if the TPM lets pass more.
const DefaultLimit = 10

// try has the TPM check the PIN, if there is one. Only an answer that says something about the PIN is kept in the count.
func (s *Sealer) try(o *operation, p *parent, b *object, value *secret.Bytes) (*secret.Bytes, error) {
	if !b.pin || s.tries == nil {
		return o.unseal(p, b, value, func() error { return nil })
	}
	name, err := b.name()
	if err != nil {
		return nil, err
	}
	taken := false
	key, err := o.unseal(p, b, value, func() error {
		tolerance, err := o.tolerance()
		if err == nil {
			err = s.tries.Take(name.Buffer, s.within(tolerance))
		}
		taken = err == nil
		return err
	})
	switch {
	case !taken || errors.Is(err, seal.ErrAuth):
	case err == nil:
		s.tries.Settle(name.Buffer)
	default:
		s.tries.Return(name.Buffer)
	}
	return key, err
}

// PINLimit is how many wrong PINs in a row are let pass: one less than the TPM would, so that a token locks before the TPM does.
func (s *Sealer) PINLimit() int {
	if s.tries == nil {
		return 0
	}
	tolerance, err := s.tpm.Tolerance()
	if err != nil {
		return max(1, s.limit)
	}
	return s.within(tolerance)
}

func (s *Sealer) within(tolerance int) int { return max(1, min(s.limit, tolerance-1)) }

// authValue is what the TPM compares: Argon2id of the PIN. Nothing without a PIN.
//
// A TPM ignores zeros at the end of an authorization value (Part 1, 19.6.5), and go-tpm leaves out everything from the first zero on. So that
// the two agree, there are none: a zero byte becomes a one, which takes 0.2 bits from 256.
func (b *blob) authValue(auth *secret.Bytes) *secret.Bytes {
	if !b.object.pin {
		return secret.New(0)
	}
	value := b.cost.Hash(auth, b.salt[:])
	withoutZeros(value.Bytes())
	return value
}

func withoutZeros(value []byte) {
	for i, v := range value {
		value[i] = v | byte((uint32(v)-1)>>31) // in constant time: the last bit is set where v is 0
	}
}
