package token

import (
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/secret"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// Spec is what a new token shall be like. C_InitToken makes one with the defaults; the command line offers the rest.
type Spec struct {
	Label   string
	Policy  string // store.PolicySoftware, ...; "" is store.PolicyVBSPreferred
	NoLogin bool
	Scope   config.Scope     // "" is config.User
	PerBoot bool             // its keys die with this boot; needs an isolating guard
	Allow   []seal.Principal // who may use a token of machine scope, beside who makes it; needs an isolating guard

	UniqueNames bool // no two keys have the same name
	NCrypt      bool // NCrypt's semantics where templates say nothing, unique names among them
	NCryptCodes bool // ncrypt11's own return values where the standard has none

	SmartCard   bool   // the profile of a smart card, NCrypt's semantics among it
	AllowImport []Role // of a smart card: private keys of these roles may come from outside
}

// options are what the header says of the keys that are made in the token.
func (s *Spec) options() map[string]string {
	options := map[string]string{}
	if s.SmartCard {
		options = smartCardOptions(s.AllowImport)
	}
	if s.NCrypt || s.SmartCard {
		options[optionSemantics] = "ncrypt"
	}
	if s.NCrypt || s.SmartCard || s.UniqueNames {
		options[optionNames] = "unique"
	}
	if s.NCryptCodes {
		options[optionCodes] = "ncrypt"
	}
	return options
}

// terms are what the token's master keys are to promise, nil for none.
func (s *Spec) terms() *seal.Terms {
	return &seal.Terms{PerBoot: s.PerBoot, Access: seal.Access{Machine: s.Scope == config.Machine, Allow: s.Allow}}
}

// InitToken is C_InitToken. On the fresh slot it makes a token whose SO PIN is pin; on an initialized one pin must be its SO PIN, and all
// objects and the user's PIN are gone afterwards.
func (p *Provider) InitToken(id ck.SlotID, pin *secret.Bytes, label string) error {
	slot, err := p.slot(id)
	if err != nil {
		return err
	}
	if err := checkPINLength(pin); err != nil {
		return err
	}
	if !slot.initialized() {
		return p.create(slot, &Spec{Label: label}, pin)
	}
	tok, err := p.token(slot)
	if err != nil {
		return err
	}
	return tok.reinitialize(pin, label)
}

// Create makes a token in the fresh slot (the command line's init) and gives its slot. soPIN may be nil where the token has no login.
func (p *Provider) Create(spec *Spec, soPIN *secret.Bytes) (ck.SlotID, error) {
	if err := p.refreshSlots(); err != nil {
		return 0, err
	}
	if soPIN != nil {
		if err := checkPINLength(soPIN); err != nil {
			return 0, err
		}
	}
	p.mu.RLock()
	slot := p.fresh
	p.mu.RUnlock()
	return slot.id, p.create(slot, spec, soPIN)
}

func (p *Provider) create(slot *slot, spec *Spec, soPIN *secret.Bytes) error {
	slot.mu.Lock()
	defer slot.mu.Unlock()
	if err := p.running(); err != nil {
		return err
	}
	if slot.path != "" {
		return ck.Errorf(ck.CKR_FUNCTION_FAILED, "another thread has just initialized slot %d", slot.id)
	}
	if spec.Scope == "" {
		spec.Scope = config.User
	}
	dir, err := p.cfg.DirOf(spec.Scope)
	if err != nil {
		return ck.Errorf(ck.CKR_DEVICE_ERROR, "%w", err)
	}
	h, err := p.newHeader(slot.serial, spec, soPIN)
	if err != nil {
		return err
	}
	st, err := store.Create(dir, h)
	if err != nil {
		return err
	}
	slot.tok = newToken(st, spec.Scope, p.cfg, p.guardFor)
	p.mu.Lock()
	defer p.mu.Unlock()
	slot.path, slot.scope = filepath.Join(dir, slot.serial), spec.Scope
	return nil
}

// newHeader makes the token's master keys and seals them.
func (p *Provider) newHeader(serial string, spec *Spec, soPIN *secret.Bytes) (*store.Header, error) {
	h := &store.Header{Serial: serial, Label: strings.TrimRight(spec.Label, " "), Policy: spec.Policy, Login: store.LoginPIN, Created: time.Now(), Options: spec.options()}
	if h.Policy == "" {
		h.Policy = store.PolicyVBSPreferred
	}
	if spec.NoLogin {
		h.Login = store.LoginNone
	}
	keys, err := p.guardFor(h)
	if err != nil {
		return nil, err
	}
	defer keys.Close() // the token asks for its own when it needs one
	return h, sealMasters(keys, h, soPIN, spec.terms())
}

// sealMasters makes fresh master keys: one without a PIN, and for a token with a login one under the SO PIN, which C_InitPIN puts under
// the user's PIN as well.
func sealMasters(keys guard.Keys, h *store.Header, soPIN *secret.Bytes, terms *seal.Terms) error {
	terms, err := keepable(terms, keys.Level())
	if err != nil {
		return err
	}
	newMaster := func(pin *secret.Bytes, role string) ([]byte, error) {
		vault, sealed, err := keys.NewMaster(pin, sealContext(h.Serial, role), terms)
		if err == nil {
			keys.Lock(vault)
		}
		return sealed, err
	}
	if h.Sealed.Open, err = newMaster(nil, openRole); err != nil {
		return err
	}
	h.Sealed.User, h.Sealed.SO = nil, nil
	if soPIN != nil {
		h.Sealed.SO, err = newMaster(soPIN, roles[officer].name)
	}
	describeProtection(h, keys, terms)
	return err
}

// keepable refuses terms that a guard of this level cannot keep, and gives those that it is to keep.
func keepable(terms *seal.Terms, level guard.Level) (*seal.Terms, error) {
	switch {
	case level.Isolated():
		return terms, nil
	case terms.PerBoot:
		return nil, ck.Errorf(ck.CKR_FUNCTION_REJECTED, "keys that die with the boot need an isolating guard and a TPM: see `ncrypt11 status`")
	case len(terms.Access.Allow) > 0:
		return nil, ck.Errorf(ck.CKR_FUNCTION_REJECTED, "an access list needs an isolating guard and a TPM, since software lets in whoever can read the token: see `ncrypt11 status`")
	}
	return nil, nil
}

// reinitialize is C_InitToken on a token that is initialized already.
func (t *Token) reinitialize(pin *secret.Bytes, label string) error {
	t.pins.Lock()
	defer t.pins.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.hasSessions() {
		return ck.CKR_SESSION_EXISTS
	}
	h, err := t.st.Header()
	if err != nil {
		return err
	}
	if len(h.Sealed.SO) == 0 {
		return ck.Errorf(ck.CKR_PIN_INCORRECT, "token %q was made without an SO PIN: delete it with `ncrypt11 delete --token` instead", h.Label)
	}
	vault, err := t.checkPIN(h, officer, pin)
	if err != nil && !errors.Is(err, seal.ErrDead) { // a token that died with its boot has nothing behind the PIN
		return err
	}
	keys, err := t.guard()
	if err != nil {
		return err
	}
	keys.Lock(vault)
	if t.hasSessions() { // while the PIN was checked
		return ck.CKR_SESSION_EXISTS
	}
	t.restart()
	t.forgetKeys()
	fresh := &store.Header{
		Serial: h.Serial, Label: strings.TrimRight(label, " "), Policy: h.Policy, Login: h.Login, Options: h.Options, Created: time.Now(),
	}
	terms, err := termsOf(h)
	if err != nil {
		return err
	}
	if err := sealMasters(keys, fresh, pin, terms); err != nil {
		return err
	}
	t.head, t.dead = nil, false
	return t.st.Reset(fresh)
}
