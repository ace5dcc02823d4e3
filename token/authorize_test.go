package token_test

import (
	"testing"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// ticketless is a guard that knows nothing of the tickets that the one before it gave, where replaced is set.
type ticketless struct {
	guard.Keys
	replaced *bool
}

func (g ticketless) Sign(dst []byte, ref guard.Ref, s *mech.Scheme, data []byte) ([]byte, error) {
	if *g.replaced {
		other := *s
		other.Ticket = 0
		s = &other
	}
	return g.Keys.Sign(dst, ref, s, data)
}

// A context-specific login that ended with its guard is asked for again: the operation stays, as it does before the first one.
func TestAContextSpecificLoginIsLost(t *testing.T) {
	var dead, replaced bool
	p := isolated(t, t.TempDir(), &dead, func(g guard.Keys) guard.Keys { return ticketless{g, &replaced} })
	slot, err := p.Create(&token.Spec{Label: "test"}, pin(soPIN))
	if err != nil {
		t.Fatal(err)
	}
	s := session(t, p, slot)
	setUserPIN(t, s)
	wantCode(t, "login", s.Login(ck.CKU_USER, pin(userPIN)), ck.CKR_OK)
	_, key, err := s.GenerateKeyPair(ck.Mechanism{Type: ck.CKM_EC_KEY_PAIR_GEN},
		attr.Template{{Type: ck.CKA_EC_PARAMS, Value: []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}}},
		attr.Template{{Type: ck.CKA_SIGN, Value: attr.Bool(true)}, {Type: ck.CKA_ALWAYS_AUTHENTICATE, Value: attr.Bool(true)}, {Type: ck.CKA_PRIVATE, Value: attr.Bool(true)}, {Type: ck.CKA_TOKEN, Value: attr.Bool(true)}})
	if err != nil {
		t.Fatal(err)
	}
	out := token.Output{Buf: make([]byte, 64)}
	wantCode(t, "SignInit", s.SignInit(&ck.Mechanism{Type: ck.CKM_ECDSA_SHA256}, key), ck.CKR_OK)
	wantCode(t, "SignUpdate", s.SignUpdate([]byte("before the login")), ck.CKR_USER_NOT_LOGGED_IN)
	wantCode(t, "login", s.Login(ck.CKU_CONTEXT_SPECIFIC, pin(userPIN)), ck.CKR_OK)
	wantCode(t, "SignUpdate", s.SignUpdate([]byte("message")), ck.CKR_OK)
	replaced = true
	_, err = s.SignFinal(out)
	wantCode(t, "SignFinal with the next guard", err, ck.CKR_USER_NOT_LOGGED_IN)
	replaced = false
	wantCode(t, "login again", s.Login(ck.CKU_CONTEXT_SPECIFIC, pin(userPIN)), ck.CKR_OK)
	_, err = s.SignFinal(out)
	wantCode(t, "SignFinal", err, ck.CKR_OK)
}
