package token_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// card makes a smart card that takes in keys of these roles.
func card(t *testing.T, roles ...token.Role) *token.Session {
	t.Helper()
	p := provider(t, t.TempDir())
	slot, err := p.Create(&token.Spec{Label: "card", NoLogin: true, SmartCard: true, AllowImport: roles}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := p.Describe(slot); err != nil || !d.SmartCard || !d.NCrypt {
		t.Fatalf("%+v, %v", d, err)
	}
	return session(t, p, slot)
}

func flag(typ ck.AttributeType, value bool) attr.Attribute {
	return attr.Attribute{Type: typ, Value: attr.Bool(value)}
}

// ecKey is a private key from outside with usages, kept or not.
func ecKey(kept bool, usages ...ck.AttributeType) attr.Template {
	t := attr.Template{
		{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_PRIVATE_KEY))}, {Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(ck.CKK_EC))},
		{Type: ck.CKA_EC_PARAMS, Value: pubkey.P256.Params}, {Type: ck.CKA_VALUE, Value: bytes.Repeat([]byte{7}, 32)}, flag(ck.CKA_TOKEN, kept),
	}
	return append(t, usage(usages...)...)
}

func usage(usages ...ck.AttributeType) (t attr.Template) {
	for _, typ := range []ck.AttributeType{ck.CKA_SIGN, ck.CKA_DERIVE} {
		t = append(t, flag(typ, slices.Contains(usages, typ)))
	}
	return t
}

// allowedOr is how bringing a key in ends.
func allowedOr(allowed bool) ck.RV {
	if allowed {
		return ck.CKR_OK
	}
	return ck.CKR_ACTION_PROHIBITED
}

// Private keys from outside are kept where their role is taken in, on whatever way they come. Others leave nothing.
func TestSmartCardImports(t *testing.T) {
	for _, roles := range [][]token.Role{nil, {token.Exchange}, {token.Signature}, token.Roles} {
		s := card(t, roles...)
		for _, key := range []struct {
			role   token.Role
			usages []ck.AttributeType
		}{
			{token.Signature, []ck.AttributeType{ck.CKA_SIGN}}, {token.Signature, nil},
			{token.Exchange, []ck.AttributeType{ck.CKA_DERIVE}}, {token.Exchange, []ck.AttributeType{ck.CKA_SIGN, ck.CKA_DERIVE}},
		} {
			allowed := slices.Contains(roles, key.role)
			for way, bring := range ways(t, s, key.usages) {
				h, err := bring()
				wantCode(t, way, err, allowedOr(allowed))
				if !allowed && !errors.Is(err, token.ErrNoImport) {
					t.Errorf("%s: %v", way, err)
				}
				kept := found(t, s, flag(ck.CKA_TOKEN, true), attr.Attribute{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_PRIVATE_KEY))})
				if allowed != slices.Equal(kept, []ck.ObjectHandle{h}) || !allowed && len(kept) > 0 {
					t.Errorf("%v, %v by %s: %d keys", roles, key.usages, way, len(kept))
				}
				if allowed {
					wantCode(t, "destroy", s.DestroyObject(h), ck.CKR_OK)
				}
			}
		}
	}
}

// ways are those on which a key comes into a token to stay.
func ways(t *testing.T, s *token.Session, usages []ck.AttributeType) map[string]func() (ck.ObjectHandle, error) {
	t.Helper()
	passing, err := s.CreateObject(append(ecKey(false, usages...), flag(ck.CKA_EXTRACTABLE, true)))
	wantCode(t, "a key that is not kept", err, ck.CKR_OK)
	wrapping, err := s.CreateObject(attr.Template{
		{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_SECRET_KEY))}, {Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(ck.CKK_AES))},
		{Type: ck.CKA_VALUE, Value: make([]byte, 32)}, flag(ck.CKA_WRAP, true), flag(ck.CKA_UNWRAP, true),
	})
	wantCode(t, "a wrapping key", err, ck.CKR_OK)
	kwp := ck.Mechanism{Type: ck.CKM_AES_KEY_WRAP_KWP}
	wrapped := make([]byte, 1<<10)
	n, err := s.WrapKey(kwp, wrapping, passing, token.Output{Buf: wrapped})
	wantCode(t, "WrapKey", err, ck.CKR_OK)
	return map[string]func() (ck.ObjectHandle, error){
		"C_CreateObject": func() (ck.ObjectHandle, error) { return s.CreateObject(ecKey(true, usages...)) },
		"C_CopyObject":   func() (ck.ObjectHandle, error) { return s.CopyObject(passing, attr.Template{flag(ck.CKA_TOKEN, true)}) },
		"C_UnwrapKey": func() (ck.ObjectHandle, error) {
			return s.UnwrapKey(kwp, wrapping, wrapped[:n], append(attr.Template{
				{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_PRIVATE_KEY))}, {Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(ck.CKK_EC))},
				flag(ck.CKA_TOKEN, true),
			}, usage(usages...)...))
		},
	}
}

// A signature key from outside does not become an exchange key later; one that was made in the card may be what it likes.
func TestSmartCardRolesStay(t *testing.T) {
	s := card(t, token.Signature)
	h, err := s.CreateObject(ecKey(true, ck.CKA_SIGN))
	wantCode(t, "CreateObject", err, ck.CKR_OK)
	wantCode(t, "a new role", s.SetAttributes(h, attr.Template{flag(ck.CKA_DERIVE, true)}), ck.CKR_ACTION_PROHIBITED)
	_, err = s.CopyObject(h, attr.Template{flag(ck.CKA_DERIVE, true)})
	wantCode(t, "a copy of another role", err, ck.CKR_ACTION_PROHIBITED)
	wantCode(t, "a new label", s.SetAttributes(h, attr.Template{labelled("other")}), ck.CKR_OK)
	wantCode(t, "no usage", s.SetAttributes(h, attr.Template{flag(ck.CKA_SIGN, false)}), ck.CKR_OK)
	_, own, err := s.GenerateKeyPair(ck.Mechanism{Type: ck.CKM_EC_KEY_PAIR_GEN}, attr.Template{{Type: ck.CKA_EC_PARAMS, Value: pubkey.P256.Params}},
		append(attr.Template{flag(ck.CKA_TOKEN, true)}, usage(ck.CKA_SIGN)...))
	wantCode(t, "a key that is made", err, ck.CKR_OK)
	wantCode(t, "its role", s.SetAttributes(own, attr.Template{flag(ck.CKA_DERIVE, true)}), ck.CKR_OK)
	_, err = s.CopyObject(own, attr.Template{labelled("copy"), called("copy")})
	wantCode(t, "its copy", err, ck.CKR_OK)
}

// Certificates, public keys and secret keys are no private keys.
func TestSmartCardTakesInOtherObjects(t *testing.T) {
	s := card(t)
	_, err := s.CreateObject(aesKey(false, true))
	wantCode(t, "a secret key", err, ck.CKR_OK)
	_, err = s.CreateObject(attr.Template{{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_DATA))}, flag(ck.CKA_TOKEN, true)})
	wantCode(t, "data", err, ck.CKR_OK)
}
