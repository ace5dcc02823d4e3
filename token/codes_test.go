package token_test

import (
	"fmt"
	"testing"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// Standard return values are the rule; a token that was made so has ncrypt11's own where the standard has none.
func TestOwnCodes(t *testing.T) {
	for _, own := range []bool{false, true} {
		p := provider(t, t.TempDir())
		t.Cleanup(p.Close)
		slot, err := p.Create(&token.Spec{Label: "codes", Policy: store.PolicySoftware, NoLogin: true, NCrypt: true, NCryptCodes: own}, nil)
		if err != nil {
			t.Fatal(err)
		}
		s := session(t, p, slot)
		begunKey, err := s.CreateObject(with(aesKey(false, true), begun))
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.CreateObject(with(aesKey(false, true), called("name")))
		wantCode(t, "a key", err, ck.CKR_OK)
		_, taken := s.CreateObject(with(aesKey(false, true), called("name")))
		_, unavailable := s.CreateObject(with(aesKey(false, true), called("isolated"), ulong(ck.CKA_NCRYPT_PROTECTION, 2)))
		for _, test := range []struct {
			what          string
			err           error
			standard, own ck.RV
		}{
			{"a taken name", taken, ck.CKR_TEMPLATE_INCONSISTENT, ck.CKR_NCRYPT_EXISTS},
			{"a key that is not final", encrypting(s, begunKey), ck.CKR_KEY_FUNCTION_NOT_PERMITTED, ck.CKR_NCRYPT_BAD_KEY_STATE},
			{"no isolation", unavailable, ck.CKR_FUNCTION_REJECTED, ck.CKR_NCRYPT_VBS_UNAVAILABLE},
			{"a boot that is over", ck.Errorf(ck.CKR_DEVICE_ERROR, "%w", seal.ErrDead), ck.CKR_DEVICE_ERROR, ck.CKR_NCRYPT_CANNOT_DECRYPT_KEY},
			{"another TPM", ck.Errorf(ck.CKR_DEVICE_ERROR, "%w", seal.ErrForeign), ck.CKR_DEVICE_ERROR, ck.CKR_NCRYPT_CANNOT_DECRYPT_KEY},
			{"another contradiction", ck.Errorf(ck.CKR_TEMPLATE_INCONSISTENT, "x"), ck.CKR_TEMPLATE_INCONSISTENT, ck.CKR_TEMPLATE_INCONSISTENT},
			{"success", nil, ck.CKR_OK, ck.CKR_OK},
		} {
			want := test.standard
			if own {
				want = test.own
			}
			wantCode(t, fmt.Sprintf("%s, own codes %v", test.what, own), s.Told(test.err), want)
		}
		wantCode(t, "final", s.SetAttributes(begunKey, attr.Template{called("late"), final[0]}), ck.CKR_OK)
	}
}
