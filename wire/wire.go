// Package wire puts the parts together, for the library and for the command line alike: what a token's policy asks for decides which
// guard keeps its keys and what seals them.
package wire

import (
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/local"
	"github.com/ncrypt11/ncrypt11/token/guard/remote"
	"github.com/ncrypt11/ncrypt11/token/seal/pinseal"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// Provider reads the configuration and makes the engine over it.
func Provider(getenv config.Getenv) (*token.Provider, error) {
	cfg, err := config.Load(getenv)
	if err != nil {
		return nil, ck.Errorf(ck.CKR_GENERAL_ERROR, "configuration: %w", err)
	}
	return token.New(cfg, Guards(cfg, getenv))
}

// Guards chooses each token's guard. Tokens share no keys.
func Guards(cfg *config.Config, getenv config.Getenv) token.GuardFor {
	c := &chooser{cfg: cfg, endpoint: Endpoint(cfg, getenv)}
	return c.guardFor
}

type chooser struct {
	cfg      *config.Config
	endpoint *remote.Endpoint
}

// guardFor decides by the policy, and for a token that exists by what it was made with: protection never silently improves or decays. A software token, and
// one that preferred isolation when there was none, stay in this process; one that was made under a guard stays under one that is no weaker.
func (c *chooser) guardFor(h *store.Header) (guard.Keys, error) {
	achieved := token.Isolation(h)
	switch {
	case h.Policy == store.PolicySoftware, h.Made() && achieved == guard.Software && h.Policy != store.PolicyVBSRequired:
		return local.New(pinseal.New()), nil
	}
	keys, err := c.isolating(max(achieved, c.least()))
	if ck.Code(err) != ck.CKR_FUNCTION_REJECTED { // nil, or a guard that is there and has no room now: no reason to do without
		return keys, err
	}
	c.logUnavailable(h, err)
	if !h.Made() && h.Policy == store.PolicyVBSPreferred {
		return local.New(pinseal.New()), nil
	}
	return nil, err
}

// least is the configured minimum.
func (c *chooser) least() guard.Level {
	level, _ := guard.ParseLevel(c.cfg.MinIsolation) // config has checked it
	return level
}

// isolating finds a guard process whose isolation is of at least a level.
func (c *chooser) isolating(least guard.Level) (guard.Keys, error) {
	if c.cfg.Guard.Off {
		return nil, ck.Errorf(ck.CKR_FUNCTION_REJECTED, "VBS is unavailable: NCRYPT11_GUARD is none")
	}
	keys, err := remote.Open(c.endpoint, least)
	if err != nil {
		return nil, err // a nil *remote.Keys is no nil guard.Keys
	}
	return keys, nil
}
