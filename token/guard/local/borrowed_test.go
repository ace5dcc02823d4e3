package local_test

import (
	"bytes"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// TestStreamKeepsNothingOfTheCaller: what a scheme points to is the caller's. A guard process wipes it with the request that started the stream; a nonce
// that is gone by the end would be the same for every message.
func TestStreamKeepsNothingOfTheCaller(t *testing.T) {
	f := setup(t)
	key := f.secretKey(ck.CKK_AES, make([]byte, 32))
	iv := func() []byte { return bytes.Repeat([]byte{0x5a}, 16) }
	schemes := map[ck.MechanismType]func() *mech.Scheme{
		ck.CKM_AES_GCM: func() *mech.Scheme {
			return f.scheme(ck.CKM_AES_GCM, ck.GCMParams{IV: iv()[:12], AAD: iv(), TagBits: 128}, mech.OpEncrypt)
		},
		ck.CKM_AES_CBC: func() *mech.Scheme { return f.scheme(ck.CKM_AES_CBC, ck.RawParams(iv()), mech.OpEncrypt) },
		ck.CKM_AES_CTR: func() *mech.Scheme {
			return f.scheme(ck.CKM_AES_CTR, ck.CTRParams{CounterBits: 32, Block: [16]byte(iv())}, mech.OpEncrypt)
		},
	}
	for m, scheme := range schemes {
		want, err := f.Encrypt(nil, key, scheme(), make([]byte, 48))
		if err != nil {
			t.Fatal(err)
		}
		s := scheme()
		st, err := f.Stream(key, s, mech.OpEncrypt)
		if err != nil {
			t.Fatal(err)
		}
		secret.Wipe(s.IV)
		secret.Wipe(s.AAD)
		got, err := st.Update(nil, make([]byte, 48))
		if err == nil {
			got, err = st.Final(got)
		}
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%v in parts: %x, %v, want %x", m, got, err, want)
		}
	}
}
