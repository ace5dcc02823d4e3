package local_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// A client's word does not make a key confined, nor open.
func TestConfined(t *testing.T) {
	f := setup(t)
	policy := func(claimed, sensitive, extractable bool) *guard.Policy {
		p := all(ck.CKO_SECRET_KEY, ck.CKK_AES)
		p.Confined, p.Sensitive, p.Extractable = claimed, sensitive, extractable
		return p
	}
	spec := &guard.KeySpec{KeyType: ck.CKK_AES, ValueLen: 32}
	for _, claimed := range []bool{false, true} {
		made := f.generate(f.vault, ck.CKM_AES_KEY_GEN, spec, policy(claimed, true, false))
		loaded, err := f.Load(f.vault, made.Record)
		want(t, "load", err, ck.CKR_OK)
		copied, err := f.Reissue(f.vault, made.Ref, policy(claimed, true, false))
		want(t, "reissue", err, ck.CKR_OK)
		for what, ref := range map[string]guard.Ref{"made": made.Ref, "loaded": loaded, "copied": copied.Ref} {
			if !f.Policy(ref).Confined {
				t.Errorf("a key that was %s (claimed: %v) is not confined", what, claimed)
			}
		}
		imported := f.importKey(f.vault, policy(claimed, true, false), part(ck.CKA_VALUE, someKey))
		open := f.generate(f.vault, ck.CKM_AES_KEY_GEN, spec, policy(claimed, true, true))
		narrowed, err := f.Reissue(f.vault, open.Ref, policy(claimed, true, false))
		want(t, "narrow", err, ck.CKR_OK)
		visible := f.generate(f.vault, ck.CKM_AES_KEY_GEN, spec, policy(claimed, false, false))
		for what, ref := range map[string]guard.Ref{"imported": imported.Ref, "extractable": open.Ref, "narrowed": narrowed.Ref, "not sensitive": visible.Ref} {
			if f.Policy(ref).Confined {
				t.Errorf("a key that is %s (claimed: %v) is confined", what, claimed)
			}
		}
	}
}

func TestWrapBy(t *testing.T) {
	f := setup(t)
	kek := f.secretKey(ck.CKK_AES, someKey)
	p := all(ck.CKO_SECRET_KEY, ck.CKK_AES)
	p.Sensitive, p.WrapBy = true, ck.CKM_AES_KEY_WRAP_KWP
	key := f.importKey(0, p, part(ck.CKA_VALUE, someKey)).Ref
	_, err := f.Wrap(nil, kek, f.scheme(ck.CKM_AES_KEY_WRAP, nil, mech.OpWrap), key)
	want(t, "by another mechanism", err, ck.CKR_KEY_NOT_WRAPPABLE)
	_, err = f.Wrap(nil, kek, f.scheme(ck.CKM_AES_KEY_WRAP_KWP, nil, mech.OpWrap), key)
	want(t, "by the mechanism", err, ck.CKR_OK)
	_, err = f.Reveal(key)
	want(t, "read", err, ck.CKR_ATTRIBUTE_SENSITIVE)
}
