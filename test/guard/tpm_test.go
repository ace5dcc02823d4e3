package guard_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/test/swtpm"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// TestLoginAloneNeedsTPM: a login is one TPM2_Unseal; what is done with keys afterwards does not reach the TPM.
func TestLoginAloneNeedsTPM(t *testing.T) {
	t.Parallel()
	tpm := newTPM(t)
	p, address := newProxy(t, tpm)
	s := newSiteOf(t, 0, address)
	s.newToken()
	h := s.host()
	session := h.user()
	handles := h.importAll(session)
	if all, _ := p.during(func() { checkUses(h, session, handles) }); all != 0 {
		t.Errorf("keys in use: %d commands reach the TPM", all)
	}
	if all, _ := p.during(func() { h.must("sign-often", session, ck.CKM_ECDSA, handles["ec"], digest[:], 500) }); all != 0 {
		t.Errorf("500 signatures: %d commands reach the TPM", all)
	}
	h.must("logout", session)
	all, unseals := p.during(func() { h.must("login", session, ck.CKU_USER, []byte(userPIN)) })
	if unseals != 1 {
		t.Errorf("a login: %d TPM2_Unseal", unseals)
	}
	t.Logf("a login: %d commands", all)
	all, unseals = p.during(func() { other := s.host(); other.user() })
	if unseals != 1 {
		t.Errorf("another program's login: %d TPM2_Unseal", unseals)
	}
	t.Logf("another program's login: %d commands", all)
	if all, _ := p.during(func() { h.signs(session, h.find(session, "rsa", ck.CKO_PRIVATE_KEY), ways()[0]) }); all != 0 {
		t.Errorf("a signature: %d commands reach the TPM", all)
	}
}

// fault is something that happens to a TPM.
type fault struct {
	name  string
	cause func(*swtpm.TPM)
	// What a login and a new token get meanwhile, by codes and by words of the one line on standard error.
	login []ck.RV
	words string
	// What ends it, and whether the token is then as it was.
	mend  func(*testing.T, *swtpm.TPM)
	heals bool
	// A new token can be made all the same.
	harmless bool
}

var faults = []fault{
	{
		name: "stopped", cause: (*swtpm.TPM).Stop, login: []ck.RV{ck.CKR_FUNCTION_REJECTED, ck.CKR_DEVICE_REMOVED}, words: "TPM",
		mend: func(t *testing.T, tpm *swtpm.TPM) { tpm.Start(); openTPM(t, tpm) }, heals: true,
	},
	{
		name: "killed", cause: (*swtpm.TPM).Kill, login: []ck.RV{ck.CKR_FUNCTION_REJECTED, ck.CKR_DEVICE_REMOVED}, words: "TPM",
		mend: func(t *testing.T, tpm *swtpm.TPM) { tpm.Start(); openTPM(t, tpm) }, heals: true,
	},
	{
		name: "hanging", cause: (*swtpm.TPM).Pause, login: []ck.RV{ck.CKR_FUNCTION_REJECTED, ck.CKR_DEVICE_REMOVED, ck.CKR_FUNCTION_FAILED, ck.CKR_DEVICE_ERROR}, words: "TPM",
		mend: func(_ *testing.T, tpm *swtpm.TPM) { tpm.Continue() }, heals: true,
	},
	{
		name: "reset", cause: (*swtpm.TPM).Reset, login: []ck.RV{ck.CKR_OK},
		mend: func(*testing.T, *swtpm.TPM) {}, heals: true, harmless: true,
	},
	{
		name: "cleared", cause: (*swtpm.TPM).Clear, login: []ck.RV{ck.CKR_DEVICE_ERROR}, words: "another TPM",
		mend: func(*testing.T, *swtpm.TPM) {}, harmless: true,
	},
	{
		name: "replaced", cause: (*swtpm.TPM).Replace, login: []ck.RV{ck.CKR_DEVICE_ERROR}, words: "another TPM",
		mend: func(*testing.T, *swtpm.TPM) {}, harmless: true,
	},
	{
		name: "locked", cause: func(tpm *swtpm.TPM) { tpm.Lockout(40) }, login: []ck.RV{ck.CKR_PIN_LOCKED}, words: "locked",
		mend: func(_ *testing.T, tpm *swtpm.TPM) { tpm.ResetLockout() }, heals: true,
	},
	{
		name: "not started", cause: (*swtpm.TPM).PowerCycle, login: []ck.RV{ck.CKR_OK}, // a software TPM has no firmware that would
		mend: func(*testing.T, *swtpm.TPM) {}, heals: true, harmless: true,
	},
}

// TestTPMFaults: who is logged in goes on; who logs in, or makes a token, is told what is wrong; nothing is written; and when the TPM is back, so are
// the keys.
func TestTPMFaults(t *testing.T) {
	t.Parallel()
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			s, tpm := newSite(t)
			s.newToken()
			before := s.host()
			session := before.user()
			handles := before.importAll(session)
			f.cause(tpm)
			if f.harmless {
				openTPM(t, tpm)
			}
			for _, w := range ways() {
				before.signs(session, handles[w.name], w)
			}
			f.check(t, s)
			f.mend(t, tpm)
			f.afterwards(t, s)
			before.signs(session, handles["rsa"], ways()[0])
			before.end()
		})
	}
}

// check tries to use the TPM as it is.
func (f *fault) check(t *testing.T, s *site) {
	t.Helper()
	h := s.host()
	session := h.session()
	start := time.Now()
	rv, _ := h.try("login", session, ck.CKU_USER, []byte(userPIN))
	oneOf(t, "a login", rv, f.login)
	if took := time.Since(start); took > 70*time.Second {
		t.Errorf("a login took %v", took)
	}
	if rv != ck.CKR_OK {
		out, err := s.try("list", "--token", label, "--pin", userPIN)
		if err == nil || !strings.Contains(out, f.words) || strings.Count(out, "\n") != 1 {
			t.Errorf("the command line does not say in one line that it is about %q: %v\n%s", f.words, err, out)
		}
		t.Logf("%v: %s", rv, out)
	}
	if f.harmless {
		return
	}
	dirs := len(s.tokenDirs())
	s.refused([]string{f.words}, "init", "--label", "second", "--policy", "vbs-required", "--login", "pin", "--pin", userPIN, "--so-pin", soPIN)
	if now := s.tokenDirs(); len(now) != dirs {
		t.Errorf("a token that could not be made has left %v", now)
	}
}

func oneOf(t *testing.T, what string, got ck.RV, want []ck.RV) {
	t.Helper()
	for _, rv := range want {
		if got == rv {
			return
		}
	}
	t.Errorf("%s: %v, want %v", what, got, want)
}

// afterwards logs in when all is well again.
func (f *fault) afterwards(t *testing.T, s *site) {
	t.Helper()
	if f.heals {
		eventually(t, "a login", func() bool {
			h := s.host()
			session := h.session()
			rv, _ := h.try("login", session, ck.CKU_USER, []byte(userPIN))
			if rv == ck.CKR_OK {
				h.signs(session, h.find(session, "ec", ck.CKO_PRIVATE_KEY), ways()[1])
			}
			h.end()
			return rv == ck.CKR_OK
		})
		return
	}
	// What is lost here may be found elsewhere: C_InitToken destroys nothing, because no PIN can be checked. Who may remove the directory may do so.
	h := s.host()
	session := h.session()
	h.must("close", session)
	h.want(ck.CKR_DEVICE_ERROR, "init-token", h.token(), []byte(soPIN), []byte(label))
	h.end()
	s.run("init", "--label", "second", "--policy", "vbs-required", "--login", "none")
}

// TestTPMBreaksOff: the connection breaks at each command of a login, and an answer is forged at each. The next login is as if nothing had been.
func TestTPMBreaksOff(t *testing.T) {
	t.Parallel()
	tpm := newTPM(t)
	p, address := newProxy(t, tpm)
	s := newSiteOf(t, 0, address)
	s.newToken()
	h := s.host()
	session := h.user()
	h.importAll(session)
	h.must("logout", session)
	steps, _ := p.during(func() { h.must("login", session, ck.CKU_USER, []byte(userPIN)) })
	h.must("logout", session)
	for _, act := range []action{drop, mangle} {
		for at := range steps {
			n := 0
			p.interfere(func(uint32) action {
				if n++; n == at+1 {
					return act
				}
				return pass
			})
			rv, _ := h.try("login", session, ck.CKU_USER, []byte(userPIN))
			if act == mangle {
				// With a forged nonce the TPM takes the right PIN for a wrong one.
				oneOf(t, "a login with a forged answer", rv, []ck.RV{ck.CKR_OK, ck.CKR_DEVICE_ERROR, ck.CKR_DEVICE_REMOVED, ck.CKR_FUNCTION_FAILED, ck.CKR_PIN_INCORRECT})
			} else {
				oneOf(t, "a login that is broken off", rv, []ck.RV{ck.CKR_OK, ck.CKR_DEVICE_REMOVED, ck.CKR_DEVICE_ERROR})
			}
			p.interfere(nil)
			if rv != ck.CKR_OK {
				h.must("login", session, ck.CKU_USER, []byte(userPIN))
			}
			h.must("logout", session)
		}
	}
	if n := tpm.Failures(); n > 1 {
		t.Errorf("the TPM counts %d wrong PINs", n)
	}
}

// TestInitBreaksOff: the TPM goes away at each command of making a token. There is a token then, or nothing.
func TestInitBreaksOff(t *testing.T) {
	t.Parallel()
	tpm := newTPM(t)
	p, address := newProxy(t, tpm)
	s := newSiteOf(t, 0, address)
	s.newToken("--label", "other")
	steps, _ := p.during(func() { s.newToken("--label", "third") })
	t.Logf("making a token: %d commands", steps)
	step := max(1, steps/count{6, 1000}.n())
	for at := 0; at < steps; at += step {
		left := at
		p.interfere(func(uint32) action {
			if left--; left < 0 {
				return drop
			}
			return pass
		})
		before := len(s.tokenDirs())
		_, err := s.try(initArgs()...)
		p.interfere(nil)
		// For a second the guard believes that there is no TPM.
		eventually(t, "the other token can be used", func() bool {
			_, err := s.try("list", "--token", "other", "--pin", userPIN)
			return err == nil
		})
		if err == nil { // the last command is but a TPM2_FlushContext, and the guard knew some answers already
			s.run("list", "--token", label, "--pin", userPIN)
			return
		}
		if now := s.tokenDirs(); len(now) != before {
			t.Errorf("command %d: what could not be made has left %v", at, now)
		}
	}
	s.newToken()
}

// TestGuardDiesAtTPM: the guard is killed while the TPM works for it. The call ends, and the TPM counts no wrong PIN.
func TestGuardDiesAtTPM(t *testing.T) {
	t.Parallel()
	s, tpm := newSite(t)
	s.newToken()
	h := s.host()
	session := h.user()
	h.importAll(session)
	h.must("logout", session)
	tpm.Pause()
	time.AfterFunc(300*time.Millisecond, s.killGuards)
	time.AfterFunc(600*time.Millisecond, func() { tpm.Continue() })
	rv, _ := h.try("login", session, ck.CKU_USER, []byte(userPIN))
	oneOf(t, "a login", rv, []ck.RV{ck.CKR_OK, ck.CKR_DEVICE_ERROR, ck.CKR_FUNCTION_REJECTED})
	if rv == ck.CKR_OK {
		h.must("logout", session)
	}
	h.must("login", session, ck.CKU_USER, []byte(userPIN))
	h.signs(session, h.find(session, "rsa", ck.CKO_PRIVATE_KEY), ways()[0])
	s.signalGuard(syscall.SIGTERM)
	if n := tpm.Failures(); n > 1 {
		t.Errorf("the TPM counts %d wrong PINs", n)
	}
}
