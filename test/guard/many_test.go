package guard_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// TestMoreKeysThanTheGuardHolds: a guard holds 8192 keys for one program, and a token has more. The program makes and uses them all, and an operation
// that goes on meanwhile is not disturbed.
func TestMoreKeysThanTheGuardHolds(t *testing.T) {
	t.Parallel()
	const keys = 8400
	s, h, session := loggedIn(t)
	iv := make([]byte, 16)
	first := h.must("create", session, append(kept("first", true), secretTemplate(ck.CKK_AES, testKeys().aes)...)).number(0)
	lasting := h.must("open", h.token(), sessionFlags).number(0)
	h.must("encrypt-begin", lasting, with(ck.CKM_AES_CBC, iv), first, make([]byte, 32))
	waiting := h.must("open", h.token(), sessionFlags).number(0)
	h.must("sign-init", waiting, ck.CKM_AES_CMAC, first)
	handles := make([]uint64, keys)
	for i := range handles {
		name := fmt.Sprint("key ", i)
		handles[i] = h.must("generate", session, ck.CKM_AES_KEY_GEN, kept(name, true), attr(ck.CKA_VALUE_LEN, 16), attr(ck.CKA_ENCRYPT, true), attr(ck.CKA_DECRYPT, true)).number(0)
	}
	h.must("encrypt-end", lasting)
	step := max(1, keys/count{600, keys}.n())
	for i := 0; i < keys; i += step {
		sealed := h.must("encrypt", session, with(ck.CKM_AES_CBC_PAD, iv), handles[i], message, 0).bytes(0)
		if got := h.must("decrypt", session, with(ck.CKM_AES_CBC_PAD, iv), handles[i], sealed, 0).bytes(0); !bytes.Equal(got, message) {
			t.Fatalf("key %d does not decrypt what it has encrypted", i)
		}
	}
	checkAES(h, session, first)
	if loaded := s.report().Keys; loaded > 8192 {
		t.Errorf("%d keys are loaded", loaded)
	}
	h.end()
}
