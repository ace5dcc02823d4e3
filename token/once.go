package token

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// CreateOnce makes a token without a login where there is none yet: of several processes that call it at once, one makes the token, and all get its slot. found
// looks for the token.
func (p *Provider) CreateOnce(spec *Spec, found func() (ck.SlotID, bool, error)) (id ck.SlotID, err error) {
	scope := spec.Scope
	if scope == "" {
		scope = config.User
	}
	dir, err := p.cfg.DirOf(scope)
	if err != nil {
		return 0, ck.Errorf(ck.CKR_DEVICE_ERROR, "%w", err)
	}
	err = store.Exclusively(dir, func() error {
		there := false
		if id, there, err = found(); there || err != nil {
			return err
		}
		id, err = p.Create(spec, nil)
		return err
	})
	return id, err
}

// Isolates says whether keys that are made in the slot's token are isolated.
func (p *Provider) Isolates(id ck.SlotID) (bool, error) {
	slot, err := p.slot(id)
	if err != nil {
		return false, err
	}
	tok, err := p.token(slot)
	if err != nil {
		return false, err
	}
	tok.mu.Lock()
	defer tok.mu.Unlock()
	keys, err := tok.guard()
	if err != nil {
		return false, err
	}
	return keys.Level().Isolated(), nil
}

// WouldIsolate says whether the keys of a token would be isolated that is made now and prefers it.
func (p *Provider) WouldIsolate() (bool, error) {
	keys, err := p.guardFor(&store.Header{Policy: store.PolicyVBSPreferred})
	if err != nil {
		return false, err
	}
	defer keys.Close()
	return keys.Level().Isolated(), nil
}
