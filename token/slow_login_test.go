package token_test

import (
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/local"
	"github.com/ncrypt11/ncrypt11/token/seal/pinseal"
	"github.com/ncrypt11/ncrypt11/token/secret"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// stuck is a guard whose TPM does not answer where a PIN is checked.
type stuck struct {
	guard.Keys
	inside, goOn chan struct{}
}

func (s stuck) Unlock(sealed []byte, auth *secret.Bytes, context []byte) (guard.Vault, error) {
	if auth != nil {
		close(s.inside)
		<-s.goOn
	}
	return s.Keys.Unlock(sealed, auth, context)
}

// Keys are used while somebody's PIN is checked, which may take as long as a TPM does.
func TestALoginHoldsUpNoUseOfKeys(t *testing.T) {
	home := t.TempDir()
	inside, goOn := make(chan struct{}), make(chan struct{})
	p := providerOver(t, home, func(*store.Header) (guard.Keys, error) {
		return stuck{local.New(pinseal.New(cheap)), inside, goOn}, nil
	})
	defer p.Close()
	slot, err := p.Create(&token.Spec{Label: "test", Policy: store.PolicySoftware}, pin(soPIN))
	if err != nil {
		t.Fatal(err)
	}
	s, other := session(t, p, slot), session(t, p, slot)
	key, err := other.CreateObject(aesKey(false, false))
	if err != nil {
		t.Fatal(err)
	}
	loggedIn := make(chan error, 1)
	go func() { loggedIn <- s.Login(ck.CKU_SO, pin(soPIN)) }()
	<-inside
	used := make(chan struct{})
	go func() {
		encrypts(t, other, key)
		close(used)
	}()
	select {
	case <-used:
	case <-time.After(10 * time.Second):
		t.Error("a key waits for the login")
	}
	close(goOn)
	wantCode(t, "login", <-loggedIn, ck.CKR_OK)
}
