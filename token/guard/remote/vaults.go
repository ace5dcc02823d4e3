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

// vault is an unlocked master key, which the guard has. The ticket is the guard's, for the guard that comes after it.
type vault struct {
	ticket []byte
	at     atomic.Pointer[vaultAt]
	mu     sync.Mutex // one opens it again
}

// vaultAt is where a vault is open.
type vaultAt struct {
	session *session
	id      guard.Vault
}

// in gives the vault's number in a session, opening it again where the session is a new one.
func (g *Keys) vaultIn(s *session, v guard.Vault) (guard.Vault, error) {
	if v == 0 {
		return 0, nil
	}
	found, ok := g.vaults.Load(v)
	if !ok {
		return 0, ck.Errorf(ck.CKR_USER_NOT_LOGGED_IN, "the vault is locked")
	}
	of := found.(*vault)
	if at := of.at.Load(); at != nil && at.session == s {
		return at.id, nil
	}
	of.mu.Lock()
	defer of.mu.Unlock()
	if at := of.at.Load(); at != nil && at.session == s { // somebody else was faster
		return at.id, nil
	}
	if len(of.ticket) == 0 {
		return 0, ck.Errorf(ck.CKR_DEVICE_ERROR, "the guard was restarted: log out, and in again")
	}
	var opened protocol.Opened
	err := g.on(s, protocol.MethodResume, &protocol.Resume{Ticket: of.ticket}, &opened, protocol.MethodResume.Deadline(), func() {})
	var cut *broken
	if err != nil && !errors.As(err, &cut) && !errors.Is(err, errRefused) {
		return 0, ck.Errorf(ck.CKR_DEVICE_ERROR, "the guard was restarted, and the new one does not take over the login (log out, and in again): %w", err)
	}
	if err != nil {
		return 0, err
	}
	of.at.Store(&vaultAt{s, opened.Vault})
	return opened.Vault, nil
}

// opened gives a number of ours to a vault that was opened in a session.
func (g *Keys) opened(s *session, m *protocol.Opened) guard.Vault {
	of := &vault{ticket: slices.Clone(m.Ticket)}
	of.at.Store(&vaultAt{s, m.Vault})
	v := guard.Vault(g.lastVault.Add(1))
	g.vaults.Store(v, of)
	return v
}

// NewMaster makes a master key in the guard.
func (g *Keys) NewMaster(auth *secret.Bytes, context []byte, terms *seal.Terms) (guard.Vault, []byte, error) {
	var in *session
	var m protocol.Opened
	var v guard.Vault
	var sealed []byte
	request := func(s *session) (protocol.Message, error) {
		in = s
		return &protocol.NewMaster{Auth: auth, Context: context, Terms: terms}, nil
	}
	err := g.exchange(protocol.MethodNewMaster, request, &m, func() { v, sealed = g.opened(in, &m), slices.Clone(m.Sealed) })
	return v, sealed, err
}

// Unlock opens a sealed master key in the guard.
func (g *Keys) Unlock(sealed []byte, auth *secret.Bytes, context []byte) (guard.Vault, error) {
	var in *session
	var m protocol.Opened
	var v guard.Vault
	request := func(s *session) (protocol.Message, error) {
		in = s
		return &protocol.Unlock{Sealed: sealed, Auth: auth, Context: context}, nil
	}
	err := g.exchange(protocol.MethodUnlock, request, &m, func() { v = g.opened(in, &m) })
	return v, err
}

// Reseal seals a vault's master key under another PIN.
func (g *Keys) Reseal(v guard.Vault, auth *secret.Bytes, context []byte) ([]byte, error) {
	return g.output(nil, protocol.MethodReseal, func(s *session) (protocol.Message, error) {
		at, err := g.vaultIn(s, v)
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
	if at := of.at.Load(); at != nil {
		g.tell(at.session, protocol.MethodLock, &protocol.Lock{Vault: at.id})
	}
}

// tellTime is how long a guard may take to forget something. A program that ends has many things to be forgotten, and should not wait for each.
const tellTime = 2 * time.Second

// tell asks for something that needs no answer, of the guard that has the session and of no other. One that is silent is asked no more: what it still
// has goes with the session.
func (g *Keys) tell(s *session, method protocol.Method, m protocol.Message) {
	g.mu.Lock()
	current := g.current == s
	g.mu.Unlock()
	if !current || s.silent.Load() {
		return
	}
	if err := g.on(s, method, m, &protocol.Nothing{}, tellTime, func() {}); err != nil && timedOut(err) {
		s.silent.Store(true)
	}
}
