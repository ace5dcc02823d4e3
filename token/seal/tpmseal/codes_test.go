package tpmseal

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"

	"github.com/ncrypt11/ncrypt11/inject/attest"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// script answers with one TPM_RC after the other, and with the last for ever.
type script struct {
	codes []uint32
	asked int
}

func (s *script) exchange([]byte, time.Duration) ([]byte, error) {
	code := s.codes[min(s.asked, len(s.codes)-1)]
	s.asked++
	return binary.BigEndian.AppendUint32([]byte{0x80, 1, 0, 0, 0, 10}, code), nil
}

func (s *script) Close() error { return nil }

// Numbers as TPMs give them, with the parameter, handle or session that they are about.
func TestCodes(t *testing.T) {
	for _, test := range []struct {
		command tpm2.TPMCC
		rc      tpm2.TPMRC
		rv      ck.RV
		is      error
	}{
		{tpm2.TPMCCUnseal, 0x98E, ck.CKR_PIN_INCORRECT, seal.ErrAuth},
		{tpm2.TPMCCUnseal, 0x9A2, ck.CKR_PIN_INCORRECT, seal.ErrAuth},
		{tpm2.TPMCCLoad, 0x98E, ck.CKR_DEVICE_ERROR, nil},
		{tpm2.TPMCCCreatePrimary, 0x9A2, ck.CKR_DEVICE_ERROR, tpm2.TPMRCBadAuth},
		{tpm2.TPMCCPolicySecret, 0x9A2, ck.CKR_FUNCTION_REJECTED, tpm2.TPMRCBadAuth},
		{tpm2.TPMCCActivateCredential, 0x1DF, ck.CKR_ENCRYPTED_DATA_INVALID, seal.ErrForeign},
		{tpm2.TPMCCActivateCredential, 0x2C4, ck.CKR_ENCRYPTED_DATA_INVALID, seal.ErrForeign},
		{tpm2.TPMCCActivateCredential, 0x101, ck.CKR_ENCRYPTED_DATA_INVALID, seal.ErrForeign},
		{tpm2.TPMCCActivateCredential, 0x2D5, ck.CKR_ENCRYPTED_DATA_INVALID, seal.ErrDamaged},
		{tpm2.TPMCCActivateCredential, 0x2DA, ck.CKR_ENCRYPTED_DATA_INVALID, seal.ErrDamaged},
		{tpm2.TPMCCActivateCredential, 0x2E7, ck.CKR_ENCRYPTED_DATA_INVALID, seal.ErrDamaged},
		{tpm2.TPMCCActivateCredential, 0x922, ck.CKR_FUNCTION_FAILED, seal.ErrBusy},
		{tpm2.TPMCCUnseal, 0x921, ck.CKR_PIN_LOCKED, seal.ErrLocked},
		{tpm2.TPMCCLoad, 0x1DF, ck.CKR_DEVICE_ERROR, seal.ErrDamaged},
		{tpm2.TPMCCLoad, 0x902, ck.CKR_DEVICE_MEMORY, nil},
		{tpm2.TPMCCStartAuthSession, 0x903, ck.CKR_DEVICE_MEMORY, nil},
		{tpm2.TPMCCLoad, 0x904, ck.CKR_DEVICE_MEMORY, nil},
		{tpm2.TPMCCStartAuthSession, 0x905, ck.CKR_DEVICE_MEMORY, nil},
		{tpm2.TPMCCLoad, 0x906, ck.CKR_DEVICE_MEMORY, nil},
		{tpm2.TPMCCUnseal, 0x922, ck.CKR_FUNCTION_FAILED, seal.ErrBusy},
		{tpm2.TPMCCUnseal, 0x908, ck.CKR_FUNCTION_FAILED, seal.ErrBusy},
		{tpm2.TPMCCUnseal, 0x90A, ck.CKR_FUNCTION_FAILED, seal.ErrBusy},
		{tpm2.TPMCCUnseal, 0x920, ck.CKR_FUNCTION_FAILED, seal.ErrBusy},
		{tpm2.TPMCCUnseal, 0x923, ck.CKR_FUNCTION_FAILED, seal.ErrBusy},
		{tpm2.TPMCCCreatePrimary, 0x185, ck.CKR_DEVICE_ERROR, tpm2.TPMRCHierarchy},
		{tpm2.TPMCCCreatePrimary, 0x101, ck.CKR_DEVICE_ERROR, nil},
		{tpm2.TPMCCCreatePrimary, 0x100, ck.CKR_DEVICE_ERROR, nil},
		{tpm2.TPMCCCreatePrimary, 0x01E, ck.CKR_DEVICE_ERROR, nil},
		{tpm2.TPMCCCreatePrimary, 0xFFFFFFFF, ck.CKR_DEVICE_ERROR, nil},
	} {
		o := &operation{tpm: &TPM{patience: 20 * time.Millisecond}, conn: &script{codes: []uint32{uint32(test.rc)}}}
		err := o.explain(test.command, test.rc)
		if ck.Code(err) != test.rv || test.is != nil && !errors.Is(err, test.is) {
			t.Errorf("%s 0x%x: %v, want %v, %v", commandNames[test.command], uint32(test.rc), err, test.rv, test.is)
		}
		if full := test.rv == ck.CKR_DEVICE_MEMORY; o.full != full {
			t.Errorf("0x%x: the TPM is full: %v", uint32(test.rc), o.full)
		}
	}
}

// A command is sent again while the TPM asks for it, and no longer than there is patience.
func TestAgain(t *testing.T) {
	const retry, yielded, testing, rate = 0x922, 0x908, 0x90A, 0x920
	for _, test := range []struct {
		codes    []uint32
		software bool
		want     uint32
		asked    int
	}{
		{[]uint32{0}, false, 0, 1},
		{[]uint32{retry, yielded, testing, rate, 0}, false, 0, 5},
		{[]uint32{0x101}, false, 0x101, 1},
		{[]uint32{0x100}, false, 0x100, 1},
		{[]uint32{0x100, 0, 0}, true, 0, 3},        // TPM2_Startup in between
		{[]uint32{0x100, 0x101}, true, 0x101, 3},   // which did not help
		{[]uint32{0x100, 0x100}, true, 0x100, 3},   // nor here
		{[]uint32{retry, 0x100, 0}, true, 0, 4},    // busy, not started, started, done
		{[]uint32{0x100, retry, 0, 0}, true, 0, 4}, // TPM2_Startup twice
	} {
		s := &script{codes: test.codes}
		o := &operation{tpm: &TPM{patience: time.Minute}, conn: s, software: test.software}
		answer, err := o.Send([]byte(someCommand))
		if err != nil || binary.BigEndian.Uint32(answer[6:]) != test.want || s.asked != test.asked {
			t.Errorf("%x: %x, %v, asked %d times, want 0x%x after %d", test.codes, answer, err, s.asked, test.want, test.asked)
		}
	}
	s := &script{codes: []uint32{retry}}
	o := &operation{tpm: &TPM{patience: 50 * time.Millisecond}, conn: s}
	start := time.Now()
	_, err := execute(o, tpm2.ReadPublic{ObjectHandle: srkHandle})
	if took := time.Since(start); !errors.Is(err, seal.ErrBusy) || took > time.Second || s.asked < 3 {
		t.Errorf("for ever: %v, asked %d times in %v", err, s.asked, took)
	}
}

// watch notes how long it was given, and refuses everything.
type watch struct{ patience time.Duration }

func (w *watch) exchange(_ []byte, patience time.Duration) ([]byte, error) {
	w.patience = patience
	return []byte{0x80, 1, 0, 0, 0, 10, 0, 0, 1, 0x43}, nil
}

func (w *watch) Close() error { return nil }

// Only the primes of RSA keys are waited for longer than usual.
func TestPatience(t *testing.T) {
	const usual = 7 * time.Second
	w := &watch{}
	o := &operation{tpm: &TPM{patience: usual}, conn: w}
	for _, test := range []struct {
		template *attest.Template
		want     time.Duration
	}{{&attest.ECCEndorsementKey, usual}, {&attest.RSAEndorsementKey, usual + searching}, {&attest.AttestationKey, usual}} {
		if _, err := o.endorsed(test.template); err == nil || w.patience != test.want {
			t.Errorf("%v, after %v, want %v", err, w.patience, test.want)
		}
	}
}

// canned answers every command with the same bytes, but for a header that fits.
type canned []byte

func (c canned) exchange([]byte, time.Duration) ([]byte, error) {
	answer := append([]byte{0x80, 1}, binary.BigEndian.AppendUint32(nil, uint32(min(headerLen+len(c), maxAnswer)))...)
	answer = append(append(answer, 0, 0, 0, 0), c...)
	return answer[:min(len(answer), maxAnswer)], nil
}

func (c canned) Close() error { return nil }

// Whatever a TPM says, nothing panics and nothing is taken for a key.
func FuzzAnswers(f *testing.F) {
	var point [68]byte
	point[1], point[35] = 32, 32
	public := append([]byte{0, 0x23, 0, 0x0B, 0, 3, 0x04, 0x72, 0, 0, 0, 6, 0, 128, 0, 0x43, 0, 0x10, 0, 3, 0, 0x10}, point[:]...)
	f.Add([]byte{})
	f.Add([]byte{0, 0, 0, 0, 6, 0, 0, 0, 1, 0, 0, 2, 0x0F, 0, 0, 0, 3})
	f.Add([]byte{0, 0, 0, 0, 1, 0, 0, 0, 1, 0x81, 0, 0, 1})
	f.Add(append([]byte{0, byte(len(public))}, public...))
	f.Add(append([]byte{0x80, 0, 0, 0, 0, 0, 0, 0x60, 0, byte(len(public))}, public...))
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	xy := key.PublicKey().Bytes()[1:]
	p := &parent{handle: srkHandle, public: tpm2.ECCSRKTemplate}
	p.public.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgECC, &tpm2.TPMSECCPoint{X: tpm2.TPM2BECCParameter{Buffer: xy[:32]}, Y: tpm2.TPM2BECCParameter{Buffer: xy[32:]}})
	f.Fuzz(func(t *testing.T, answer []byte) {
		start := time.Now()
		defer func() {
			if took := time.Since(start); took > 2*time.Second {
				t.Fatalf("it took %v", took)
			}
		}()
		o := &operation{tpm: &TPM{patience: time.Second}, conn: canned(answer)}
		if p, err := o.newParent(tpm2.TPMRHOwner); err == nil {
			t.Fatalf("a key: %v", p.public)
		}
		if o.persistent() != nil {
			t.Fatal("a persistent key")
		}
		b := &object{private: []byte{1}}
		none := secret.New(0)
		if err := o.create(p, b, secret.New(32), none); err == nil {
			t.Fatal("a data object")
		}
		if _, err := o.unseal(p, b, none, func() error { return nil }); err == nil {
			t.Fatal("an opened data object")
		}
		if a, err := o.attest([32]byte{}); err == nil {
			t.Fatalf("an attestation: %v", a)
		}
		if _, err := o.activate(&credential{kind: &onRSA, object: make([]byte, 40), seed: make([]byte, 256)}); err == nil {
			t.Fatal("an opened credential")
		}
		_, _ = o.endorsed(&attest.AttestationKey) // which may be one
		_, _, _ = o.certificate(onRSA.certificate)
		_, _ = o.issuers()
		_, _ = o.readNV(onRSA.certificate)
		_, _ = o.properties(tpm2.TPMPTPermanent, 1)
		_, _ = o.storageKey()
		_ = o.untilForgiven()
		o.sweep()
	})
}
