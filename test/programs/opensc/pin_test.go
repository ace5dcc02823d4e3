package opensc_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

func TestChangesPIN(t *testing.T) {
	tokens(t, "--change-pin; a locked PIN is set anew by the security officer (--init-pin)", func(p *tool) {
		p.user("--change-pin", "--new-pin", "567890")
		kit.Contains(p.t, p.refused(p.k.PIN), "CKR_PIN_INCORRECT")
		kit.Run(p.t, kit.User, "pkcs11-tool", slices.Concat(p.args, []string{"--pin", "567890", "--list-objects"})...)
		for range 10 {
			if strings.Contains(p.refused(p.k.PIN), "CKR_PIN_LOCKED") {
				break
			}
		}
		kit.Contains(p.t, p.refused("567890"), "CKR_PIN_LOCKED")
		kit.Contains(p.t, p.public("--list-slots"), "user PIN locked")
		kit.Run(p.t, kit.User, "pkcs11-tool", slices.Concat(p.args, []string{"--login-type", "so", "--so-pin", kit.SOPIN, "--init-pin", "--pin", p.k.PIN})...)
		p.user("--list-objects")
	})
}

// refused logs in with a PIN that must not do.
func (p *tool) refused(pin string) string {
	p.t.Helper()
	out, err := kit.Try(p.t, kit.User, "pkcs11-tool", slices.Concat(p.args, []string{"--pin", pin, "--list-objects"})...)
	if err == nil {
		p.t.Errorf("the PIN %s is good", pin)
	}
	return out
}

// A token is emptied and named anew, as often as one likes, and a new one is made in the slot that is always there for one.
func TestInitializes(t *testing.T) {
	tokens(t, "--init-token, --init-pin: an old token and a new one", func(p *tool) {
		p.generate("EC:prime256v1", "01")
		p.public("--init-token", "--label", p.k.Label, "--so-pin", kit.SOPIN)
		p.initPIN(p.k.Label)
		if out := p.user("--list-objects"); strings.Contains(out, "Key Object") {
			p.t.Errorf("there are keys in it:\n%s", out)
		}
		module := []string{"--module", kit.Module}
		kit.Run(p.t, kit.User, "pkcs11-tool", append(module, "--init-token", "--slot-index", "1", "--label", "another", "--so-pin", kit.SOPIN)...)
		p.t.Cleanup(func() { kit.Run(p.t, kit.User, "ncrypt11", "delete", "--token", "another", "--all", "--yes") })
		p.initPIN("another")
		kit.Contains(p.t, kit.Run(p.t, kit.User, "pkcs11-tool", append(module, "--token-label", "another", "--login", "--pin", p.k.PIN, "--keypairgen",
			"--key-type", "EC:prime256v1")...), "Key pair generated")
	})
}

func (p *tool) initPIN(label string) {
	p.t.Helper()
	kit.Run(p.t, kit.User, "pkcs11-tool", "--module", kit.Module, "--token-label", label, "--login", "--login-type", "so", "--so-pin", kit.SOPIN,
		"--init-pin", "--pin", p.k.PIN)
}
