package server_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/events"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/protocol"
	"github.com/ncrypt11/ncrypt11/token/guard/server"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// A program that was taken over can send what it likes. It gets what its keys' policies allow, and the log tells of the rest.
func TestForgedRequests(t *testing.T) {
	for _, n := range []network{packets, bytestream} {
		p := start(t, n, server.Options{})
		c := p.greet(n)
		opened := c.open(nil)
		key := func(set func(*guard.Policy)) guard.Ref {
			policy := all(ck.CKO_SECRET_KEY, ck.CKK_AES)
			set(policy)
			return c.aes(opened.Vault, policy).Ref
		}
		decrypts := key(func(p *guard.Policy) { p.Usage = guard.UseDecrypt })
		verifies := key(func(p *guard.Policy) { p.Usage = guard.UseVerify })
		stays := key(func(p *guard.Policy) { p.Extractable = false })
		sensitive := key(func(p *guard.Policy) { p.Sensitive = true })
		trusting := key(func(p *guard.Policy) { p.WrapWithTrusted = true })
		only := key(func(p *guard.Policy) { p.Allowed = []ck.MechanismType{ck.CKM_AES_CBC} })
		asks := key(func(p *guard.Policy) { p.Private, p.AlwaysAuthenticate = true, true })
		anything := key(func(*guard.Policy) {})

		cmac, verify := scheme(t, ck.CKM_AES_CMAC, nil, mech.OpSign), scheme(t, ck.CKM_AES_CMAC, nil, mech.OpVerify)
		ecb, wrap := scheme(t, ck.CKM_AES_ECB, nil, mech.OpEncrypt), scheme(t, ck.CKM_AES_KEY_WRAP, nil, mech.OpWrap)
		guessed := *ecb
		guessed.Ticket = 1
		short := &mech.Scheme{Row: verify.Row, MACLen: 1}
		wider, same := all(ck.CKO_SECRET_KEY, ck.CKK_AES), all(ck.CKO_SECRET_KEY, ck.CKK_AES)
		same.Sensitive = true
		block := make([]byte, 16)
		refused := 0
		for _, test := range []struct {
			name    string
			want    ck.RV
			method  protocol.Method
			request protocol.Message
			logged  bool
		}{
			{"signing with a key that decrypts", ck.CKR_KEY_FUNCTION_NOT_PERMITTED, protocol.MethodSign, &protocol.Use{Ref: decrypts, Op: mech.OpSign, Scheme: cmac}, true},
			{"the same in parts", ck.CKR_KEY_FUNCTION_NOT_PERMITTED, protocol.MethodStream, &protocol.Use{Ref: decrypts, Op: mech.OpSign, Scheme: cmac}, true},
			{"encrypting through the method that signs", ck.CKR_ARGUMENTS_BAD, protocol.MethodSign, &protocol.Use{Ref: anything, Op: mech.OpEncrypt, Scheme: ecb, Data: block}, false},
			{"signing through the method that encrypts", ck.CKR_ARGUMENTS_BAD, protocol.MethodCrypt, &protocol.Use{Ref: anything, Op: mech.OpSign, Scheme: cmac}, false},
			{"wrapping in parts", ck.CKR_MECHANISM_INVALID, protocol.MethodStream, &protocol.Use{Ref: anything, Op: mech.OpWrap, Scheme: ecb}, false},
			{"an operation that there is not", ck.CKR_MECHANISM_INVALID, protocol.MethodStream, &protocol.Use{Ref: anything, Op: 200, Scheme: ecb}, false},
			{"a short MAC", ck.CKR_MECHANISM_PARAM_INVALID, protocol.MethodVerify, &protocol.Verify{Ref: verifies, Scheme: short, MAC: []byte{0}}, false},
			{"a mechanism that there is not", ck.CKR_MECHANISM_INVALID, protocol.MethodSign, &protocol.Use{Ref: anything, Op: mech.OpSign, Scheme: &mech.Scheme{Row: &mech.Row{Type: 0x8000_1234}}}, false},
			{"no mechanism", ck.CKR_MECHANISM_INVALID, protocol.MethodSign, &protocol.Use{Ref: anything, Op: mech.OpSign}, false},
			{"a mechanism that is not allowed", ck.CKR_MECHANISM_INVALID, protocol.MethodCrypt, &protocol.Use{Ref: only, Op: mech.OpEncrypt, Scheme: ecb, Data: block}, true},
			{"no PIN", ck.CKR_USER_NOT_LOGGED_IN, protocol.MethodCrypt, &protocol.Use{Ref: asks, Op: mech.OpEncrypt, Scheme: ecb, Data: block}, true},
			{"a ticket that was guessed", ck.CKR_USER_NOT_LOGGED_IN, protocol.MethodCrypt, &protocol.Use{Ref: asks, Op: mech.OpEncrypt, Scheme: &guessed, Data: block}, true},
			{"the wrong PIN", ck.CKR_PIN_INCORRECT, protocol.MethodAuthorize, &protocol.Authorize{Ref: asks, Sealed: opened.Sealed, Auth: secret.Copy([]byte("4321")), Context: context}, false},
			{"reading what is not extractable", ck.CKR_ATTRIBUTE_SENSITIVE, protocol.MethodReveal, &protocol.OneRef{Ref: stays}, true},
			{"reading what is sensitive", ck.CKR_ATTRIBUTE_SENSITIVE, protocol.MethodReveal, &protocol.OneRef{Ref: sensitive}, true},
			{"wrapping what is not extractable", ck.CKR_KEY_UNEXTRACTABLE, protocol.MethodWrap, &protocol.Wrap{By: anything, Scheme: wrap, Key: stays}, true},
			{"wrapping by what is not trusted", ck.CKR_KEY_NOT_WRAPPABLE, protocol.MethodWrap, &protocol.Wrap{By: anything, Scheme: wrap, Key: trusting}, true},
			{"taking CKA_SENSITIVE back", ck.CKR_ATTRIBUTE_READ_ONLY, protocol.MethodReissue, &protocol.Reissue{Vault: opened.Vault, Ref: sensitive, Policy: wider}, true},
			{"taking it back in memory", ck.CKR_ATTRIBUTE_READ_ONLY, protocol.MethodReissue, &protocol.Reissue{Ref: sensitive, Policy: wider}, true},
			{"sealing it for another vault", ck.CKR_ATTRIBUTE_READ_ONLY, protocol.MethodReissue, &protocol.Reissue{Vault: c.open(nil).Vault, Ref: sensitive, Policy: same}, true},
		} {
			before := len(p.diary.of(events.Refused))
			c.refuses(n.name+": "+test.name, test.want, test.method, test.request)
			if after := len(p.diary.of(events.Refused)); (after == before+1) != test.logged {
				t.Errorf("%s: %d events", test.name, after-before)
			} else if test.logged {
				refused++
			}
		}
		if all := p.diary.of(events.Refused); len(all) != refused || all[0].Key != "01020300000000000000000000000000" || all[0].Code == "" || all[0].Token != "0123456789abcdef" {
			t.Errorf("%d in the log, first %+v", len(all), all[0])
		}
	}
}
