package remote

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// vault is an unlocked master key, which the guard has. What opens it again in the guard that comes after is a ticket of the guard's, or where there is no
// PIN the sealed master key itself.
type vault struct {
	ticket          []byte
	sealed, context []byte // nil where there is a PIN
	at              atomic.Pointer[vaultAt]
	mu              sync.Mutex // one opens it again
}

// vaultAt is where a vault is open.
type vaultAt struct {
	session *session
	id      guard.Vault
}

// vaultIn gives the vault's number in a session, opening it again where the session is a new one.
func (g *Keys) vaultIn(t *turn, v guard.Vault) (guard.Vault, error) {
	if v == 0 {
		return 0, nil
	}
	found, ok := g.vaults.Load(v)
	if !ok {
		return 0, ck.Errorf(ck.CKR_USER_NOT_LOGGED_IN, "the vault is locked")
	}
	of := found.(*vault)
	if at := of.at.Load(); at.session == t.session {
		return at.id, nil
	}
	err := t.alone(&of.mu, func() error {
		if of.at.Load().session == t.session { // somebody else was faster
			return nil
		}
		return g.reopen(t, of)
	})
	return of.at.Load().id, err
}

// reopen opens a vault in a guard that has not opened it yet. The vault's lock is held.
func (g *Keys) reopen(t *turn, of *vault) error {
	method, request := protocol.MethodUnlock, protocol.Message(&protocol.Unlock{Sealed: of.sealed, Context: of.context})
	if of.sealed == nil {
		if len(of.ticket) == 0 {
			return ck.Errorf(ck.CKR_DEVICE_ERROR, "the guard was restarted: log out, and in again")
		}
		method, request = protocol.MethodResume, &protocol.Resume{Ticket: of.ticket}
	}
	var opened protocol.Opened
	err := g.on(t, method, request, &opened, deadline(method), func() {})
	var cut *broken
	switch {
	case err == nil && opened.Vault == 0:
		return errUnsound
	case err == nil:
		of.at.Store(&vaultAt{t.session, opened.Vault})
		return nil
	case errors.As(err, &cut), errors.Is(err, errRefused), of.sealed != nil:
		return err
	}
	return ck.Errorf(ck.CKR_DEVICE_ERROR, "the guard was restarted, and the new one does not take over the login (log out, and in again): %w", err)
}

// open runs a request that opens a master key. context is nil where there is a PIN; sealed is the master key, where the guard does not give it.
func (g *Keys) open(method protocol.Method, m protocol.Message, auth *secret.Bytes, sealed, context []byte) (v guard.Vault, made []byte, err error) {
	var in *session
	var opened protocol.Opened
	request := func(t *turn) (protocol.Message, error) {
		in = t.session
		return m, nil
	}
	err = g.exchange(method, request, &opened, func() {
		if sealed == nil {
			made = slices.Clone(opened.Sealed)
			sealed = made
		}
		if opened.Vault == 0 || len(sealed) == 0 {
			return
		}
		of := &vault{ticket: slices.Clone(opened.Ticket)}
		if auth == nil {
			of.sealed, of.context = slices.Clone(sealed), slices.Clone(context)
		}
		of.at.Store(&vaultAt{in, opened.Vault})
		v = guard.Vault(g.lastVault.Add(1))
		g.vaults.Store(v, of)
	})
	if err == nil && v == 0 {
		err = errUnsound
	}
	return v, made, err
}

// NewMaster makes a master key in the guard.
func (g *Keys) NewMaster(auth *secret.Bytes, context []byte, terms *seal.Terms) (guard.Vault, []byte, error) {
	return g.open(protocol.MethodNewMaster, &protocol.NewMaster{Auth: auth, Context: context, Terms: terms}, auth, nil, context)
}

// Unlock opens a sealed master key in the guard.
func (g *Keys) Unlock(sealed []byte, auth *secret.Bytes, context []byte) (guard.Vault, error) {
	v, _, err := g.open(protocol.MethodUnlock, &protocol.Unlock{Sealed: sealed, Auth: auth, Context: context}, auth, sealed, context)
	return v, err
}

// Reseal seals a vault's master key under another PIN.
func (g *Keys) Reseal(v guard.Vault, auth *secret.Bytes, context []byte) ([]byte, error) {
	return g.output(nil, protocol.MethodReseal, func(t *turn) (protocol.Message, error) {
		at, err := g.vaultIn(t, v)
		return &protocol.Reseal{Vault: at, Auth: auth, Context: context}, err
	})
}

// Lock forgets a vault. Where its guard has ended, there is nothing left to forget.
func (g *Keys) Lock(v guard.Vault) {
	found, ok := g.vaults.LoadAndDelete(v)
	if !ok {
		return
	}
	of := found.(*vault)
	of.mu.Lock()
	defer of.mu.Unlock()
	secret.Wipe(of.ticket)
	of.ticket = nil
	g.keys.Range(func(ref, k any) bool {
		if k.(*key).vault == v {
			g.keys.Delete(ref)
		}
		return true
	})
	at := of.at.Load()
	g.tell(at.session, protocol.MethodLock, &protocol.Lock{Vault: at.id})
}

// tell asks for something that needs no answer, of the guard that has the session and of no other. One that is silent is asked no more: what it still
// has goes with the session.
func (g *Keys) tell(s *session, method protocol.Method, m protocol.Message) {
	g.mu.Lock()
	current := g.current == s
	g.mu.Unlock()
	if current && !s.silent.Load() {
		_ = g.on(&turn{s, time.Now().Add(tellTime)}, method, m, &protocol.Nothing{}, tellTime, func() {}) // there is nothing to do about it
	}
}
