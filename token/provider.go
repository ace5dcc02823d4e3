// Package token is the PKCS #11 engine in plain Go: slots, sessions, login, objects and operations, one file for each family of
// functions. It is handed its guard, and never sees a plaintext key but on the way of an import.
package token

import (
	"crypto/rand"
	"encoding/binary"
	"sync"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// LibraryVersion is the version of this module, shown by C_GetInfo and by the command line.
var LibraryVersion = ck.Version{Major: 0, Minor: 1}

// Manufacturer is shown by C_GetInfo, C_GetSlotInfo and C_GetTokenInfo, and stands in RFC 7512 URIs.
const Manufacturer = "ncrypt11"

// GuardFor gives the guard that keeps the keys of a token, for who asks to close. It is asked at the token's first login or first use of a key, not before.
type GuardFor func(*store.Header) (guard.Keys, error)

// Provider is the state between C_Initialize and C_Finalize.
type Provider struct {
	cfg      *config.Config
	guardFor GuardFor
	sessions *sessionTable
	board    Board

	mu    sync.RWMutex // guards slots and fresh
	slots []*slot
	fresh *slot // the slot without a token that C_InitToken may fill; always last

	entering  sync.RWMutex  // held while a session becomes known, so that Close sees it or it sees Close
	finalized chan struct{} // closed by Close
	waiting   chan struct{} // closed by Leave, and replaced; guarded by mu
}

// New makes a provider. It reads which tokens there are and touches nothing else: no guard, no key, no database.
func New(cfg *config.Config, guardFor GuardFor) (*Provider, error) {
	var seed [4]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, ck.Errorf(ck.CKR_GENERAL_ERROR, "no randomness: %w", err)
	}
	p := &Provider{
		cfg:       cfg,
		guardFor:  guardFor,
		sessions:  newSessionTable(binary.NativeEndian.Uint32(seed[:])),
		board:     noBoard{},
		finalized: make(chan struct{}),
		waiting:   make(chan struct{}),
	}
	return p, p.refreshSlots()
}

// Close ends everything (C_Finalize): sessions, logins, plaintext keys in a local guard, open databases.
func (p *Provider) Close() {
	p.entering.Lock()
	close(p.finalized) // from here on nothing is opened
	p.entering.Unlock()
	p.mu.Lock()
	slots := p.slots
	p.mu.Unlock() // a thread in C_InitToken has its slot's lock and wants this one
	for _, s := range slots {
		p.closeSessions(s, true)
		s.close()
	}
}

// running is CKR_CRYPTOKI_NOT_INITIALIZED for a call that came in just before the provider was closed.
func (p *Provider) running() error {
	select {
	case <-p.finalized:
		return ck.CKR_CRYPTOKI_NOT_INITIALIZED
	default:
		return nil
	}
}

// Info is C_GetInfo.
func (p *Provider) Info() ck.Info {
	return ck.Info{
		CryptokiVersion:    ck.Version{Major: ck.CRYPTOKI_VERSION_MAJOR, Minor: ck.CRYPTOKI_VERSION_MINOR},
		ManufacturerID:     Manufacturer,
		LibraryDescription: "ncrypt11: keys that cannot leave",
		LibraryVersion:     LibraryVersion,
	}
}

// WaitForSlotEvent is C_WaitForSlotEvent. Tokens come and go by command, not by hot-plug, so there is never an event: without
// CKF_DONT_BLOCK the call returns when the provider is closed, as strongSwan's watcher thread needs.
func (p *Provider) WaitForSlotEvent(flags ck.Flags) error {
	if flags&ck.CKF_DONT_BLOCK != 0 {
		return ck.CKR_NO_EVENT
	}
	p.mu.RLock()
	left := p.waiting
	p.mu.RUnlock()
	select {
	case <-p.finalized:
	case <-left:
	}
	return ck.CKR_CRYPTOKI_NOT_INITIALIZED
}
