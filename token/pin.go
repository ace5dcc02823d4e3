package token

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/secret"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// role is one of the two PINs: where its sealed master key, its failures and its token flags are. Both PINs seal the same master key,
// so that the security officer can give the user a new PIN without the old one.
type role struct {
	name                     string
	sealed                   func(*store.Header) *[]byte
	failures                 func(*store.Header) *int
	isSet                    func(*store.Header) bool
	countLow, final, blocked ck.Flags
}

var roles = map[login]*role{
	user: {
		name:     "user",
		sealed:   func(h *store.Header) *[]byte { return &h.Sealed.User },
		failures: func(h *store.Header) *int { return &h.UserFailures },
		isSet:    func(h *store.Header) bool { return h.UserPINSet },
		countLow: ck.CKF_USER_PIN_COUNT_LOW, final: ck.CKF_USER_PIN_FINAL_TRY, blocked: ck.CKF_USER_PIN_LOCKED,
	},
	officer: {
		name:     "so",
		sealed:   func(h *store.Header) *[]byte { return &h.Sealed.SO },
		failures: func(h *store.Header) *int { return &h.SOFailures },
		isSet:    func(h *store.Header) bool { return len(h.Sealed.SO) > 0 },
		countLow: ck.CKF_SO_PIN_COUNT_LOW, final: ck.CKF_SO_PIN_FINAL_TRY, blocked: ck.CKF_SO_PIN_LOCKED,
	},
}

// openRole names the master key that no PIN protects.
const openRole = "open"

// sealContext ties a sealed master key to its token and its role: one cannot be put in another's place.
func sealContext(serial, role string) []byte { return []byte("ncrypt11 token " + serial + " " + role) }

// countTry takes one of the tries that are left.
func (t *Token) countTry(r *role) error {
	return t.st.UpdateHeader(func(h *store.Header) error {
		if err := t.mayTry(r, h); err != nil {
			return err
		}
		*r.failures(h)++
		return nil
	})
}

// mayTry says whether a try is left.
func (t *Token) mayTry(r *role, h *store.Header) error {
	if *r.failures(h) >= t.pinLimit(h) {
		return ck.Errorf(ck.CKR_PIN_LOCKED, "%d wrong PINs in a row", *r.failures(h))
	}
	return nil
}

// tryPIN has try check a PIN, while no other process has one checked. The token's lock is held, and given up meanwhile.
func (t *Token) tryPIN(r *role, keys guard.Keys, try func() error) error {
	t.mu.Unlock()
	defer t.mu.Lock()
	if t.st.ReadOnly() {
		return t.uncountedTry(r, keys, try)
	}
	return t.st.InTurn(func() error { return t.countedTry(r, try) })
}

// uncountedTry is for who may use a token but not write it: a worker of a server, say, that is another user than its master. A guard counts for itself.
// Nothing else does, which gives nothing away: who reads a token in software can try PINs on a copy of it, without this library and at the same price.
// A PIN that is locked is locked for readers, too.
func (t *Token) uncountedTry(r *role, keys guard.Keys, try func() error) error {
	if keys.PINLimit() > 0 {
		return try()
	}
	h, err := t.st.Header()
	if err != nil {
		return err
	}
	if err := t.mayTry(r, h); err != nil {
		return err
	}
	return try()
}

// countedTry counts the try before it is made, so that killing the process does not give free ones. Success clears the count; a failure of something
// else than the PIN takes back its own try and no other.
func (t *Token) countedTry(r *role, try func() error) error {
	if err := t.countTry(r); err != nil {
		return err
	}
	err := try()
	if ck.Code(err) == ck.CKR_PIN_INCORRECT {
		return err
	}
	settled := t.st.UpdateHeader(func(h *store.Header) error {
		switch failures := r.failures(h); {
		case err == nil:
			*failures = 0
		case *failures > 0:
			*failures--
		}
		return nil
	})
	if settled != nil {
		return settled
	}
	return err
}

// pinFlags says how many tries are left, in the words of CK_TOKEN_INFO.
func (t *Token) pinFlags(h *store.Header) ck.Flags {
	var flags ck.Flags
	for _, r := range roles {
		switch failures := *r.failures(h); {
		case failures >= t.pinLimit(h):
			flags |= r.blocked
		case failures == t.pinLimit(h)-1:
			flags |= r.final | r.countLow
		case failures > 0:
			flags |= r.countLow
		}
	}
	if h.UserPINToBeChanged {
		flags |= ck.CKF_USER_PIN_TO_BE_CHANGED
	}
	return flags
}

func checkPINLength(pin *secret.Bytes) error {
	if n := pin.Len(); n < minPINLen || n > maxPINLen {
		return ck.Errorf(ck.CKR_PIN_LEN_RANGE, "a PIN has %d to %d bytes", minPINLen, maxPINLen)
	}
	return nil
}

// InitPIN is C_InitPIN: the security officer sets the user's PIN, which unlocks it too.
func (s *Session) InitPIN(pin *secret.Bytes) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	t := s.tok
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := t.syncHeader(); err != nil {
		return err
	}
	if t.login != officer {
		return ck.CKR_USER_NOT_LOGGED_IN
	}
	if !s.rw {
		return ck.CKR_SESSION_READ_ONLY
	}
	if err := checkPINLength(pin); err != nil {
		return err
	}
	if t.vaults.user == 0 {
		return errBootOver // see loginAs
	}
	return t.reseal(t.head, t.vaults.user, user, pin)
}

// SetPIN is C_SetPIN: the security officer's own PIN where that one is logged in, else the user's.
func (s *Session) SetPIN(old, pin *secret.Bytes) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	t := s.tok
	t.pins.Lock()
	defer t.pins.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !s.rw {
		return ck.CKR_SESSION_READ_ONLY
	}
	if _, err := t.syncHeader(); err != nil {
		return err
	}
	who := user
	if t.login == officer {
		who = officer
	}
	h, err := t.st.Header()
	if err != nil {
		return err
	}
	if err := checkPINLength(pin); err != nil {
		return err
	}
	vault, err := t.checkPIN(h, who, old)
	if err != nil {
		return err
	}
	defer t.keys.Lock(vault)
	return t.reseal(h, vault, who, pin)
}

// reseal puts the vault's master key under a new PIN of who, in one durable step. The vault is that of header of. The token's lock is held.
func (t *Token) reseal(of *store.Header, vault guard.Vault, who login, pin *secret.Bytes) error {
	sealed, err := t.keys.Reseal(vault, pin, sealContext(of.Serial, roles[who].name))
	if err != nil {
		return err
	}
	return t.st.UpdateHeader(func(h *store.Header) error {
		if h.Generation != of.Generation {
			return errInitialized
		}
		*roles[who].sealed(h) = sealed
		*roles[who].failures(h) = 0
		if who == user {
			h.UserPINSet, h.UserPINToBeChanged = true, false
		}
		return nil
	})
}
