package guard_test

import (
	"path/filepath"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

func TestPINsChange(t *testing.T) {
	t.Parallel()
	s, tpm := newSite(t)
	s.newToken()
	h := s.host()
	session := h.user()
	key := h.importAll(session)["ec"]
	w := ways()[1]

	h.want(ck.CKR_PIN_INCORRECT, "set-pin", session, []byte("9999"), []byte("4321"))
	h.must("set-pin", session, []byte(userPIN), []byte("4321"))
	h.signs(session, key, w) // the login goes on
	checkPIN(s, userPIN, ck.CKR_PIN_INCORRECT)
	checkPIN(s, "4321", ck.CKR_OK)

	h.must("logout", session)
	h.must("login", session, ck.CKU_SO, []byte(soPIN))
	h.must("init-pin", session, []byte("5678"))
	h.must("set-pin", session, []byte(soPIN), []byte("87654321"))
	h.must("logout", session)
	checkPIN(s, "4321", ck.CKR_PIN_INCORRECT)
	checkPIN(s, "5678", ck.CKR_OK)
	h.want(ck.CKR_PIN_INCORRECT, "login", session, ck.CKU_SO, []byte(soPIN))
	h.must("login", session, ck.CKU_SO, []byte("87654321"))
	if loaded := tpm.Loaded(); len(loaded) != 0 {
		t.Errorf("%x were left in the TPM", loaded)
	}
}

// checkPIN logs in from another process.
func checkPIN(s *site, pin string, want ck.RV) {
	s.t.Helper()
	h := s.host()
	session := h.session()
	h.want(want, "login", session, ck.CKU_USER, []byte(pin))
	if want == ck.CKR_OK {
		h.signs(session, h.find(session, "ec", ck.CKO_PRIVATE_KEY), ways()[1])
	}
	h.end()
}

// Wrong PINs lock the user's, before they lock the TPM; a restart of the guard does not help, nor does another program, nor the database of before.
func TestWrongPINsLock(t *testing.T) {
	t.Parallel()
	s, tpm := newSite(t)
	s.configure("max_pin_failures = 4")
	s.newToken()
	h := s.host()
	session := h.user()
	h.importAll(session)
	h.must("logout", session)
	before := filepath.Join(s.dir, "before")
	copyHome(t, before, s.home)
	for range 2 {
		h.want(ck.CKR_PIN_INCORRECT, "login", session, ck.CKU_USER, []byte("9999"))
	}
	s.signalGuard(15)
	for range 2 {
		checkPIN(s, "9999", ck.CKR_PIN_INCORRECT)
	}
	h.want(ck.CKR_PIN_LOCKED, "login", session, ck.CKU_USER, []byte(userPIN))
	if _, flags, _ := h.findToken(); flags&uint64(ck.CKF_USER_PIN_LOCKED) == 0 {
		t.Errorf("token flags %#x do not say that the PIN is locked", flags)
	}
	if n := tpm.Failures(); n > 4 {
		t.Errorf("the TPM counts %d wrong PINs", n)
	}
	turned := s.at(filepath.Join(s.dir, "turned"))
	copyHome(t, turned.home, before)
	copyHome(t, filepath.Join(turned.home, "guard"), filepath.Join(s.home, "guard")) // which a guard of another user would keep to itself
	checkPIN(turned, userPIN, ck.CKR_PIN_LOCKED)
	h.must("login", session, ck.CKU_SO, []byte(soPIN))
	h.must("init-pin", session, []byte("4321"))
	h.must("logout", session)
	checkPIN(s, "4321", ck.CKR_OK)
}
