package token

import (
	"errors"

	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// bootRole names the master key of those keys of a token that die with the boot (CKA_NCRYPT_PER_BOOT), where the token itself outlives it. It is made when
// the first of them is, and another one in the next boot.
const bootRole = "boot"

// perBootKey says whether the key dies with its boot while its token lives on.
func (t *Token) perBootKey(set *attr.Set) bool {
	if !set.Bool(ck.CKA_NCRYPT_PER_BOOT) {
		return false
	}
	h, err := t.header()
	return err == nil && !PerBoot(h)
}

// vaultOf gives the master key under which the key of an object with these attributes is sealed. The token's lock is held.
func (t *Token) vaultOf(set *attr.Set) (guard.Vault, error) {
	if !t.perBootKey(set) {
		return t.vault(set.Bool(ck.CKA_PRIVATE))
	}
	if t.vaults.boot != 0 {
		return t.vaults.boot, nil
	}
	h, err := t.st.Header()
	if err != nil {
		return 0, err
	}
	t.vaults.boot, err = t.unlockBoot(h)
	return t.vaults.boot, err
}

// unlockBoot opens the master key of this boot's keys. Error: seal.ErrDead where it was another boot's, or there never was one.
func (t *Token) unlockBoot(h *store.Header) (guard.Vault, error) {
	if len(h.Sealed.Boot) == 0 || h.Options[optionKeysBoot] != currentBoot() {
		return 0, errKeyBootOver
	}
	keys, err := t.guard()
	if err != nil {
		return 0, err
	}
	vault, err := keys.Unlock(h.Sealed.Boot, nil, sealContext(h.Serial, bootRole))
	if errors.Is(err, seal.ErrDead) {
		return 0, errKeyBootOver
	}
	return vault, err
}

// errKeyBootOver is for keys that outlived their boot as bytes only.
var errKeyBootOver = ck.Errorf(ck.CKR_DEVICE_ERROR, "%w: the key was for that boot only; make another one in its place", seal.ErrDead)

// bootVault gives the master key for a new key that is to die with this boot, and makes one where there is none. The token's lock is held.
func (t *Token) bootVault() (guard.Vault, error) {
	if t.vaults.boot != 0 {
		return t.vaults.boot, nil
	}
	h, err := t.st.Header()
	if err != nil {
		return 0, err
	}
	vault, err := t.unlockBoot(h)
	if errors.Is(err, seal.ErrDead) {
		vault, err = t.newBootVault(h)
	}
	t.vaults.boot = vault
	return vault, err
}

// newBootVault makes a master key for this boot. Where another process was quicker, its one is taken.
func (t *Token) newBootVault(h *store.Header) (guard.Vault, error) {
	keys, err := t.guard()
	if err != nil {
		return 0, err
	}
	terms, err := termsOf(h)
	if err != nil {
		return 0, err
	}
	terms.PerBoot = true
	vault, sealed, err := keys.NewMaster(nil, sealContext(h.Serial, bootRole), terms)
	if err != nil {
		return 0, err
	}
	dead, boot := h.Sealed.Boot, currentBoot()
	won := false
	err = t.st.UpdateHeader(func(now *store.Header) error {
		if won = string(now.Sealed.Boot) == string(dead); won {
			now.Sealed.Boot = sealed
			setOption(now, optionKeysBoot, boot)
		}
		h = now
		return nil
	})
	if err == nil && won {
		return vault, nil
	}
	keys.Lock(vault)
	if err != nil {
		return 0, err
	}
	return t.unlockBoot(h)
}

// keyUsable is CKA_NCRYPT_USABLE of a stored key. The token's lock is held.
func (t *Token) keyUsable(set *attr.Set) bool {
	if !t.keysUsable() {
		return false
	}
	if !t.perBootKey(set) {
		return true
	}
	_, err := t.vaultOf(set)
	return !errors.Is(err, seal.ErrDead)
}
