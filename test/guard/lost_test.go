package guard_test

import (
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/test/swtpm"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// TestGuardLostWithTPM: the guard ends while something is wrong with the TPM, so that no other can take over a login. The program's calls fail, and soon.
// Where the TPM comes back as it was, so does the login; else it takes another one, where that is possible.
func TestGuardLostWithTPM(t *testing.T) {
	t.Parallel()
	const (
		again = iota // the login goes on
		anew         // it takes a new login
		no           // the keys are lost
	)
	cases := []struct {
		name  string
		cause func(*swtpm.TPM)
		mend  func(*testing.T, *swtpm.TPM)
		then  int
	}{
		{"stopped", (*swtpm.TPM).Stop, func(t *testing.T, tpm *swtpm.TPM) { tpm.Start(); openTPM(t, tpm) }, anew}, // which is a reset, too
		{"hanging", (*swtpm.TPM).Pause, func(_ *testing.T, tpm *swtpm.TPM) { tpm.Continue() }, again},
		{"reset", func(tpm *swtpm.TPM) { tpm.Reset() }, func(t *testing.T, tpm *swtpm.TPM) { openTPM(t, tpm) }, anew},
		{"replaced", (*swtpm.TPM).Replace, func(t *testing.T, tpm *swtpm.TPM) { openTPM(t, tpm) }, no},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, tpm := newSite(t)
			s.newToken()
			h := s.host()
			session := h.user()
			handles := h.importAll(session)
			c.cause(tpm)
			s.killGuards()
			w := ways()[1]
			start := time.Now()
			rv, _ := h.try("sign", session, w.mechanism, handles["ec"], w.data)
			if rv == ck.CKR_OK {
				t.Error("a signature without a login that a guard knows")
			}
			t.Logf("a signature: %v after %v", rv, time.Since(start).Round(time.Millisecond))
			if took := time.Since(start); took > 2*signDeadline {
				t.Errorf("it took %v", took)
			}
			c.mend(t, tpm)
			if c.then == again {
				eventually(t, "a signature", func() bool {
					rv, _ = h.try("sign", session, w.mechanism, handles["ec"], w.data)
					return rv == ck.CKR_OK
				})
				return
			}
			eventually(t, "a guard that has a TPM", func() bool { // for a second it is believed that there is none
				rv, _ = h.try("sign", session, w.mechanism, handles["ec"], w.data)
				return rv == ck.CKR_DEVICE_ERROR
			})
			h.must("logout", session)
			h.want(map[int]ck.RV{anew: ck.CKR_OK, no: ck.CKR_DEVICE_ERROR}[c.then], "login", session, ck.CKU_USER, []byte(userPIN))
			if c.then == anew {
				h.signs(session, h.find(session, "ec", ck.CKO_PRIVATE_KEY), w)
			}
		})
	}
}
