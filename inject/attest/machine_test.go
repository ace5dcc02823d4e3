package attest_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"github.com/google/go-tpm/tpm2"

	"github.com/ncrypt11/ncrypt11/inject/attest"
	"github.com/ncrypt11/ncrypt11/test/swtpm"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

var (
	statement = []byte("what a guard says")
	nextYear  = time.Now().AddDate(1, 0, 0)
)

// machine is a TPM of software: what it says is right, and it may say anything else. Its fields are what goes into an attestation.
type machine struct {
	testing.TB
	ek, ak, key       tpm2.TPMTPublic
	akPrivate         *ecdsa.PrivateKey
	keyPrivate        *ecdsa.PrivateKey
	certificates      [][]byte
	attest            tpm2.TPMSAttest
	certified, signed []byte // what the two sign
}

// newMachine has keys by the templates, "ecc" or "rsa" for the endorsement key, which the maker certifies.
func newMachine(t testing.TB, maker *swtpm.Maker, kind string) *machine {
	t.Helper()
	m := &machine{TB: t, akPrivate: p256(t), keyPrivate: p256(t)}
	var ek crypto.PublicKey
	if kind == "rsa" {
		private, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		ek, m.ek = &private.PublicKey, attest.RSAEndorsementKey.Area()
		m.ek.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{Buffer: private.N.Bytes()})
	} else {
		private := p256(t)
		ek, m.ek = &private.PublicKey, area(&attest.ECCEndorsementKey, private)
	}
	m.certificates = [][]byte{maker.Certify(t, ek, nil).Raw, maker.Issuer.Raw}
	m.ak, m.key = area(&attest.AttestationKey, m.akPrivate), area(&attest.StatementKey, m.keyPrivate)
	m.certify()
	return m
}

// certify says of the key what TPM2_Certify does.
func (m *machine) certify() {
	digest := sha256.Sum256(statement)
	m.signed = digest[:]
	m.attest = tpm2.TPMSAttest{
		Magic:           tpm2.TPMGeneratedValue,
		Type:            tpm2.TPMSTAttestCertify,
		QualifiedSigner: tpm2.TPM2BName{Buffer: qualified(name(m.ak))},
		ExtraData:       tpm2.TPM2BData{Buffer: digest[:]},
		ClockInfo:       tpm2.TPMSClockInfo{Clock: 77, ResetCount: 3, Safe: true},
		FirmwareVersion: 0x0007_0002_0003_0001,
		Attested: tpm2.NewTPMUAttest(tpm2.TPMSTAttestCertify, &tpm2.TPMSCertifyInfo{
			Name: tpm2.TPM2BName{Buffer: name(m.key)}, QualifiedName: tpm2.TPM2BName{Buffer: qualified(name(m.key))},
		}),
	}
	m.certified = tpm2.Marshal(m.attest)
}

// attested is the attestation.
func (m *machine) attested() *seal.Attestation {
	m.Helper()
	over := sha256.Sum256(m.certified)
	return &seal.Attestation{
		EKCertificates: m.certificates,
		EKPublic:       tpm2.Marshal(m.ek),
		AKPublic:       tpm2.Marshal(m.ak),
		KeyPublic:      tpm2.Marshal(m.key),
		Certified:      m.certified,
		Certificate:    signature(m, m.akPrivate, over[:]),
		Signature:      signature(m, m.keyPrivate, m.signed),
	}
}

// fingerprints are the SHA-256 of the Names.
func (m *machine) fingerprints() (ek, ak [32]byte) {
	return sha256.Sum256(name(m.ek)), sha256.Sum256(name(m.ak))
}

func p256(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// area is the public area of a key by a template on P-256.
func area(template *attest.Template, private *ecdsa.PrivateKey) tpm2.TPMTPublic {
	public := template.Area()
	public.Unique = unique(private)
	return public
}

func unique(private *ecdsa.PrivateKey) tpm2.TPMUPublicID {
	raw, err := private.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	return tpm2.NewTPMUPublicID(tpm2.TPMAlgECC, &tpm2.TPMSECCPoint{X: tpm2.TPM2BECCParameter{Buffer: raw[1:33]}, Y: tpm2.TPM2BECCParameter{Buffer: raw[33:]}})
}

func name(public tpm2.TPMTPublic) []byte {
	digest := sha256.Sum256(tpm2.Marshal(public))
	return append([]byte{0, 0x0B}, digest[:]...)
}

// qualified is the Qualified Name in the endorsement hierarchy.
func qualified(name []byte) []byte {
	digest := sha256.Sum256(slices.Concat([]byte{0x40, 0, 0, 0x0B}, name))
	return append([]byte{0, 0x0B}, digest[:]...)
}

// signature is a TPMT_SIGNATURE.
func signature(t testing.TB, by *ecdsa.PrivateKey, digest []byte) []byte {
	t.Helper()
	r, s, err := ecdsa.Sign(rand.Reader, by, digest)
	if err != nil {
		t.Fatal(err)
	}
	return tpm2.Marshal(tpm2.TPMTSignature{
		SigAlg: tpm2.TPMAlgECDSA,
		Signature: tpm2.NewTPMUSignature(tpm2.TPMAlgECDSA, &tpm2.TPMSSignatureECC{
			Hash:       tpm2.TPMAlgSHA256,
			SignatureR: tpm2.TPM2BECCParameter{Buffer: r.FillBytes(make([]byte, 32))},
			SignatureS: tpm2.TPM2BECCParameter{Buffer: s.FillBytes(make([]byte, 32))},
		}),
	})
}

// pool is a pool of roots.
func pool(certificates ...*x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	for _, c := range certificates {
		p.AddCert(c)
	}
	return p
}
