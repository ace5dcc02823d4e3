package token_test

import (
	"sync"
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

// failing is a guard that cannot be reached where down is set.
type failing struct {
	guard.Keys
	down *bool
}

func (f failing) Unlock(sealed []byte, auth *secret.Bytes, context []byte) (guard.Vault, error) {
	if *f.down {
		return 0, ck.Errorf(ck.CKR_DEVICE_ERROR, "the guard does not answer")
	}
	return f.Keys.Unlock(sealed, auth, context)
}

// A failure that says nothing of the PIN neither uses up a try nor gives those back that wrong PINs have used up: whoever can make the guard fail
// could guess for ever.
func TestFailuresGiveBackOneTry(t *testing.T) {
	var down bool
	home := t.TempDir()
	p := providerOver(t, home, func(*store.Header) (guard.Keys, error) {
		return failing{local.New(pinseal.New(cheap)), &down}, nil
	})
	defer p.Close()
	slot, err := p.Create(&token.Spec{Label: "test", Policy: store.PolicySoftware}, pin(soPIN))
	if err != nil {
		t.Fatal(err)
	}
	s := session(t, p, slot)
	for range 9 {
		wantCode(t, "wrong PIN", s.Login(ck.CKU_SO, pin("99999999")), ck.CKR_PIN_INCORRECT)
	}
	down = true
	for range 20 {
		wantCode(t, "no guard", s.Login(ck.CKU_SO, pin(soPIN)), ck.CKR_DEVICE_ERROR)
	}
	down = false
	info, err := p.TokenInfo(slot)
	if err != nil || info.Flags&ck.CKF_SO_PIN_FINAL_TRY == 0 {
		t.Errorf("flags %#x, %v: want one try left", info.Flags, err)
	}
	wantCode(t, "last wrong PIN", s.Login(ck.CKU_SO, pin("99999999")), ck.CKR_PIN_INCORRECT)
	wantCode(t, "right PIN", s.Login(ck.CKU_SO, pin(soPIN)), ck.CKR_PIN_LOCKED)
}

// slow is a guard that takes its time over a PIN, as Argon2id does, so that logins overlap.
type slow struct{ guard.Keys }

func (s slow) Unlock(sealed []byte, auth *secret.Bytes, context []byte) (guard.Vault, error) {
	time.Sleep(20 * time.Millisecond)
	return s.Keys.Unlock(sealed, auth, context)
}

// Programs that log in at the same moment with the right PIN, as a server's workers do, do not count each other's tries as wrong ones.
func TestLoginsAtOnce(t *testing.T) {
	home := t.TempDir()
	worker := func() *token.Provider {
		p := providerOver(t, home, func(*store.Header) (guard.Keys, error) { return slow{local.New(pinseal.New(cheap))}, nil })
		t.Cleanup(p.Close)
		return p
	}
	first := worker()
	slot, err := first.Create(&token.Spec{Label: "test", Policy: store.PolicySoftware}, pin(soPIN))
	if err != nil {
		t.Fatal(err)
	}
	const workers = 24
	var all sync.WaitGroup
	start := make(chan struct{})
	for range workers {
		s := session(t, worker(), slot)
		all.Go(func() {
			<-start
			wantCode(t, "login", s.Login(ck.CKU_SO, pin(soPIN)), ck.CKR_OK)
		})
	}
	close(start)
	all.Wait()
	info, err := first.TokenInfo(slot)
	if err != nil || info.Flags&(ck.CKF_SO_PIN_COUNT_LOW|ck.CKF_SO_PIN_LOCKED) != 0 {
		t.Errorf("flags %#x, %v: want no wrong PIN", info.Flags, err)
	}
}
