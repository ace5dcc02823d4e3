package local

import (
	"crypto/rand"
	"errors"
	"maps"
	"sync"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

var errLocked = ck.Errorf(ck.CKR_USER_NOT_LOGGED_IN, "the vault is locked")

// vaults are the unlocked master keys. A lookup works on the master key under the read lock, so that removing one wipes it when the last
// reader is through.
type vaults struct {
	mu   sync.RWMutex
	last guard.Vault
	open map[guard.Vault]*secret.Bytes
}

func (v *vaults) add(master *secret.Bytes) guard.Vault {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.open == nil {
		v.open = make(map[guard.Vault]*secret.Bytes)
	}
	v.last++
	v.open[v.last] = master
	return v.last
}

func (v *vaults) remove(id guard.Vault) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	master, ok := v.open[id]
	delete(v.open, id)
	master.Close()
	return ok
}

func (v *vaults) closeAll() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for master := range maps.Values(v.open) {
		master.Close()
	}
	clear(v.open)
}

// with runs do with the master key of id. The vault stays open meanwhile, so do must be short.
func (v *vaults) with(id guard.Vault, do func(master *secret.Bytes) error) error {
	v.mu.RLock()
	defer v.mu.RUnlock()
	master := v.open[id]
	if master == nil {
		return errLocked
	}
	return do(master)
}

// ifOpen runs add unless the vault is locked, and no Lock comes between: what is added is there to be dropped by it.
func (v *vaults) ifOpen(id guard.Vault, add func() guard.Ref) (guard.Ref, error) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if id != 0 && v.open[id] == nil {
		return 0, errLocked
	}
	return add(), nil
}

// has tells whether master is the one of vault id, or, for vault 0, of any vault: what was made in memory has no master key of its own,
// and its owner is whoever can unlock a vault of this guard.
func (v *vaults) has(id guard.Vault, master *secret.Bytes) bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if id != 0 {
		own := v.open[id]
		return own != nil && own.Equal(master.Bytes())
	}
	for _, any := range v.open {
		if any.Equal(master.Bytes()) {
			return true
		}
	}
	return false
}

// same tells whether two vaults are open and have one master key.
func (v *vaults) same(a, b guard.Vault) bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.open[a] != nil && v.open[b] != nil && v.open[a].Equal(v.open[b].Bytes())
}

// NewMaster makes a fresh master key, unlocks it and seals it.
func (g *Keys) NewMaster(auth *secret.Bytes, context []byte) (guard.Vault, []byte, error) {
	master := secret.New(masterLen)
	rand.Read(master.Bytes())
	sealed, err := g.sealer.Seal(master, auth, context)
	if err != nil {
		master.Close()
		return 0, nil, sealError(err)
	}
	return g.vaults.add(master), sealed, nil
}

// Unlock opens a sealed master key.
func (g *Keys) Unlock(sealed []byte, auth *secret.Bytes, context []byte) (guard.Vault, error) {
	master, err := g.unseal(sealed, auth, context)
	if err != nil {
		return 0, err
	}
	return g.vaults.add(master), nil
}

// Reseal seals the vault's master key under another auth.
func (g *Keys) Reseal(v guard.Vault, auth *secret.Bytes, context []byte) ([]byte, error) {
	var master *secret.Bytes
	if err := g.vaults.with(v, func(m *secret.Bytes) error { master = m.Clone(); return nil }); err != nil {
		return nil, err
	}
	defer master.Close()
	sealed, err := g.sealer.Seal(master, auth, context)
	return sealed, sealError(err)
}

// Authorize gives a ticket for one use of the key to who can unseal the key's master key again.
func (g *Keys) Authorize(ref guard.Ref, sealed []byte, auth *secret.Bytes, context []byte) (uint64, error) {
	k, err := g.table.hold(ref)
	if err != nil {
		return 0, err
	}
	defer k.release()
	master, err := g.unseal(sealed, auth, context)
	if err != nil {
		return 0, err
	}
	defer master.Close()
	if !g.vaults.has(k.home, master) {
		return 0, ck.Errorf(ck.CKR_PIN_INCORRECT, "this is not the master key of the key's vault")
	}
	return k.tickets.issue(), nil
}

func (g *Keys) unseal(sealed []byte, auth *secret.Bytes, context []byte) (*secret.Bytes, error) {
	master, err := g.sealer.Unseal(sealed, auth, context)
	if err != nil {
		return nil, sealError(err)
	}
	if master.Len() != masterLen {
		master.Close()
		return nil, ck.Errorf(ck.CKR_DEVICE_ERROR, "a master key of another length")
	}
	return master, nil
}

// sealError gives a sealer's error its CK_RV, unless it has one.
func sealError(err error) error {
	var rv ck.RV
	var explained *ck.Error
	switch {
	case err == nil, errors.As(err, &rv), errors.As(err, &explained):
		return err
	case errors.Is(err, seal.ErrAuth):
		return ck.Errorf(ck.CKR_PIN_INCORRECT, "%w", err)
	}
	return ck.Errorf(ck.CKR_DEVICE_ERROR, "%w", err)
}
