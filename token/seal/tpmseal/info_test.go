package tpmseal_test

import (
	"errors"
	"regexp"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/seal/tpmseal"
)

func TestInfo(t *testing.T) {
	r := newRig(t)
	r.soft.Tolerate(5, 600)
	r.soft.Lockout(2)
	info, err := r.tpm.Info()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ got, like string }{
		"manufacturer": {info.Manufacturer, `^IBM$`},
		"vendor":       {info.Vendor, `^SW *TPM$`},
		"firmware":     {info.Firmware, `^\d+\.\d+\.\d+\.\d+$`},
		"revision":     {info.Revision, `^1\.\d\d$`},
		"storage key":  {info.StorageKey, `^none$`},
	} {
		if !regexp.MustCompile(test.like).MatchString(test.got) {
			t.Errorf("%s: %q, want %s", name, test.got, test.like)
		}
	}
	if info.Failures != 2 || info.MaxFailures != 5 || info.LockedOut || info.ForgiveEvery != 600*time.Second || info.Recovery != 600*time.Second {
		t.Errorf("%+v", info)
	}
	r.soft.Lockout(3)
	if info, err = r.tpm.Info(); err != nil || !info.LockedOut {
		t.Errorf("locked out: %+v, %v", info, err)
	}
	none, _ := tpmseal.Open("none")
	if _, err := none.Info(); !errors.Is(err, seal.ErrAbsent) {
		t.Errorf("none: %v", err)
	}
}
