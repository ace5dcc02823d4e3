package inject

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rsa"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ncrypt11/ncrypt11/inject/attest"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// maxSkew is how far a clock may be ahead of ours.
const maxSkew = 5 * time.Minute

// Check says whether keys may be sealed to the target: its TPM is one that is trusted and vouches for all that the target says, it is valid now, it answers
// the nonce (nil: none was given), and its keys may do nothing but open packages and can never leave their guard. The identity is given as far as it
// was found, also with an error.
func (t *Target) Check(trust attest.Trust, now time.Time, nonce []byte) (*attest.Identity, error) {
	t.checked = false
	identity, err := attest.Verify(t.Statement, t.Attestation, trust)
	if err != nil {
		var unknown *attest.UntrustedError
		if errors.As(err, &unknown) {
			identity = unknown.Identity
		}
		return identity, fmt.Errorf("the target is %w: %w", ErrUntrusted, err)
	}
	if !identity.EKTrusted {
		return identity, fmt.Errorf("the target is %w: its attestation key is known, and its endorsement key, to which a part of the package is encrypted, may be anybody's", ErrUntrusted)
	}
	if err := t.current(now, nonce); err != nil {
		return identity, err
	}
	if !bytes.Equal(t.Stated.Asked.Context, t.Context()) {
		return identity, fmt.Errorf("%w: the target's label, serial number, sender, suite or id is not what its guard stated", ErrTampered)
	}
	if err := t.fit(); err != nil {
		return identity, err
	}
	t.checked = true
	return identity, nil
}

// current checks when the statement was made, and for whom.
func (t *Target) current(now time.Time, nonce []byte) error {
	if err := valid("the target", t.Stated.Made, t.Stated.Asked.Expires, now); err != nil {
		return err
	}
	if nonce != nil && subtle.ConstantTimeCompare(nonce, t.Stated.Asked.Nonce) != 1 {
		found := "it has no nonce"
		if n := t.Stated.Asked.Nonce; len(n) > 0 {
			found = fmt.Sprintf("its nonce is %x", n)
		}
		return fmt.Errorf("the target is %w: %s, and should have %x", ErrNonce, found, nonce)
	}
	return nil
}

// valid is the one rule of when something that was made, and expires, is valid.
func valid(what string, made, expires, now time.Time) error {
	switch {
	case made.After(now.Add(maxSkew)):
		return fmt.Errorf("%s is not valid yet (%w): it was made at %v, and it is %v here; is one of the clocks wrong?", what, ErrExpired, stamp(made), stamp(now))
	case !now.Before(expires):
		return fmt.Errorf("%s has %w: it was valid until %v, and it is %v here", what, ErrExpired, stamp(expires), stamp(now))
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// fit checks that the keys can do nothing but open packages, and are nowhere but in a guard.
func (t *Target) fit() error {
	if !t.Stated.Level.Isolated() {
		return fmt.Errorf("the target is %w: its keys are at level %v, in its program's own memory", ErrUnfit, t.Stated.Level)
	}
	for i, role := range t.Suite.Roles() {
		stated := &t.Stated.Keys[i]
		if reason := role.unfit(stated.Policy); reason != "" {
			return fmt.Errorf("the target is %w: its %s key %s", ErrUnfit, role.Name, reason)
		}
		if _, err := role.public(stated.Public); err != nil {
			return fmt.Errorf("the target is %w: %w", ErrUnfit, err)
		}
	}
	return nil
}

// unfit says what is wrong with a key's policy; "": nothing.
func (r *Role) unfit(p *guard.Policy) string {
	switch {
	case p.Class != ck.CKO_PRIVATE_KEY || p.KeyType != r.KeyType:
		return "is of another kind"
	case !p.Sensitive || p.Extractable:
		return "may leave the guard"
	case !p.Confined:
		return "was not made in the guard, or could once leave it"
	case !p.Confining:
		return "could have others made of it that leave the guard"
	case !p.Private:
		return "may be used without a login"
	case p.Usage != r.Usage:
		return "may be used for other things than to open packages"
	case !slices.Equal(p.Allowed, []ck.MechanismType{r.Mechanism}):
		return fmt.Sprintf("may be used by other mechanisms than %v", r.Mechanism)
	}
	return ""
}

// public reads the public half of a key of this role: *pubkey.KEMKey, *ecdh.PublicKey or *rsa.PublicKey.
func (r *Role) public(spki []byte) (any, error) {
	key, err := pubkey.ParseSPKI(spki)
	if err != nil {
		return nil, fmt.Errorf("%w target: its %s key: %w", ErrMalformed, r.Name, err)
	}
	var ok bool
	switch k := key.(type) {
	case *pubkey.KEMKey:
		ok = r.KeyType == ck.CKK_ML_KEM && k.KEM == pubkey.MLKEM768
	case *ecdh.PublicKey:
		ok = r.KeyType == ck.CKK_EC_MONTGOMERY && k.Curve() == ecdh.X25519()
	case *rsa.PublicKey:
		ok = r.KeyType == ck.CKK_RSA && k.N.BitLen() == r.Bits && k.E == 65537
	}
	if !ok {
		return nil, fmt.Errorf("%w target: what should be its %s key is of another kind", ErrMalformed, r.Name)
	}
	return key, nil
}
