package token_test

import (
	"sync"
	"testing"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal/pinseal"
)

// Programs that need a token of the same label at once get one.
func TestCreateOnce(t *testing.T) {
	home := t.TempDir()
	var programs sync.WaitGroup
	for range 8 {
		p := overReset(t, home, &reset{pinseal.New(cheap), map[string]bool{}})
		programs.Go(func() {
			find := func() (ck.SlotID, bool, error) {
				slots, err := p.SlotList(true)
				for _, slot := range slots {
					if info, err := p.TokenInfo(slot); err == nil && info.Label == "once" {
						return slot, true, nil
					}
				}
				return 0, false, err
			}
			slot, err := p.CreateOnce(&token.Spec{Label: "once", NoLogin: true}, find)
			if err != nil {
				t.Error(err)
			} else if found, there, _ := find(); !there || found != slot {
				t.Errorf("slot %d, found %d, %v", slot, found, there)
			}
		})
	}
	programs.Wait()
	if n := len(tokensIn(t, home)); n != 1 {
		t.Errorf("%d tokens", n)
	}
}

// tokensIn are the labels of the tokens in a home.
func tokensIn(t *testing.T, home string) (labels []string) {
	t.Helper()
	p := overReset(t, home, &reset{pinseal.New(cheap), map[string]bool{}})
	slots, err := p.SlotList(true)
	if err != nil {
		t.Fatal(err)
	}
	for _, slot := range slots {
		if info, err := p.TokenInfo(slot); err == nil && info.Flags&ck.CKF_TOKEN_INITIALIZED != 0 {
			labels = append(labels, info.Label)
		}
	}
	return labels
}

// Isolates tells of a token that there is, and of one that there would be.
func TestIsolates(t *testing.T) {
	isolating := overReset(t, t.TempDir(), &reset{pinseal.New(cheap), map[string]bool{}})
	software, s := open(t)
	for name, test := range map[string]struct {
		p    *token.Provider
		want bool
	}{"isolating": {isolating, true}, "software": {software, false}} {
		if got, err := test.p.WouldIsolate(); err != nil || got != test.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if got, err := software.Isolates(s.Info().SlotID); err != nil || got {
		t.Errorf("a token in software: %v, %v", got, err)
	}
}
