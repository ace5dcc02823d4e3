package token

import (
	"sync"
	"sync/atomic"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// PIN lengths in bytes (CK_TOKEN_INFO): any bytes, at least 4 of them.
const (
	minPINLen = 4
	maxPINLen = 255
)

// Token is an initialized token: its store, its login state, and its objects as this process knows them.
//
// Locks are taken in the order session, pins, token; nothing that holds the token's lock takes a session's.
type Token struct {
	st       *store.Store
	scope    config.Scope
	guardFor GuardFor
	maxFails int
	strictSO bool
	sessions struct{ ro, rw atomic.Int32 } // changed under the lock, and read without

	pins sync.Mutex // held while a PIN is checked that somebody logs in with, or changes

	mu          sync.Mutex    // guards what follows
	keys        guard.Keys    // nil until first needed
	head        *store.Header // as of the last sync; nil: not read yet
	headVersion int64         // the store's version that head is of
	vaults      vaults
	dead        bool // of a per-boot token: the TPM says that its boot is over
	login       login
	logouts     uint // how many there were
	objects     objectTable
	loaded      loadedKeys
}

// vaults are the token's unlocked master keys: one for what needs no login, one for what does, one for keys that die with this boot.
type vaults struct{ open, user, boot guard.Vault }

// login is who is logged in, for all sessions of the process with the token (section 5.6).
type login byte

const (
	public  login = iota
	user          // CKU_USER
	officer       // CKU_SO
)

func openToken(path string, scope config.Scope, cfg *config.Config, guardFor GuardFor) (*Token, error) {
	st, err := store.Open(path)
	if err != nil {
		return nil, err
	}
	return newToken(st, scope, cfg, guardFor), nil
}

func newToken(st *store.Store, scope config.Scope, cfg *config.Config, guardFor GuardFor) *Token {
	return &Token{st: st, scope: scope, guardFor: guardFor, maxFails: cfg.MaxPINFailures, strictSO: cfg.StrictSOLogin, objects: newObjectTable()}
}

// close forgets keys, ends the guard and closes the database.
func (t *Token) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forgetKeys()
	if t.keys != nil {
		_ = t.keys.Close() // it has nothing left that could fail to be stored
	}
	_ = t.st.Close() // every change was durable before its call returned
}

// forgetKeys locks both vaults. Session objects' keys in vault 0 were forgotten with their sessions.
func (t *Token) forgetKeys() {
	if t.keys == nil {
		return
	}
	for _, v := range []*guard.Vault{&t.vaults.open, &t.vaults.user, &t.vaults.boot} {
		if *v != 0 {
			t.keys.Lock(*v)
			*v = 0
		}
	}
}

// guard gives the token's guard, found at first need. The token's lock is held.
func (t *Token) guard() (guard.Keys, error) {
	h, err := t.header()
	if err != nil {
		return nil, err
	}
	switch {
	case t.keys == nil:
		t.keys, err = t.guardFor(h)
	case t.keys.Level() < Isolation(h):
		err = ck.Errorf(ck.CKR_DEVICE_ERROR, "the token was initialized anew under a guard that isolates more: programs that had it open must be restarted")
	}
	return t.keys, err
}

// header gives what the token is, as of the last sync. What PINs decide is read afresh instead. The token's lock is held.
func (t *Token) header() (*store.Header, error) {
	if t.head != nil {
		return t.head, nil
	}
	h, err := t.st.Header()
	if err == nil {
		t.head = h
	}
	return h, err
}

func (t *Token) hasSessions() bool {
	return t.sessions.ro.Load()+t.sessions.rw.Load() > 0
}

// sessionOpened counts a new session.
func (t *Token) sessionOpened(rw bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if rw {
		t.sessions.rw.Add(1)
		return nil
	}
	if t.strictSO && t.login == officer {
		return ck.CKR_SESSION_READ_WRITE_SO_EXISTS
	}
	t.sessions.ro.Add(1)
	return nil
}

// sessionClosed uncounts a session; the last one takes the login with it.
func (t *Token) sessionClosed(rw bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if rw {
		t.sessions.rw.Add(-1)
	} else {
		t.sessions.ro.Add(-1)
	}
	if !t.hasSessions() && t.login != public {
		t.logout()
	}
}

// TokenInfo is C_GetTokenInfo. It reads the token's header and nothing more, since programs ask it of every token at start.
func (p *Provider) TokenInfo(id ck.SlotID) (ck.TokenInfo, error) {
	slot, err := p.slot(id)
	if err != nil {
		return ck.TokenInfo{}, err
	}
	info := ck.TokenInfo{
		ManufacturerID:  Manufacturer,
		Model:           "ncrypt11",
		Flags:           ck.CKF_RNG,
		MaxPINLen:       maxPINLen,
		MinPINLen:       minPINLen,
		HardwareVersion: LibraryVersion,
		FirmwareVersion: LibraryVersion,
	}
	if !slot.initialized() {
		return info, nil // without a serial number: it would be another one in each process, and gnupg-pkcs11-scd takes it for the card's
	}
	info.SerialNumber = slot.serial
	tok, err := p.token(slot)
	if err != nil {
		return info, err
	}
	return info, tok.describe(&info)
}

// TokenName is the label and the serial number of the session's token.
func (s *Session) TokenName() (label, serial string, err error) {
	h, err := s.tok.st.Header()
	if err != nil {
		return "", "", err
	}
	return h.Label, h.Serial, nil
}

// describe fills in what the token itself knows. Memory sizes and session limits stay 0: as much as there is, and no limit.
func (t *Token) describe(info *ck.TokenInfo) error {
	h, err := t.st.Header()
	if err != nil {
		return err
	}
	info.Label = h.Label
	info.Flags |= ck.CKF_TOKEN_INITIALIZED | ck.CKF_DUAL_CRYPTO_OPERATIONS
	if h.Login == store.LoginPIN {
		info.Flags |= ck.CKF_LOGIN_REQUIRED
	}
	if h.UserPINSet || h.Login == store.LoginNone {
		info.Flags |= ck.CKF_USER_PIN_INITIALIZED
	}
	if t.st.ReadOnly() {
		info.Flags |= ck.CKF_WRITE_PROTECTED
	}
	info.Flags |= t.pinFlags(h)
	info.RWSessions = uint(t.sessions.rw.Load())
	info.Sessions = info.RWSessions + uint(t.sessions.ro.Load())
	return nil
}
