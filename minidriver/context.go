package minidriver

import (
	"cmp"
	"slices"
	"sync"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Card says which token is the card.
type Card struct {
	Engine *token.Provider
	Label  string // of the token (pwszCardName); empty: the only initialized one
}

// Context is what CardAcquireContext gives: a card, or none. Its functions may be called from any goroutine; they wait for each other, as with a card.
type Context struct {
	mu      sync.Mutex
	closed  bool
	session *token.Session // nil without a card
	engine  *token.Provider
	keys    keyTable
}

// AcquireContext is CardAcquireContext. Without a card, card is not looked at. Errors: ERROR_REVISION_MISMATCH for any version but 7, which is the first that
// has the functions of this package; SCARD_E_INVALID_PARAMETER for flags that there are not; SCARD_E_NO_SMARTCARD.
func AcquireContext(card *Card, version, flags uint32) (*Context, error) {
	switch {
	case version != Version:
		return nil, nte.Errorf(nte.ERROR_REVISION_MISMATCH, "CARD_DATA of version %d, not %d", version, Version)
	case flags&^CARD_SECURE_KEY_INJECTION_NO_CARD_MODE != 0:
		return nil, invalid("flags %#x", flags)
	case flags&CARD_SECURE_KEY_INJECTION_NO_CARD_MODE != 0:
		return &Context{keys: newKeyTable()}, nil
	case card == nil || card.Engine == nil:
		return nil, invalid("there is no engine that could have a card")
	}
	slot, err := card.slot()
	if err != nil {
		return nil, err
	}
	s, err := card.Engine.Attach(slot)
	if err != nil {
		return nil, err
	}
	return &Context{session: s, engine: card.Engine, keys: newKeyTable()}, nil
}

// slot finds the card's token.
func (c *Card) slot() (ck.SlotID, error) {
	slots, err := c.Engine.SlotList(true)
	if err != nil {
		return 0, err
	}
	slots = slices.DeleteFunc(slots, func(slot ck.SlotID) bool {
		info, err := c.Engine.TokenInfo(slot)
		return err != nil || info.Flags&ck.CKF_TOKEN_INITIALIZED == 0 || c.Label != "" && info.Label != c.Label
	})
	if len(slots) != 1 {
		return 0, nte.Errorf(nte.SCARD_E_NO_SMARTCARD, "%d tokens could be the card %q: name one by its label", len(slots), c.Label)
	}
	return slots[0], nil
}

// Close is CardDeleteContext: session keys end, what the card keeps stays.
func (c *Context) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nte.Errorf(nte.SCARD_E_INVALID_HANDLE, "the context was deleted")
	}
	c.closed = true
	var err error
	for _, k := range c.keys.all() {
		err = cmp.Or(err, c.drop(k))
	}
	if c.session != nil {
		err = cmp.Or(err, c.session.Close())
	}
	return err
}

// withoutCard are the functions that there are without a card.
var withoutCard = []string{
	"MDImportSessionKey", "MDEncryptData", "CardGetSharedKeyHandle", "CardGetAlgorithmProperty", "CardDestroyKey", "CardGetKeyProperty", "CardSetKeyProperty",
	"CardProcessEncryptedData",
}

// enter begins a function, by its name. The caller unlocks where there is no error: that is SCARD_E_UNSUPPORTED_FEATURE for a function that needs a card.
func (c *Context) enter(function string) error {
	c.mu.Lock()
	var err error
	switch {
	case c.closed:
		err = nte.Errorf(nte.SCARD_E_INVALID_HANDLE, "the context was deleted")
	case c.session == nil && !slices.Contains(withoutCard, function):
		err = unsupported("%s needs a card, and the context was acquired without one", function)
	}
	if err != nil {
		c.mu.Unlock()
	}
	return err
}

// Serves says whether the context has a function, by its name, so that who reads a caller's memory for it need not do so in vain: SCARD_E_UNSUPPORTED_FEATURE
// where a card is needed and there is none.
func (c *Context) Serves(function string) error {
	err := c.enter(function)
	if err == nil {
		c.mu.Unlock()
	}
	return err
}

// enterPlain is enter for functions that take flags of which there are none.
func (c *Context) enterPlain(function string, flags uint32) error {
	if err := c.enter(function); err != nil {
		return err
	}
	if flags != 0 {
		c.mu.Unlock()
		return invalid("%s takes no flags, not %#x", function, flags)
	}
	return nil
}
