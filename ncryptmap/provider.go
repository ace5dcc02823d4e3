package ncryptmap

import (
	"slices"
	"sync"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/secret"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// provider is an open key storage provider. Each scope of keys is a token; a provider that was opened by a token's label has that one for both.
type provider struct {
	ksp   *KSP
	name  string
	label string // of the token that was asked for; empty: those that NCrypt's keys are in
	card  bool   // its tokens are smart cards

	mu       sync.Mutex     // of what follows
	context  []byte         // the property Use Context
	window   []byte         // the property HWND Handle
	loggedIn *token.Session // keeps the login of the property SmartCardPin
}

// TokenLabel is the label of the tokens that are made for NCrypt's keys, where there is none with NCrypt's semantics.
const TokenLabel = "NCrypt"

// OpenStorageProvider is NCryptOpenStorageProvider. An empty name is the software provider's. A name that is no provider's may be a token's label: then
// keys of both scopes are in that token. Errors: NTE_BAD_FLAGS; NTE_BAD_PROVIDER where there is neither.
func (k *KSP) OpenStorageProvider(name string, flags uint32) (Handle, error) {
	if err := checkFlags(callOpenProvider, flags); err != nil {
		return 0, err
	}
	p := &provider{ksp: k, name: name}
	switch name {
	case "", MS_KEY_STORAGE_PROVIDER:
		p.name = MS_KEY_STORAGE_PROVIDER
	case MS_SMART_CARD_KEY_STORAGE_PROVIDER:
		p.card = true // whether there is a card or not
	default:
		slots, err := k.tokens(func(info *ck.TokenInfo, _ *token.Description) bool { return info.Label == name })
		if err != nil {
			return 0, err
		}
		if len(slots) != 1 {
			return 0, nte.Errorf(nte.NTE_BAD_PROVIDER, "%q is neither a provider nor the label of one token", name)
		}
		p.label = name
	}
	return k.handles.add(p), nil
}

func (p *provider) close() { p.keepLogin(nil) }

// keepLogin has a session live as long as the provider's handle, in place of the one before.
func (p *provider) keepLogin(s *token.Session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.loggedIn != nil {
		_ = p.loggedIn.Close()
	}
	p.loggedIn = s
}

// tokens gives the slots of the initialized tokens that are wanted.
func (k *KSP) tokens(wanted func(*ck.TokenInfo, *token.Description) bool) ([]ck.SlotID, error) {
	slots, err := k.engine.SlotList(true)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slots, func(slot ck.SlotID) bool {
		info, err := k.engine.TokenInfo(slot)
		if err != nil || info.Flags&ck.CKF_TOKEN_INITIALIZED == 0 {
			return true // one that cannot be used does not stand in the others' way
		}
		d, err := k.engine.Describe(slot)
		return err != nil || !wanted(&info, &d)
	}), nil
}

// slots finds the tokens of a scope: the one that the provider was opened with; else those with NCrypt's semantics that are no smart cards, or are.
func (p *provider) slots(machine bool) ([]ck.SlotID, error) {
	scope := config.User
	if machine {
		scope = config.Machine
	}
	return p.ksp.tokens(func(info *ck.TokenInfo, d *token.Description) bool {
		switch {
		case p.card:
			return d.Scope == scope && d.SmartCard && (p.label == "" || info.Label == p.label)
		case p.label != "":
			return info.Label == p.label
		}
		return d.Scope == scope && d.NCrypt && !d.PerBoot && !d.SmartCard
	})
}

// slot finds the first token of a scope.
func (p *provider) slot(machine bool) (ck.SlotID, bool, error) {
	slots, err := p.slots(machine)
	if err != nil || len(slots) == 0 {
		return 0, false, err
	}
	return slots[0], true, nil
}

// make makes the token of a scope, as isolated as this machine can, unless another program was quicker.
func (p *provider) make(machine bool) (ck.SlotID, error) {
	spec := &token.Spec{Label: TokenLabel, Policy: store.PolicyVBSPreferred, NoLogin: true, NCrypt: true, Scope: config.User}
	if machine {
		spec.Scope = config.Machine
	}
	return p.ksp.engine.CreateOnce(spec, func() (ck.SlotID, bool, error) { return p.slot(machine) })
}

// session opens a session with the token of a scope; nil where there is no such token and none is to be made. A card that is not there is an error.
func (p *provider) session(machine, mayMake bool) (*token.Session, error) {
	slot, there, err := p.slot(machine)
	if err != nil {
		return nil, err
	}
	if !there {
		if p.card {
			return nil, p.noCard()
		}
		if !mayMake {
			return nil, nil
		}
		if slot, err = p.make(machine); err != nil {
			return nil, err
		}
	}
	return p.open(slot)
}

func (p *provider) open(slot ck.SlotID) (*token.Session, error) {
	return p.ksp.engine.Attach(slot)
}

// login is NCRYPT_PIN_PROPERTY: the PIN of the token that a session is with.
func login(s *token.Session, pin *secret.Bytes) error {
	err := s.Login(ck.CKU_USER, pin)
	if ck.Code(err) == ck.CKR_USER_ALREADY_LOGGED_IN {
		return nil
	}
	return err
}
