package token

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/config"
)

// Description is what CK_TOKEN_INFO has no room for.
type Description struct {
	Scope   config.Scope
	Policy  string
	PerBoot bool // all of its keys die with the boot
	NCrypt  bool // made with NCrypt's semantics

	SmartCard bool   // it has the profile of a smart card
	Imports   []Role // of the private keys that it takes in from outside
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
	return Description{tok.scope, h.Policy, PerBoot(h), NCryptSemantics(h), SmartCard(h), Imports(h)}, nil
}
