package tpmseal_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/inject/attest"
	"github.com/ncrypt11/ncrypt11/test/swtpm"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

var (
	statement = []byte("what a guard says")
	sesame    = []byte("open sesame")
	nextYear  = time.Now().AddDate(1, 0, 0)
)

// attested attests the statement.
func (r *rig) attested() *seal.Attestation {
	r.Helper()
	a, err := r.Attest(statement)
	if err != nil {
		r.Fatal(err)
	}
	return a
}

// identity is whose attestation it is, as nobody is believed in advance.
func identity(t testing.TB, a *seal.Attestation) *attest.Identity {
	t.Helper()
	_, err := attest.Verify(statement, a, attest.Trust{})
	var unknown *attest.UntrustedError
	if !errors.As(err, &unknown) {
		t.Fatal(err)
	}
	return unknown.Identity
}

// credential makes one for sesame.
func credential(t testing.TB, a *seal.Attestation) (blob, encrypted []byte) {
	t.Helper()
	blob, encrypted, err := attest.MakeCredential(a, sesame)
	if err != nil {
		t.Fatal(err)
	}
	return blob, encrypted
}

// opens checks that the TPM opens a credential of the attestation's.
func (r *rig) opens(what string, a *seal.Attestation) {
	r.Helper()
	got, err := r.Activate(credential(r, a))
	if err != nil || !got.Equal(sesame) {
		r.Fatalf("%s: %v", what, err)
	}
}

// The way of an attestation, with no certificate, one for RSA, and one for each kind, of which the one on P-256 is taken.
func TestAttest(t *testing.T) {
	r := newRig(t)
	maker := swtpm.NewMaker(t, "maker", nextYear)
	bare := r.attested()
	id := identity(t, bare)
	if len(bare.EKCertificates) != 0 {
		t.Error("certificates, where there are none")
	}
	for _, by := range [][32]byte{id.EKFingerprint, id.AKFingerprint} {
		if _, err := attest.Verify(statement, bare, attest.Trust{Fingerprints: [][32]byte{by}}); err != nil {
			t.Error(err)
		}
	}
	r.opens("no certificate", bare)
	for _, kind := range []string{"rsa", "ecc"} {
		r.soft.Endorse(maker, kind)
		a := r.attested()
		got, err := attest.Verify(statement, a, attest.Trust{EKRoots: maker.Roots()})
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if got.AKFingerprint != id.AKFingerprint || (got.EKFingerprint == id.EKFingerprint) != (kind == "ecc") || got.Manufacturer != "INTC" || len(a.EKCertificates) != 2 {
			t.Errorf("%s: %+v, %d certificates", kind, got, len(a.EKCertificates))
		}
		if info, err := r.tpm.Info(); err != nil || info.Firmware != got.Firmware {
			t.Errorf("its firmware is %+v, %v, and in its attestation %s", info, err, got.Firmware)
		}
		r.opens(kind, a)
		r.soft.RemoveNV(swtpm.IssuersOfThem)
	}
}

// A TPM as its makers' tools leave it: certificates and keys made by others.
func TestManufactured(t *testing.T) {
	r := newRig(t)
	root, issuer := r.soft.Manufacture()
	trust := attest.Trust{EKRoots: x509.NewCertPool()}
	trust.EKRoots.AddCert(root)
	a := r.attested()
	var unknown *attest.UntrustedError
	if _, err := attest.Verify(statement, a, trust); !errors.As(err, &unknown) {
		t.Fatalf("without its issuer: %v", err)
	}
	trust.EKRoots.AddCert(issuer)
	id, err := attest.Verify(statement, a, trust)
	if err != nil || id.Manufacturer != "id:00001014" || id.Model != "swtpm" {
		t.Fatalf("%+v, %v", id, err)
	}
	// The key is persistent: nothing but the two that sign is made.
	if spent := r.spent(func() { r.attested() }); spent["TPM2_CreatePrimary"] != 2 {
		t.Errorf("an attestation took %v", spent)
	}
	if spent := r.spent(func() { r.opens("the persistent key", a) }); spent["TPM2_CreatePrimary"] != 1 {
		t.Errorf("a credential took %v", spent)
	}
	// An owner who puts another key there gains nothing.
	r.soft.Tool("tpm2_evictcontrol", "-Q", "-C", "o", "-c", "0x81010001")
	r.opens("the key is gone", r.attested())
	r.soft.Tool("tpm2_createprimary", "-Q", "-C", "o", "-G", "rsa2048:null:aes128cfb", "-c", "other.ctx", "-a", "fixedtpm|fixedparent|sensitivedataorigin|adminwithpolicy|restricted|decrypt",
		"-L", policyFile(t))
	r.soft.Tool("tpm2_evictcontrol", "-Q", "-C", "o", "-c", "other.ctx", "0x81010001")
	r.soft.Flush()
	if again := r.attested(); identity(t, again).EKFingerprint != id.EKFingerprint {
		t.Error("an owner's key is taken for the endorsement key")
	}
	r.opens("an owner's key", a)
}

// The same TPM has the same keys, after a reboot and after the owner cleared it; another has others.
func TestSameKeys(t *testing.T) {
	r := newRig(t)
	first := r.attested()
	id := identity(t, first)
	r.soft.Reset()
	if again := identity(t, r.attested()); *again != *id {
		t.Errorf("after a reboot: %+v, %+v", again, id)
	}
	r.opens("after a reboot", first)
	r.soft.Clear()
	if again := identity(t, r.attested()); *again != *id {
		t.Errorf("cleared: %+v, %+v", again, id)
	}
	r.opens("cleared", first)
	r.soft.Tool("tpm2_changeeps", "-Q")
	if again := identity(t, r.attested()); again.EKFingerprint == id.EKFingerprint || again.AKFingerprint == id.AKFingerprint {
		t.Error("another endorsement seed, and the same keys")
	}
}

// What is for another TPM, or for another attestation key than this TPM's, stays shut.
func TestForeignCredential(t *testing.T) {
	r := newRig(t)
	maker := swtpm.NewMaker(t, "maker", nextYear)
	for _, kind := range []string{"ecc", "rsa"} {
		other := newRig(t)
		other.soft.Endorse(maker, kind)
		foreign := other.attested()
		if kind == "rsa" {
			r.soft.Endorse(maker, kind)
		}
		mine := r.attested()
		mixed := *mine
		mixed.AKPublic = foreign.AKPublic
		for name, a := range map[string]*seal.Attestation{"another TPM": foreign, "another attestation key": &mixed} {
			got, err := r.Activate(credential(t, a))
			if got != nil || !errors.Is(err, seal.ErrForeign) || ck.Code(err) != ck.CKR_ENCRYPTED_DATA_INVALID {
				t.Errorf("%s, %s: %v", kind, name, err)
			}
		}
		r.opens(kind, mine)
	}
}

// An impostor of software has a genuine endorsement key to show, whose certificate is believed. Nobody opens what is encrypted to it.
func TestImpostor(t *testing.T) {
	r, other := newRig(t), newRig(t)
	maker := swtpm.NewMaker(t, "maker", nextYear)
	r.soft.Endorse(maker, "ecc")
	mine, impostor := r.attested(), *other.attested()
	impostor.EKPublic, impostor.EKCertificates = mine.EKPublic, mine.EKCertificates
	id, err := attest.Verify(statement, &impostor, attest.Trust{EKRoots: maker.Roots()})
	if err != nil || !id.EKTrusted || id.AKTrusted {
		t.Fatalf("%+v, %v", id, err)
	}
	blob, encrypted := credential(t, &impostor)
	for name, tpm := range map[string]*rig{"the TPM whose key is shown": r, "the impostor": other} {
		if _, err := tpm.Activate(blob, encrypted); !errors.Is(err, seal.ErrForeign) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Any credential that was altered stays shut.
func TestDamagedCredential(t *testing.T) {
	r := newRig(t)
	a := r.attested()
	blob, encrypted := credential(t, a)
	refused := func(what string, at int, blob, encrypted []byte) {
		t.Helper()
		_, err := r.Activate(blob, encrypted)
		if !errors.Is(err, seal.ErrDamaged) && !errors.Is(err, seal.ErrForeign) || ck.Code(err) != ck.CKR_ENCRYPTED_DATA_INVALID {
			t.Errorf("%s at %d: %v", what, at, err)
		}
	}
	for name, part := range map[string]*[]byte{"blob": &blob, "encrypted": &encrypted} {
		whole := *part
		for at := range whole {
			altered := bytes.Clone(whole)
			altered[at] ^= 1 << (at % 8)
			*part = altered
			refused(name, at, blob, encrypted)
		}
		for _, at := range []int{0, 1, 2, 3, len(whole) - 1} {
			*part = whole[:at]
			refused(name+" cut", at, blob, encrypted)
		}
		*part = append(bytes.Clone(whole), 0)
		refused(name+" longer", len(whole), blob, encrypted)
		*part = whole
	}
	random := make([]byte, 2+256)
	rand.Read(random)
	random[0], random[1] = 1, 0
	refused("noise for RSA", 0, blob, random)
	refused("the credential of a giant", 0, slices.Concat([]byte{0, 34 + 2 + 33, 0, 32}, make([]byte, 32+2+33)), encrypted)
	r.opens("unaltered", a)
}

// An endorsement hierarchy with a password keeps both from everybody.
func TestEndorsementPassword(t *testing.T) {
	r := newRig(t)
	a := r.attested()
	blob, encrypted := credential(t, a)
	r.soft.Tool("tpm2_changeauth", "-Q", "-c", "endorsement", "geheim")
	_, err := r.Attest(statement)
	_, also := r.Activate(blob, encrypted)
	for _, err := range []error{err, also} {
		if ck.Code(err) != ck.CKR_FUNCTION_REJECTED || !strings.Contains(err.Error(), "the endorsement hierarchy has a password") {
			t.Error(err)
		}
	}
	r.want("sealing goes on", r.sealed(pin("1234"), nil), pin("1234"), nil)
	r.soft.Tool("tpm2_changeauth", "-Q", "-c", "endorsement", "-p", "geheim")
	r.opens("the password is gone", a)
}

// A key that others made for RSA is no endorsement key of this TPM.
func TestSoftwareKey(t *testing.T) {
	r := newRig(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	maker := swtpm.NewMaker(t, "maker", nextYear)
	r.soft.WriteNV(swtpm.RSACertificate, maker.Certify(t, &key.PublicKey, nil).Raw, "")
	if a := r.attested(); len(a.EKCertificates) != 0 {
		t.Error("a certificate for another key is shown")
	}
}
