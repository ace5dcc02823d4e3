package tpmseal_test

import (
	"errors"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/inject/attest"
	"github.com/ncrypt11/ncrypt11/test/swtpm"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

var statement = []byte("what a guard says")

// attested attests the statement.
func (r *rig) attested() *seal.Attestation {
	r.Helper()
	start := time.Now()
	a, err := r.Attest(statement)
	if err != nil {
		r.Fatal(err)
	}
	r.Logf("Attest took %v", time.Since(start))
	return a
}

// known gives the identity of the TPM that attested, and a trust in it by both fingerprints.
func known(t testing.TB, a *seal.Attestation) (*attest.Identity, attest.Trust) {
	t.Helper()
	_, err := attest.Verify(statement, a, attest.Trust{})
	var unknown *attest.UntrustedError
	if !errors.As(err, &unknown) {
		t.Fatal(err)
	}
	return unknown.Identity, attest.Trust{Fingerprints: [][32]byte{unknown.Identity.EKFingerprint, unknown.Identity.AKFingerprint}}
}

var nextYear = time.Now().AddDate(1, 0, 0)

func TestAttest(t *testing.T) {
	r := newRig(t)
	maker := swtpm.NewMaker(t, "maker", nextYear)
	trust := attest.Trust{EKRoots: maker.Roots()}
	bare := r.attested()
	if len(bare.EKCertificates) != 0 {
		t.Error("certificates, where there are none")
	}
	for _, kind := range []string{"rsa", "ecc"} { // where there are both, it is ecc
		if kind == "ecc" {
			r.soft.RemoveNV(swtpm.IssuersOfThem)
		}
		r.soft.Endorse(maker, kind)
		a := r.attested()
		id, err := attest.Verify(statement, a, trust)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if !id.EKTrusted || id.AKTrusted || id.Manufacturer != "INTC" || id.Model != "Model 7" || id.Version != "id:00070002" || len(a.EKCertificates) != 2 {
			t.Errorf("%s: %+v, %d certificates", kind, id, len(a.EKCertificates))
		}
		blob, encrypted, err := attest.MakeCredential(a, []byte("open sesame"))
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		opened, err := r.Activate(blob, encrypted)
		if err != nil || !opened.Equal([]byte("open sesame")) {
			t.Fatalf("%s: %v", kind, err)
		}
		t.Logf("Activate by %s took %v", kind, time.Since(start))
	}
}
