package guard_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/swtpm"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// without are the ways to have no guard.
var without = map[string]func(*site){
	"no guard":           func(s *site) { s.guard = "none" },
	"no TPM":             func(s *site) { s.tpm = "none" },
	"a guard elsewhere":  func(s *site) { s.guard = "unix:" + filepath.Join(s.dir, "nobody") },
	"a TPM elsewhere":    func(s *site) { s.tpm = "swtpm:unix:" + filepath.Join(s.dir, "nothing") },
	"too weak a guard":   func(s *site) { s.configure(`min_isolation = "service"`) },
	"no program for one": func(s *site) { s.configure(`guard_program = "/nonexistent/ncrypt11"`) },
}

// TestVBSRequired: a token that must be guarded is not made, and one that is there not used, where there is no guard or no TPM. Nothing is written.
func TestVBSRequired(t *testing.T) {
	t.Parallel()
	for name, lose := range without {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := newSite(t)
			bare := newSiteOf(t, os.Getuid(), s.tpm)
			lose(bare)
			bare.refused([]string{"VBS is unavailable"}, initArgs()...)
			bare.refused([]string{"VBS is unavailable"}, "init", "--label", label, "--policy", "vbs-required", "--login", "none")
			if left := bare.tokenDirs(); len(left) != 0 {
				t.Errorf("%v are left of tokens that could not be made", left)
			}

			s.run("init", "--label", label, "--policy", "vbs-required", "--login", "none")
			maker := s.host()
			session := maker.session()
			maker.importAll(session)
			maker.end()
			s.stopGuards()
			before := files(t, s.home)
			lose(s)
			h := s.host()
			session = h.session()
			h.want(ck.CKR_FUNCTION_REJECTED, "create", session, append(kept("more", true), secretTemplate(ck.CKK_AES, testKeys().aes)...))
			h.want(ck.CKR_FUNCTION_REJECTED, "create", session, append(kept("more", false), secretTemplate(ck.CKK_AES, testKeys().aes)...))
			for _, c := range generations() {
				h.want(ck.CKR_FUNCTION_REJECTED, "pair", session, c.mechanism, append(kept("more", true), c.public...), "/", append(kept("more", true), attr(ck.CKA_SIGN, true)))
			}
			for _, w := range ways() {
				h.want(ck.CKR_FUNCTION_REJECTED, "sign-init", session, w.mechanism, h.find(session, w.name, ck.CKO_PRIVATE_KEY))
			}
			if found := h.must("find", session, attr(ck.CKA_LABEL, "more")); len(found) != 0 {
				t.Errorf("%d objects were made", len(found))
			}
			h.end()
			s.refused([]string{"VBS is unavailable"}, "generate", "p256", "--label", "more")
			s.refused([]string{"VBS is unavailable"}, "import", keyFile(t, newEC(t)), "--label", "more")
			if after := files(t, s.home); after != before {
				t.Errorf("on disk there was\n%s\nand is\n%s", before, after)
			}
			later := s.host()
			if found := later.must("find", later.session(), attr(ck.CKA_LABEL, "more")); len(found) != 0 {
				t.Errorf("%d objects were written", len(found))
			}
			later.end()
		})
	}
}

// files lists the token directories, but for the database's log.
func files(t *testing.T, home string) string {
	t.Helper()
	out, err := exec.Command("find", filepath.Join(home, "tokens"), "-type", "f", "!", "-name", "*-wal", "!", "-name", "*-shm", "-printf", "%P\n").Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestVBSPreferredStaysAsMade: what a token achieved when it was made is what it has for good.
func TestVBSPreferredStaysAsMade(t *testing.T) {
	t.Parallel()
	s, _ := newSite(t)
	guarded, software := []string{"--label", "as guarded", "--policy", "vbs-preferred"}, []string{"--policy", "vbs-preferred"}
	poor := *s
	poor.guard = "none"
	poor.newToken(software...)
	h := poor.host()
	session := h.user()
	for name, key := range h.importAll(session) {
		if h.is(session, key, ck.CKA_NCRYPT_ISOLATED) {
			t.Errorf("%s says that it is isolated", name)
		}
	}
	h.end()

	// Now there is a guard.
	h = s.host()
	session = h.user()
	h.signs(session, h.find(session, "ec", ck.CKO_PRIVATE_KEY), ways()[1])
	later := h.must("create", session, append(kept("later", true), secretTemplate(ck.CKK_AES, testKeys().aes)...)).number(0)
	if h.is(session, later, ck.CKA_NCRYPT_ISOLATED) {
		t.Error("a key of a software token says that it is isolated")
	}
	h.want(ck.CKR_FUNCTION_REJECTED, "create", session, append(kept("required", true), append(secretTemplate(ck.CKK_AES, testKeys().aes), attr(ck.CKA_NCRYPT_PROTECTION, 2))...))
	h.end()
	if n := len(s.guards()); n != 0 {
		t.Errorf("%d guards were started for a software token", n)
	}

	s.newToken(guarded...)
	if out := s.run("status"); !strings.Contains(out, "keys are isolated") {
		t.Fatalf("not guarded:\n%s", out)
	}
	poor.refused([]string{"VBS is unavailable"}, "list", "--token", "as guarded", "--pin", userPIN)
	s.run("list", "--token", "as guarded", "--pin", userPIN)
}

// TestPerBootKeysDie: after a reset of the TPM, keys that were for one boot are still listed, and of no use. What is public works on. The token can be
// made new.
func TestPerBootKeysDie(t *testing.T) {
	t.Parallel()
	boots := map[string]func(*testing.T, *site, *swtpm.TPM) *site{
		"the TPM is reset": func(t *testing.T, s *site, tpm *swtpm.TPM) *site {
			tpm.Reset()
			openTPM(t, tpm)
			return s
		},
		"the kernel has booted": func(t *testing.T, s *site, tpm *swtpm.TPM) *site {
			root(t)
			s.stopGuards()
			tpm.Reset()
			openTPM(t, tpm)
			return s.inAnotherBoot()
		},
		"the kernel has booted, and the TPM was not reset": func(t *testing.T, s *site, _ *swtpm.TPM) *site {
			root(t)
			s.stopGuards()
			return s.inAnotherBoot()
		},
	}
	for name, boot := range boots {
		for _, login := range []string{"pin", "none"} {
			t.Run(name+", login "+login, func(t *testing.T) {
				t.Parallel()
				s, tpm := newSite(t)
				args := []string{"init", "--label", label, "--policy", "vbs-required", "--login", login, "--lifetime", "per-boot", "--so-pin", soPIN}
				if login == "pin" {
					args = append(args, "--pin", userPIN)
				}
				s.run(args...)
				h := s.host()
				session := h.logIn(login)
				w := generations()[1]
				both := h.must("pair", session, w.mechanism, append(kept("key", true), w.public...), "/", append(kept("key", true), attr(ck.CKA_SIGN, true)))
				if !h.is(session, both.number(1), ck.CKA_NCRYPT_PER_BOOT) || !h.is(session, both.number(1), ck.CKA_NCRYPT_USABLE) {
					t.Error("the key is not per boot, or not usable")
				}
				signature := h.must("sign", session, w.signs, both.number(1), digest[:]).bytes(0)
				h.end()
				checkDead(boot(t, s, tpm), login, w, signature)
			})
		}
	}
}

// logIn is a session with the user logged in, on a token of either kind.
func (h *host) logIn(login string) uint64 {
	h.t.Helper()
	if login == "none" {
		return h.session()
	}
	return h.user()
}

func checkDead(s *site, login string, w generation, signature []byte) {
	s.t.Helper()
	h := s.host()
	session := h.logIn(login)
	private, public := h.find(session, "key", ck.CKO_PRIVATE_KEY), h.find(session, "key", ck.CKO_PUBLIC_KEY)
	if h.is(session, private, ck.CKA_NCRYPT_USABLE) {
		s.t.Error("the key says that it is usable")
	}
	h.want(ck.CKR_DEVICE_ERROR, "sign-init", session, w.signs, private)
	h.must("verify", session, w.signs, public, digest[:], signature)
	h.want(ck.CKR_DEVICE_ERROR, "pair", session, w.mechanism, append(kept("more", true), w.public...), "/", kept("more", true))
	h.must("close", session)
	h.must("init-token", h.token(), []byte(soPIN), []byte(label))
	session = h.must("open", h.token(), sessionFlags).number(0)
	h.must("login", session, ck.CKU_SO, []byte(soPIN))
	h.must("init-pin", session, []byte(userPIN))
	h.must("logout", session)
	h.must("login", session, ck.CKU_USER, []byte(userPIN))
	if left := h.must("find", session, attr(ck.CKA_LABEL, "key")); len(left) != 0 {
		s.t.Errorf("%d objects are left in a new token", len(left))
	}
	made := h.must("pair", session, w.mechanism, append(kept("key", true), w.public...), "/", append(kept("key", true), attr(ck.CKA_SIGN, true)))
	h.must("sign", session, w.signs, made.number(1), digest[:])
	h.end()
}

// inAnotherBoot is the same place after a boot: programs find another boot_id.
func (s *site) inAnotherBoot() *site {
	s.t.Helper()
	id := filepath.Join(s.dir, "boot_id")
	if err := os.WriteFile(id, []byte("01234567-89ab-cdef-0123-456789abcdef\n"), 0o444); err != nil {
		s.t.Fatal(err)
	}
	other := *s
	other.wrap = func(cmd *exec.Cmd) {
		script := `mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"`
		cmd.Args = append([]string{"sh", "-c", script, id, cmd.Path}, cmd.Args[1:]...)
		cmd.Path = "/bin/sh"
		cmd.SysProcAttr.Unshareflags = syscall.CLONE_NEWNS
	}
	return &other
}
