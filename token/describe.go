package token

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/guard"
)

// Description is what CK_TOKEN_INFO has no room for.
type Description struct {
	Scope       config.Scope
	Policy      string
	Isolation   guard.Level // that the token was made under
	PerBoot     bool        // all of its keys die with the boot
	NCrypt      bool        // made with NCrypt's semantics
	UniqueNames bool
}

// Describe tells of the token in a slot. Error: CKR_TOKEN_NOT_RECOGNIZED where there is none that can be used.
func (p *Provider) Describe(id ck.SlotID) (Description, error) {
	slot, err := p.slot(id)
	if err != nil {
		return Description{}, err
	}
	tok, err := p.token(slot)
	if err != nil {
		return Description{}, err
	}
	h, err := tok.st.Header()
	if err != nil {
		return Description{}, err
	}
	slot.mu.Lock()
	scope := slot.scope
	slot.mu.Unlock()
	return Description{scope, h.Policy, Isolation(h), PerBoot(h), NCryptSemantics(h), UniqueNames(h)}, nil
}
