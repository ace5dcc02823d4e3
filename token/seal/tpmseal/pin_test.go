package tpmseal_test

import (
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/seal/tpmseal"
)

func TestWrongPIN(t *testing.T) {
	r := newRig(t)
	blob, other := r.sealed(pin("1234"), nil), r.sealed(pin("1234"), nil)
	for range 3 { // a right PIN between them, and none of the wrong ones counts any more
		for range limit - 1 {
			r.want("wrong PIN", blob, pin("1235"), seal.ErrAuth)
		}
		r.want("right PIN", blob, pin("1234"), nil)
	}
	for range limit {
		r.want("wrong PIN", blob, pin("1235"), seal.ErrAuth)
	}
	failures := r.soft.Failures()
	r.want("right PIN, too late", blob, pin("1234"), seal.ErrLocked)
	r.want("wrong PIN, too late", blob, pin("1235"), seal.ErrLocked)
	if n := r.soft.Failures(); n != failures {
		t.Errorf("%d PINs came to the TPM after the lock", n-failures)
	}
	r.want("another master key", other, pin("1234"), nil)

	another := tpmseal.New(r.open(), cheap, tpmseal.WithTries(r.tries, limit))
	wantFrom(t, another, "another guard", blob, pin("1234"), seal.ErrLocked)
}

// Without a count of its own, the sealer leaves it to the TPM.
func TestNoTries(t *testing.T) {
	r := newRig(t)
	s := tpmseal.New(r.tpm, cheap)
	blob := r.sealed(pin("1234"), nil)
	for range limit + 1 {
		wantFrom(t, s, "wrong PIN", blob, pin("1235"), seal.ErrAuth)
	}
	wantFrom(t, s, "right PIN", blob, pin("1234"), nil)
	if n := s.PINLimit(); n != 0 {
		t.Errorf("the limit is %d", n)
	}
}

func TestPINLimit(t *testing.T) {
	for _, test := range []struct{ configured, tpm, want int }{
		{10, 32, 10}, {10, 11, 10}, {10, 10, 9}, {10, 2, 1}, {10, 1, 1}, {0, 32, 1}, {-1, 32, 1},
	} {
		r := newRig(t)
		r.soft.Tolerate(uint32(test.tpm), 1000)
		s := tpmseal.New(r.tpm, tpmseal.WithTries(r.tries, test.configured))
		for range 2 {
			if got := s.PINLimit(); got != test.want {
				t.Errorf("configured %d, TPM %d: %d, want %d", test.configured, test.tpm, got, test.want)
			}
		}
		if n := r.tpm.Commands()["TPM2_GetCapability"]; n != 1 {
			t.Errorf("the TPM was asked %d times", n)
		}
	}
	absent, _ := tpmseal.Open("none")
	if got := tpmseal.New(absent, tpmseal.WithTries(nil, 7)).PINLimit(); got != 0 {
		t.Errorf("without a count: %d", got)
	}
	if got := tpmseal.New(absent, tpmseal.WithTries(tpmseal.FileTries(t.TempDir()), 7)).PINLimit(); got != 7 {
		t.Errorf("without a TPM: %d, want what is configured", got)
	}
}

// The limit is kept below the TPM's, whatever is configured.
func TestTokenLocksBeforeTPM(t *testing.T) {
	r := newRig(t)
	r.soft.Tolerate(3, 1000)
	blob, other := r.sealed(pin("1234"), nil), r.sealed(pin("1234"), nil)
	r.want("wrong PIN", blob, pin("1235"), seal.ErrAuth)
	r.want("wrong PIN", blob, pin("1235"), seal.ErrAuth)
	r.want("one too many", blob, pin("1235"), seal.ErrLocked)
	r.want("another token", other, pin("1234"), nil)
}

// Others' wrong PINs lock the TPM. That costs no try, and not those who have no PIN.
func TestLockout(t *testing.T) {
	r := newRig(t)
	r.soft.Tolerate(3, 1000)
	closed, open, fleeting := r.sealed(pin("1234"), nil), r.sealed(nil, nil), r.sealed(pin("1234"), perBoot)
	r.soft.Lockout(3)
	for range limit + 1 {
		err := r.want("right PIN", closed, pin("1234"), seal.ErrLocked)
		if text := err.Error(); !strings.Contains(text, "the TPM itself is locked out: wait up to 1000 s") || !strings.Contains(text, "tpm2_dictionarylockout -c") {
			t.Fatalf("it says %q", text)
		}
	}
	r.want("per-boot", fleeting, pin("1234"), seal.ErrLocked)
	r.want("without a PIN", open, nil, nil)
	r.want("sealed meanwhile", r.sealed(nil, perBoot), nil, nil)
	r.soft.ResetLockout()
	r.want("right PIN", closed, pin("1234"), nil)
}

// A PIN change does not take the key out of what was sealed under the old one, and FORMAT.md says so.
func TestOldPIN(t *testing.T) {
	r := newRig(t)
	old := r.sealed(pin("old"), nil)
	fresh := r.sealed(pin("new"), nil)
	r.want("new", fresh, pin("new"), nil)
	r.want("old PIN", fresh, pin("old"), seal.ErrAuth)
	r.want("rolled back", old, pin("old"), nil)
}
