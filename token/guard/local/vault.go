package local

import (
	"crypto/rand"
	"maps"
	"slices"
	"sync"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

var errLocked = ck.Errorf(ck.CKR_USER_NOT_LOGGED_IN, "the vault is locked")

// vault is an unlocked master key, and what was promised when it was sealed.
type vault struct {
	master  *secret.Bytes
	terms   *seal.Terms
	pin     bool // it came under a PIN
	adopted bool // it came from another guard, which knew that there had been a login
}

// vaults are the unlocked master keys. A lookup works on the master key under the read lock, so that removing one wipes it when the last
// reader is through.
type vaults struct {
	mu   sync.RWMutex
	last guard.Vault
	open map[guard.Vault]vault
}

// maxVaults bounds the master keys that are unlocked at a time. A token has two, and one more while its PIN is checked.
const maxVaults = 1024

func (v *vaults) add(of vault) (guard.Vault, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.open) >= maxVaults {
		of.master.Close()
		return 0, ck.Errorf(ck.CKR_DEVICE_MEMORY, "%d master keys are unlocked, which is all that can be", maxVaults)
	}
	if v.open == nil {
		v.open = make(map[guard.Vault]vault)
	}
	v.last++
	v.open[v.last] = of
	return v.last, nil
}

func (v *vaults) remove(id guard.Vault) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	gone, ok := v.open[id]
	delete(v.open, id)
	gone.master.Close()
	return ok
}

func (v *vaults) closeAll() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for gone := range maps.Values(v.open) {
		gone.master.Close()
	}
	clear(v.open)
}

// with runs do with the master key of id. The vault stays open meanwhile, so do must be short.
func (v *vaults) with(id guard.Vault, do func(master *secret.Bytes) error) error {
	v.mu.RLock()
	defer v.mu.RUnlock()
	of, ok := v.open[id]
	if !ok {
		return errLocked
	}
	return do(of.master)
}

// copyOf gives a vault's master key, which the caller closes, and its terms.
func (v *vaults) copyOf(id guard.Vault) (vault, error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	of, ok := v.open[id]
	if !ok {
		return vault{}, errLocked
	}
	of.master = of.master.Clone()
	return of, nil
}

// ifOpen runs add unless the vault is locked, and no Lock comes between: what is added is there to be dropped by it.
func (v *vaults) ifOpen(id guard.Vault, add func() (guard.Ref, error)) (guard.Ref, error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if _, ok := v.open[id]; id != 0 && !ok {
		return 0, errLocked
	}
	return add()
}

// ids are the vaults that are open now.
func (v *vaults) ids() []guard.Vault {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return slices.Collect(maps.Keys(v.open))
}

// apart tells whether the master key was always as far from programs as a guard can have it.
func (v *vaults) apart(id guard.Vault) bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	of, ok := v.open[id]
	return ok && of.terms != nil && of.terms.Apart
}

// any tells whether master is the one of any of these vaults.
func (v *vaults) any(ids []guard.Vault, master *secret.Bytes) bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return slices.ContainsFunc(ids, func(id guard.Vault) bool {
		of, ok := v.open[id]
		return ok && of.master.Equal(master.Bytes())
	})
}

// same tells whether two vaults are open and have one master key.
func (v *vaults) same(a, b guard.Vault) bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	one, ok1 := v.open[a]
	other, ok2 := v.open[b]
	return ok1 && ok2 && one.master.Equal(other.master.Bytes())
}

// reach is how far from programs the keys of a vault are: no further than its master key always was. A guard that a user starts is in his hands, and he may have kept
// the master key of what he has opened by another guard since.
func (g *Keys) reach(v guard.Vault) guard.Level {
	if v == 0 || g.vaults.apart(v) {
		return g.client.Level
	}
	return min(g.client.Level, guard.Process)
}

func lowerMaster(level guard.Level) error {
	return ck.Errorf(ck.CKR_FUNCTION_REJECTED, "keys that others are sealed to (CKA_NCRYPT_CONFINING, or for secure key injection), and what comes out of them, are not kept in a token that was "+
		"made at a lower level than %v, whose user may have its master key: make another token", level)
}

// NewMaster makes a fresh master key, unlocks it and seals it.
func (g *Keys) NewMaster(auth *secret.Bytes, context []byte, terms *seal.Terms) (guard.Vault, []byte, error) {
	terms = g.owned(terms)
	master := secret.New(masterLen)
	rand.Read(master.Bytes())
	sealed, err := g.sealer.Seal(master, auth, context, terms)
	if err != nil {
		master.Close()
		return 0, nil, sealError(err)
	}
	v, err := g.vaults.add(vault{master: master, terms: terms, pin: auth != nil})
	if err != nil {
		return 0, nil, err
	}
	return v, sealed, nil
}

// owned makes the client the owner of what it has sealed, whatever it says, and says whether that is out of its reach.
func (g *Keys) owned(terms *seal.Terms) *seal.Terms {
	own := seal.Terms{}
	if terms != nil {
		own = *terms
		own.Access.Allow = slices.Clone(terms.Access.Allow)
	}
	own.Access.Owner, own.Apart = seal.Principal{}, g.client.Level > guard.Process
	if len(g.client.Who) > 0 {
		own.Access.Owner = g.client.Who[0]
	}
	return &own
}

// Unlock opens a sealed master key.
func (g *Keys) Unlock(sealed []byte, auth *secret.Bytes, context []byte) (guard.Vault, error) {
	opened, err := g.unseal(sealed, auth, context)
	if err != nil {
		return 0, err
	}
	return g.vaults.add(opened)
}

// Reseal seals the vault's master key under another auth. It takes a login in this guard, and a PIN where there was one: a program whose login was taken over
// from another guard, or what has taken it over, can use keys and cannot change how they are kept.
func (g *Keys) Reseal(v guard.Vault, auth *secret.Bytes, context []byte) ([]byte, error) {
	of, err := g.vaults.copyOf(v)
	if err != nil {
		return nil, err
	}
	defer of.master.Close()
	switch {
	case of.adopted:
		return nil, ck.Errorf(ck.CKR_USER_NOT_LOGGED_IN, "the guard was restarted since the login: log out and in again to change a PIN")
	case of.pin && auth == nil:
		return nil, ck.Errorf(ck.CKR_FUNCTION_REJECTED, "what was sealed under a PIN is not sealed without one")
	}
	sealed, err := g.sealer.Seal(of.master, auth, context, of.terms)
	return sealed, sealError(err)
}

// Authorize gives a ticket for one use of the key to who can unseal the key's master key again.
func (g *Keys) Authorize(ref guard.Ref, sealed []byte, auth *secret.Bytes, context []byte) (uint64, error) {
	k, err := g.table.hold(ref)
	if err != nil {
		return 0, err
	}
	defer k.release()
	opened, err := g.unseal(sealed, auth, context)
	if err != nil {
		return 0, err
	}
	defer opened.master.Close()
	if !g.vaults.any(k.authorities, opened.master) {
		return 0, ck.Errorf(ck.CKR_PIN_INCORRECT, "this is not the master key of the key's vault")
	}
	return k.tickets.issue(), nil
}

// unseal opens a sealed master key for the client, if it is one of those who may.
func (g *Keys) unseal(sealed []byte, auth *secret.Bytes, context []byte) (vault, error) {
	terms, err := g.sealer.Terms(sealed)
	if err != nil {
		return vault{}, sealError(err)
	}
	if len(g.client.Who) > 0 && !terms.Access.Permits(g.client.Who) {
		return vault{}, ck.Errorf(ck.CKR_ACTION_PROHIBITED, "the token is for others: %v is not among those who may use it", g.client.Who[0])
	}
	master, err := g.sealer.Unseal(sealed, auth, context)
	if err != nil {
		return vault{}, sealError(err)
	}
	if master.Len() != masterLen {
		master.Close()
		return vault{}, ck.Errorf(ck.CKR_DEVICE_ERROR, "a master key of another length")
	}
	return vault{master: master, terms: terms, pin: auth != nil}, nil
}

// Master gives a vault's master key, which the caller closes, and its terms, for a guard process that must survive its own end.
func (g *Keys) Master(v guard.Vault) (*secret.Bytes, *seal.Terms, error) {
	of, err := g.vaults.copyOf(v)
	return of.master, of.terms, err
}

// Adopt unlocks what Master gave. It takes over master, and checks access again.
func (g *Keys) Adopt(master *secret.Bytes, terms *seal.Terms) (guard.Vault, error) {
	if master.Len() != masterLen || len(g.client.Who) > 0 && !terms.Access.Permits(g.client.Who) {
		master.Close()
		return 0, ck.CKR_ACTION_PROHIBITED
	}
	return g.vaults.add(vault{master: master, terms: terms, adopted: true})
}
