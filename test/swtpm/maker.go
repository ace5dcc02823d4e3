package swtpm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Where makers of TPMs leave certificates (TCG Registry of Reserved TPM 2.0 Handles).
const (
	RSACertificate = 0x01C00002
	ECCCertificate = 0x01C0000A
	IssuersOfThem  = 0x01C00100
)

// Maker is a maker of TPMs: an authority for endorsement keys, and an issuer that it has certified.
type Maker struct {
	Root, Issuer *x509.Certificate
	issuing      *ecdsa.PrivateKey
}

// NewMaker founds one whose certificates end then.
func NewMaker(t testing.TB, name string, end time.Time) *Maker {
	t.Helper()
	rootKey, issuing := p256(t), p256(t)
	root := sign(t, authority(name+" root", end), nil, &rootKey.PublicKey, rootKey)
	return &Maker{root, sign(t, authority(name+" issuer", end), root, &issuing.PublicKey, rootKey), issuing}
}

func p256(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func authority(name string, end time.Time) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: end.AddDate(-10, 0, 0), NotAfter: end,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
}

func sign(t testing.TB, template, issuer *x509.Certificate, public crypto.PublicKey, by *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	if issuer == nil {
		issuer = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, public, by)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Roots are what somebody has who believes this maker.
func (m *Maker) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(m.Root)
	return pool
}

// Certify makes the certificate of an endorsement key as the TCG's profile has it: no subject, and the TPM's model in a critical alternative name. change may make another of it.
func (m *Maker) Certify(t testing.TB, ek crypto.PublicKey, change func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: m.Root.NotBefore, NotAfter: m.Root.NotAfter, KeyUsage: x509.KeyUsageKeyAgreement,
		UnknownExtKeyUsage: []asn1.ObjectIdentifier{{2, 23, 133, 8, 1}},
		ExtraExtensions:    []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Critical: true, Value: model(t)}},
	}
	if change != nil {
		change(template)
	}
	return sign(t, template, m.Issuer, ek, m.issuing)
}

// model is a subject's alternative name with a TPM's manufacturer, model and version in it.
func model(t testing.TB) []byte {
	t.Helper()
	part := func(number int, value string) []pkix.AttributeTypeAndValue {
		return []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{2, 23, 133, 2, number}, Value: value}}
	}
	name, err := asn1.Marshal(pkix.RDNSequence{part(1, "id:494E5443"), part(2, "Model 7"), part(3, "id:00070002")})
	if err != nil {
		t.Fatal(err)
	}
	san, err := asn1.Marshal([]asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: name}})
	if err != nil {
		t.Fatal(err)
	}
	return san
}

// EndorsementKey is the TPM's endorsement key by the TCG's template, "ecc" or "rsa".
func (s *TPM) EndorsementKey(kind string) crypto.PublicKey {
	s.t.Helper()
	s.Tool("tpm2_createek", "-Q", "-G", kind, "-c", "ek.ctx", "-f", "pem", "-u", "ek.pem")
	s.Flush()
	text, err := os.ReadFile(filepath.Join(s.dir, "ek.pem"))
	if err != nil {
		s.t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		s.t.Fatalf("tpm2_createek wrote no PEM: %q", text)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		s.t.Fatal(err)
	}
	return key
}

// WriteNV leaves content in an index of the platform's, as makers do, in place of what was there. attributes are tpm2_nvdefine's; none: those of certificates.
func (s *TPM) WriteNV(index uint32, content []byte, attributes string) {
	s.t.Helper()
	if attributes == "" {
		attributes = "platformcreate|ppwrite|ppread|ownerread|authread|no_da"
	}
	if err := os.WriteFile(filepath.Join(s.dir, "nv"), content, 0o600); err != nil {
		s.t.Fatal(err)
	}
	at := fmt.Sprintf("0x%08X", index)
	s.Tool("tpm2_nvdefine", "-Q", "-C", "p", "-s", fmt.Sprint(len(content)), "-a", attributes, at)
	s.Tool("tpm2_nvwrite", "-Q", "-C", "p", "-i", "nv", at)
}

// RemoveNV removes an index of the platform's.
func (s *TPM) RemoveNV(index uint32) {
	s.t.Helper()
	s.Tool("tpm2_nvundefine", "-Q", "-C", "p", fmt.Sprintf("0x%08X", index))
}

// Endorse has the maker certify the TPM's endorsement key, "ecc" or "rsa", and leaves the certificate and the issuer's in the TPM.
func (s *TPM) Endorse(m *Maker, kind string) {
	s.t.Helper()
	index := map[string]uint32{"ecc": ECCCertificate, "rsa": RSACertificate}[kind]
	s.WriteNV(index, m.Certify(s.t, s.EndorsementKey(kind), nil).Raw, "")
	s.WriteNV(IssuersOfThem, m.Issuer.Raw, "")
}
