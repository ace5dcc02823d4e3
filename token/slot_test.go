package token_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/token"
)

// Programs that know tokens again by what C_GetTokenInfo says (gnupg-pkcs11-scd, by the last slot's) must find the same in each process.
func TestTheSlotForANewTokenLooksAlwaysTheSame(t *testing.T) {
	home := t.TempDir()
	var before any
	for _, label := range []string{"one", "two"} {
		p := provider(t, home)
		slots, err := p.SlotList(true)
		if err != nil || len(slots) == 0 {
			t.Fatalf("slots %v, %v", slots, err)
		}
		info, err := p.TokenInfo(slots[len(slots)-1])
		if err != nil || info.SerialNumber != "" {
			t.Errorf("the serial number of no token is %q, %v", info.SerialNumber, err)
		}
		if before != nil && before != any(info) {
			t.Errorf("now it is %+v, and was %+v", info, before)
		}
		before = info
		slot, err := p.Create(&token.Spec{Label: label, NoLogin: true}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := p.TokenInfo(slot); err != nil || len(info.SerialNumber) != 16 {
			t.Errorf("the serial number of a token is %q, %v", info.SerialNumber, err)
		}
		p.Close()
	}
}
