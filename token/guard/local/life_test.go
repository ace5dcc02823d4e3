package local_test

import (
	"bytes"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/guard/local"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

var someKey = bytes.Repeat([]byte{0x77}, 32)

// A key is wiped when it is forgotten, but under no operation's feet.
func TestForgetWipes(t *testing.T) {
	f := setup(t)
	for name, end := range map[string]func(ref guard.Ref, v guard.Vault){
		"Forget": func(ref guard.Ref, _ guard.Vault) { f.Forget(ref); f.Forget(ref) },
		"Lock":   func(_ guard.Ref, v guard.Vault) { f.Lock(v); f.Lock(v) },
	} {
		vault, _, err := f.NewMaster(nil, context, nil)
		want(t, name, err, ck.CKR_OK)
		k := f.importKey(vault, all(ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET), part(ck.CKA_VALUE, someKey))
		wiped := local.Wiped(f.Keys, k.Ref)
		s := f.scheme(ck.CKM_SHA256_HMAC, nil, mech.OpSign)
		st, err := f.Stream(k.Ref, s, mech.OpSign)
		want(t, name, err, ck.CKR_OK)
		end(k.Ref, vault)
		if wiped() {
			t.Errorf("%s: wiped while in use", name)
		}
		_, err = st.Update(nil, []byte("data"))
		want(t, name+", then Update", err, ck.CKR_KEY_HANDLE_INVALID)
		_, err = st.Final(nil)
		want(t, name+", then Final", err, ck.CKR_KEY_HANDLE_INVALID)
		st.Close()
		st.Close()
		if !wiped() {
			t.Errorf("%s: not wiped after the last use", name)
		}
		_, err = f.Sign(nil, k.Ref, s, nil)
		want(t, name+", then Sign", err, ck.CKR_KEY_HANDLE_INVALID)
	}
}

// A finished stream gives up its key, and cannot be gone on with.
func TestStreamEnds(t *testing.T) {
	f := setup(t)
	k := f.secretKey(ck.CKK_GENERIC_SECRET, someKey)
	wiped := local.Wiped(f.Keys, k)
	st, err := f.Stream(k, f.scheme(ck.CKM_SHA256_HMAC, nil, mech.OpSign), mech.OpSign)
	want(t, "Stream", err, ck.CKR_OK)
	_, err = st.Final(nil)
	want(t, "Final", err, ck.CKR_OK)
	_, err = st.Final(nil)
	want(t, "Final again", err, ck.CKR_OPERATION_NOT_INITIALIZED)
	if st.FinalLen() != 0 || st.Shape().UpdateLen(5) != 0 {
		t.Error("a finished stream announces output")
	}
	f.Forget(k)
	if !wiped() {
		t.Error("the stream still holds the key")
	}
}

// Keys are used, forgotten and locked away all at once: each use gives the right answer or says that the key is gone.
func TestParallelUseAndForget(t *testing.T) {
	f := setup(t)
	s := f.scheme(ck.CKM_SHA256_HMAC, nil, mech.OpSign)
	right, err := f.Sign(nil, f.secretKey(ck.CKK_GENERIC_SECRET, someKey), s, digest[:])
	want(t, "Sign", err, ck.CKR_OK)
	var signed, gone atomic.Int64
	for round := range 40 {
		vault, _, err := f.NewMaster(nil, context, nil)
		want(t, "NewMaster", err, ck.CKR_OK)
		p := all(ck.CKO_SECRET_KEY, ck.CKK_GENERIC_SECRET)
		k := f.importKey(vault, p, part(ck.CKA_VALUE, someKey))
		var wg sync.WaitGroup
		inUse := make(chan struct{}, 4)
		for range 4 {
			wg.Go(func() {
				for before := gone.Load(); gone.Load() == before; { // until the key is seen gone
					mac, err := f.Sign(nil, k.Ref, s, digest[:])
					switch {
					case err == nil && bytes.Equal(mac, right):
						signed.Add(1)
						select {
						case inUse <- struct{}{}:
						default:
						}
					case err == nil || ck.Code(err) != ck.CKR_KEY_HANDLE_INVALID:
						t.Errorf("%x, %v", mac, err)
						return
					default:
						gone.Add(1)
					}
				}
			})
		}
		wg.Go(func() { // loading races with locking: it fails, or what it loaded is dropped
			ref, err := f.Load(vault, k.Record)
			if err == nil {
				_, err = f.Sign(nil, ref, s, digest[:])
			}
			if rv := ck.Code(err); rv != ck.CKR_OK && rv != ck.CKR_USER_NOT_LOGGED_IN && rv != ck.CKR_KEY_HANDLE_INVALID {
				t.Errorf("Load: %v", err)
			}
		})
		if round%2 == 0 {
			wg.Go(func() { <-inUse; f.Forget(k.Ref) })
		} else {
			wg.Go(func() { <-inUse; f.Lock(vault) })
		}
		wg.Wait()
	}
	if signed.Load() == 0 || gone.Load() == 0 {
		t.Errorf("%d uses went well and %d came too late: no race was run", signed.Load(), gone.Load())
	}
}
