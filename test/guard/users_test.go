package guard_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// The users of a machine's token.
const (
	keeper   = 12340 // whom the guard runs as, unless that is root
	owner    = 12345 // who has a token of his own
	listed   = 12346 // who is on its access list
	member   = 12347 // who is in a group on its access list
	stranger = 12348
	staff    = 23456 // the group
)

// machine is a machine with a guard for all users, and a user's home that all can read. Tokens of the machine are root's.
func machine(t *testing.T, keeper, user int) *site {
	t.Helper()
	root(t)
	tpm := newTPM(t)
	guard := newSiteOf(t, keeper, tpm.Address())
	s := newSiteOf(t, user, "none") // users need no TPM: the guard has it
	s.guard = guard.serve()
	if keeper != user {
		s.configure(`min_isolation = "service"`)
	}
	return s
}

// TestMachineToken: the guard lets in whom the access list names, by what the kernel says of them, and nobody else, whatever they bring along.
func TestMachineToken(t *testing.T) {
	t.Parallel()
	for who, keeper := range map[string]int{"a guard of root's": 0, "a guard with a user of its own": keeper} {
		for _, login := range []string{"pin", "none"} {
			t.Run(who+", login "+login, func(t *testing.T) {
				t.Parallel()
				s := machine(t, keeper, 0)
				args := []string{
					"init", "--label", label, "--policy", "vbs-required", "--login", login, "--scope", "machine",
					"--allow", "user:" + strconv.Itoa(listed), "--allow", "group:" + strconv.Itoa(staff),
				}
				if login == "pin" {
					args = append(args, "--pin", userPIN, "--so-pin", soPIN)
				}
				s.run(args...)
				maker := s.host()
				maker.importAll(maker.logIn(login))
				maker.end()
				for _, user := range []*site{s, s.as(listed), s.as(member, staff)} {
					uses(user, login)
				}
				isRefused(s.as(stranger), login)
				isRefused(s.as(stranger, stranger, keeperGroup), login)
				isRefused(copied(s, stranger), login)
				reads(s.as(listed))
				if login == "pin" {
					lockOut(s.as(stranger))
					lockOut(copied(s, stranger))
				}
				uses(s.as(listed), login)
			})
		}
	}
}

// keeperGroup is a group that nobody has named.
const keeperGroup = 23457

// uses signs as a user who may.
func uses(s *site, login string) {
	s.t.Helper()
	h := s.host()
	session := h.logIn(login)
	for _, w := range ways() {
		h.signs(session, h.find(session, w.name, ck.CKO_PRIVATE_KEY), w)
	}
	h.end()
}

// isRefused tries all that a user can try who may not.
func isRefused(s *site, login string) {
	s.t.Helper()
	h := s.host()
	session := h.session()
	if login == "pin" {
		h.want(ck.CKR_ACTION_PROHIBITED, "login", session, ck.CKU_USER, []byte(userPIN))
		h.want(ck.CKR_ACTION_PROHIBITED, "login", session, ck.CKU_USER, []byte("9999"))
		h.want(ck.CKR_ACTION_PROHIBITED, "login", session, ck.CKU_SO, []byte(soPIN))
	} else {
		for _, w := range ways() {
			h.want(ck.CKR_ACTION_PROHIBITED, "sign-init", session, w.mechanism, h.find(session, w.name, ck.CKO_PRIVATE_KEY))
		}
		rv, _ := h.try("create", session, append(kept("more", true), secretTemplate(ck.CKK_AES, testKeys().aes)...))
		oneOf(s.t, "a new key", rv, []ck.RV{ck.CKR_ACTION_PROHIBITED, ck.CKR_TOKEN_WRITE_PROTECTED})
	}
	h.end()
}

// lockOut tries PINs until those of others would be locked, if they were counted.
func lockOut(s *site) {
	s.t.Helper()
	h := s.host()
	session := h.session()
	for range 12 {
		h.want(ck.CKR_ACTION_PROHIBITED, "login", session, ck.CKU_USER, []byte("9999"))
	}
	h.end()
}

// copied is a home of a user's own with all that is in another.
func copied(s *site, uid int) *site {
	s.t.Helper()
	own := newSiteOf(s.t, uid, s.tpm)
	own.guard = s.guard
	for _, args := range [][]string{{"cp", "-a", s.home + "/.", own.home}, {"chown", "-R", strconv.Itoa(uid), own.home}} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			s.t.Fatalf("%v\n%s", err, out)
		}
	}
	return own
}

// reads checks that a user of the token can write nothing of it.
func reads(s *site) {
	s.t.Helper()
	for _, dir := range s.tokenDirs() {
		cmd := s.program("host")
		cmd.Path, cmd.Args = "/usr/bin/find", []string{"find", dir, "-writable"}
		out, err := cmd.Output()
		if err != nil || len(out) != 0 {
			s.t.Errorf("user %d may write to %s: %v", s.uid, out, err)
		}
	}
}

// TestUserToken: what a user has made for himself is of no use to another, not even with the files and the PIN.
func TestUserToken(t *testing.T) {
	t.Parallel()
	s := machine(t, keeper, owner)
	s.newToken()
	h := s.host()
	h.importAll(h.user())
	h.end()
	uses(s, "pin")
	isRefused(copied(s, stranger), "pin")
	uses(copied(s, owner), "pin")
}

// TestListsAreTheGuards: what a token's files say of its access list is shown, and not obeyed.
func TestListsAreTheGuards(t *testing.T) {
	t.Parallel()
	s := machine(t, keeper, 0)
	s.run("init", "--label", label, "--policy", "vbs-required", "--login", "none", "--scope", "machine", "--allow", "user:"+strconv.Itoa(listed))
	h := s.host()
	h.importAll(h.session())
	h.must("finalize") // which leaves the log empty
	h.end()
	forged := copied(s, stranger)
	databases, err := filepath.Glob(filepath.Join(forged.home, "machine", "*", "*.db"))
	if err != nil || len(databases) != 1 {
		t.Fatalf("databases %v, %v", databases, err)
	}
	text, err := os.ReadFile(databases[0])
	if err != nil {
		t.Fatal(err)
	}
	changed := replaced(text, "user:"+strconv.Itoa(listed), "user:"+strconv.Itoa(stranger))
	if changed == nil {
		t.Fatal("the access list is not in the file")
	}
	if err := os.WriteFile(databases[0], changed, 0o600); err != nil {
		t.Fatal(err)
	}
	isRefused(forged, "none")
}

// replaced gives nil where there is nothing to replace.
func replaced(b []byte, old, by string) []byte {
	text := string(b)
	for i := 0; i+len(old) <= len(text); i++ {
		if text[i:i+len(old)] == old {
			return []byte(text[:i] + by + text[i+len(old):])
		}
	}
	return nil
}

// TestOwnGuardIsOnesOwn: a guard that a user's programs have started serves nobody else, and what it writes is for nobody else to read.
func TestOwnGuardIsOnesOwn(t *testing.T) {
	t.Parallel()
	root(t)
	s := newSiteOf(t, owner, newTPM(t).Address())
	s.newToken()
	h := s.host()
	h.importAll(h.user())
	theirs := copied(s, stranger)
	theirs.guard = "unix:" + filepath.Join(s.home, "guard.sock")
	other := theirs.host()
	other.want(ck.CKR_FUNCTION_REJECTED, "login", other.session(), ck.CKU_USER, []byte(userPIN))
	other.end()
	for _, name := range []string{"guard.sock", "guard", "log", "tokens"} {
		info, err := os.Stat(filepath.Join(s.home, name))
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			t.Errorf("%s has mode %04o", name, mode)
		}
	}
	h.end()
}
