package token

import (
	"errors"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/secret"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// loginState is what the process may do on the token. On a token without a login everyone is the user.
func (t *Token) loginState() login {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.login
}

// Login is C_Login, and C_LoginUser without a user name.
func (s *Session) Login(userType ck.UserType, pin *secret.Bytes) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	switch userType {
	case ck.CKU_USER:
		return s.tok.loginAs(user, pin)
	case ck.CKU_SO:
		return s.loginOfficer(pin)
	case ck.CKU_CONTEXT_SPECIFIC:
		return s.authorizeOperation(pin)
	}
	return ck.CKR_USER_TYPE_INVALID
}

func (s *Session) loginOfficer(pin *secret.Bytes) error {
	if s.tok.strictSO && s.tok.hasReadOnlySessions() {
		return ck.CKR_SESSION_READ_ONLY_EXISTS
	}
	return s.tok.loginAs(officer, pin)
}

func (t *Token) hasReadOnlySessions() bool {
	return t.sessions.ro.Load() > 0
}

// loginAs checks the PIN by unsealing the user's master key with it.
func (t *Token) loginAs(who login, pin *secret.Bytes) error {
	t.pins.Lock()
	defer t.pins.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, err := t.syncHeader(); err != nil { // a login of before C_InitToken in another process is none
		return err
	}
	switch {
	case t.login == who:
		return ck.CKR_USER_ALREADY_LOGGED_IN
	case t.login != public:
		return ck.CKR_USER_ANOTHER_ALREADY_LOGGED_IN
	}
	h, err := t.st.Header()
	if err != nil {
		return err
	}
	if who == user && h.Login == store.LoginNone {
		t.login = user // nothing is behind a PIN; programs that always log in are let through with any
		return nil
	}
	vault, err := t.checkPIN(h, who, pin)
	if errors.Is(err, seal.ErrDead) {
		t.login = who // nothing is behind the PIN any more; what is left can be seen, and not used
		return nil
	}
	if err != nil {
		return err
	}
	t.vaults.user = vault
	t.login = who
	return nil
}

// checkPIN unseals the master key that is under a PIN. Both locks, pins and the token's, are held; the token's is given up while the PIN is checked, so that a
// TPM that is slow holds up nobody who uses keys. What the token is, apart from its PINs, is afterwards what it was.
func (t *Token) checkPIN(h *store.Header, who login, pin *secret.Bytes) (guard.Vault, error) {
	role := roles[who]
	if !role.isSet(h) {
		return 0, ck.CKR_USER_PIN_NOT_INITIALIZED
	}
	if t.bootOver(h) {
		return 0, errBootOver
	}
	keys, err := t.guard()
	if err != nil {
		return 0, err
	}
	var vault guard.Vault
	err = t.tryPIN(role, keys, func() (err error) {
		vault, err = keys.Unlock(*role.sealed(h), pin, sealContext(h.Serial, role.name))
		return err
	})
	if err == nil {
		err = t.stillIs(h)
	}
	if err != nil {
		keys.Lock(vault)
		return 0, t.noteDeath(err)
	}
	return vault, nil
}

// stillIs says whether the token was not initialized anew since h was read. The token's lock is held.
func (t *Token) stillIs(h *store.Header) error {
	if _, err := t.syncHeader(); err != nil {
		return err
	}
	if t.head.Generation != h.Generation {
		return errInitialized
	}
	return nil
}

// Logout is C_Logout.
func (s *Session) Logout() error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	s.tok.mu.Lock()
	defer s.tok.mu.Unlock()
	if s.tok.login == public {
		return ck.CKR_USER_NOT_LOGGED_IN
	}
	s.tok.logout()
	return nil
}

// logout forgets the user's keys. Private session objects are destroyed, and the handles of private token objects are dead for good
// (section 5.6). The token's lock is held.
func (t *Token) logout() {
	t.login = public
	t.logouts++
	t.dropPrivate()
	if t.keys != nil && t.vaults.user != 0 {
		t.keys.Lock(t.vaults.user)
	}
	t.vaults.user = 0
}

// vault gives the master key under which an object's key is sealed. The token's lock is held.
func (t *Token) vault(private bool) (guard.Vault, error) {
	h, err := t.header()
	if err != nil {
		return 0, err
	}
	if t.bootOver(h) {
		return 0, errBootOver
	}
	if private && h.Login == store.LoginPIN {
		if t.login != user {
			return 0, ck.CKR_USER_NOT_LOGGED_IN
		}
		if t.vaults.user == 0 {
			return 0, errBootOver // see loginAs
		}
		return t.vaults.user, nil
	}
	if t.vaults.open != 0 {
		return t.vaults.open, nil
	}
	keys, err := t.guard()
	if err != nil {
		return 0, err
	}
	t.vaults.open, err = keys.Unlock(h.Sealed.Open, nil, sealContext(h.Serial, openRole))
	return t.vaults.open, t.noteDeath(err)
}

// seesPrivate says whether private objects may be seen and used. The token's lock is held.
func (t *Token) seesPrivate() bool {
	if t.login == user {
		return true
	}
	h, err := t.header()
	return err == nil && h.Login == store.LoginNone
}
