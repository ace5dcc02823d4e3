// Package wire puts the parts together, for the library and for the command line alike: what a token's policy asks for decides which
// guard keeps its keys and what seals them.
package wire

import (
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/config"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/local"
	"github.com/ncrypt11/ncrypt11/token/seal/pinseal"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// Provider reads the configuration and makes the engine over it.
func Provider(getenv config.Getenv) (*token.Provider, error) {
	cfg, err := config.Load(getenv)
	if err != nil {
		return nil, ck.Errorf(ck.CKR_GENERAL_ERROR, "configuration: %w", err)
	}
	return token.New(cfg, Guard)
}

// Guard gives each token a guard of its own in this process: tokens share no keys. A token whose policy demands isolation gets none,
// because this guard does not isolate; one that prefers it is told by the guard itself what it got.
func Guard(h *store.Header) (guard.Keys, error) {
	if h.Policy == store.PolicyVBSRequired {
		return nil, ck.Errorf(ck.CKR_FUNCTION_REJECTED,
			"VBS is unavailable: no isolating guard serves this machine; a token of policy %s or %s can be used without one",
			store.PolicyVBSPreferred, store.PolicySoftware)
	}
	return local.New(pinseal.New()), nil
}
