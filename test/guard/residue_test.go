package guard_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// TestFailedImportsLeaveNothing: keys that are refused, for whatever reason and by whomever, are wiped as those are that are taken.
func TestFailedImportsLeaveNothing(t *testing.T) {
	t.Parallel()
	s, _ := newSite(t)
	s.newToken()
	k := testKeys()
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey := newEC(t)
	all := importedSecrets(t)
	maps.Copy(all, rsaSecrets("other RSA", other))
	all["other EC scalar"] = scalar(t, ecKey)
	swapped := *k.rsa // the numbers of one key, and a prime of another
	swapped.Primes = append(swapped.Primes[:1:1], other.Primes[1])
	wrongPoint := append(ecTemplate(t, ecKey), attr(ck.CKA_EC_POINT, append([]byte{4, 65, 4}, make([]byte, 64)...)))

	try := func(what string, h *host, session uint64) {
		for name, attributes := range map[string]template{
			"numbers that do not fit": rsaTemplate(&swapped),
			"a point that is another": wrongPoint,
			"an unknown attribute":    append(ecTemplate(t, k.ec), attr(0x7fffffff, 1)),
			"a repeated value":        append(edwardsTemplate(k.edwards), attr(ck.CKA_VALUE, k.edwards.Seed())),
			"a key of a wrong length": secretTemplate(ck.CKK_AES, k.aes[:31]),
		} {
			if rv, _ := h.try("create", session, append(kept("refused", true), attributes...)); rv == ck.CKR_OK {
				t.Errorf("%s: a key with %s is taken", what, name)
			}
		}
		scanMemory(t, h.pid, all).none(t, what)
	}
	h := s.host()
	session := h.user()
	try("refused", h, session)

	// The user is not logged in, then the guard hangs.
	h.must("logout", session)
	good := append(kept("refused", true), rsaTemplate(k.rsa)...)
	h.want(ck.CKR_USER_NOT_LOGGED_IN, "create", session, good)
	scanMemory(t, h.pid, all).none(t, "without a login")
	h.must("login", session, ck.CKU_USER, []byte(userPIN))
	guard := s.signalGuard(syscall.SIGSTOP)
	h.want(ck.CKR_DEVICE_ERROR, "create", session, good)
	if err := syscall.Kill(guard, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	scanMemory(t, h.pid, all).none(t, "after a guard that hangs")
}

// TestPINsAreNotKept: a program that has logged in holds no PIN that somebody could take from its memory, though it outlives its guard. Nor does one whose
// login failed, or that has changed a PIN.
func TestPINsAreNotKept(t *testing.T) {
	t.Parallel()
	s, _ := newSite(t)
	pins := secrets{}
	for _, name := range []string{"user PIN", "officer's PIN", "new PIN", "wrong PIN"} {
		b := make([]byte, 16)
		rand.Read(b)
		pins[name] = []byte(hex.EncodeToString(b))
	}
	s.newToken("--pin", string(pins["user PIN"]), "--so-pin", string(pins["officer's PIN"]))
	h := s.host()
	session := h.session()
	h.must("login", session, ck.CKU_USER, pins["user PIN"])
	key := h.importAll(session)["ec"]
	s.signalGuard(syscall.SIGKILL)
	h.signs(session, key, ways()[1])
	scanMemory(t, h.pid, pins).none(t, "logged in, with another guard than then")

	h.must("set-pin", session, pins["user PIN"], pins["new PIN"])
	h.must("logout", session)
	h.want(ck.CKR_PIN_INCORRECT, "login", session, ck.CKU_USER, pins["wrong PIN"])
	h.must("login", session, ck.CKU_SO, pins["officer's PIN"])
	h.must("init-pin", session, pins["user PIN"])
	h.must("logout", session)
	scanMemory(t, h.pid, pins).none(t, "after changes of PINs")
}

// TestNoKeyOnDisk: neither keys nor PINs stand in any file, be it the database, its log, the events or what the guard counts.
func TestNoKeyOnDisk(t *testing.T) {
	t.Parallel()
	s, _ := newSite(t)
	pin := bytes.Repeat([]byte("0123456789abcdef"), 2)
	s.newToken("--pin", string(pin))
	h := s.host()
	session := h.session()
	h.want(ck.CKR_PIN_INCORRECT, "login", session, ck.CKU_USER, pin[1:])
	h.must("login", session, ck.CKU_USER, pin)
	handles := h.importAll(session)
	checkUses(h, session, handles)
	all := importedSecrets(t)
	all["PIN"] = pin
	needles, found, files := all.needles(t), hits{}, 0
	err := filepath.WalkDir(s.home, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		needles.search(text, found)
		files++
		return err
	})
	if err != nil || files < 3 {
		t.Fatalf("%d files, %v", files, err)
	}
	found.none(t, "on disk")
}

// TestUncountedTries: where wrong PINs cannot be counted, none is tried.
func TestUncountedTries(t *testing.T) {
	t.Parallel()
	root(t)
	s := newSiteOf(t, owner, newTPM(t).Address())
	s.newToken()
	h := s.host()
	session := h.session()
	state := filepath.Join(s.home, "guard")
	if err := syscall.Chmod(state, 0o500); err != nil {
		t.Fatal(err)
	}
	h.want(ck.CKR_FUNCTION_FAILED, "login", session, ck.CKU_USER, []byte(userPIN))
	h.want(ck.CKR_FUNCTION_FAILED, "login", session, ck.CKU_USER, []byte("9999"))
	if err := syscall.Chmod(state, 0o700); err != nil {
		t.Fatal(err)
	}
	h.must("login", session, ck.CKU_USER, []byte(userPIN))
}
