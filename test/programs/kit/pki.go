package kit

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// CA is an authority that the test is. It certifies servers and people.
type CA struct {
	Certificate *x509.Certificate
	File        string // PEM, which everybody may read
	key         crypto.Signer
}

// NewCA makes an authority.
func NewCA(t testing.TB) *CA {
	t.Helper()
	return NewNamedCA(t, "Test CA")
}

// NewNamedCA makes an authority of that name, for tests with several.
func NewNamedCA(t testing.TB, name string) *CA {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	ca := &CA{key: key, Certificate: template}
	ca.Certificate = ca.sign(t, template, key.Public())
	ca.File = filepath.Join(Dir(t, "root"), "ca.pem")
	Write(t, "root", ca.File, certificatePEM(ca.Certificate))
	return ca
}

// Pool has the authority in it, for programs in Go.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.Certificate)
	return pool
}

// Certify gives a certificate for a public key as PEM: for a server of that name, and for a client or a signer too.
func (ca *CA) Certify(t testing.TB, name string, public crypto.PublicKey) string {
	t.Helper()
	return certificatePEM(ca.sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, EmailAddresses: []string{name + "@example.org"},
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageEmailProtection, x509.ExtKeyUsageCodeSigning},
	}, public))
}

func (ca *CA) sign(t testing.TB, template *x509.Certificate, public crypto.PublicKey) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100))
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = serial
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(30*24*time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, ca.Certificate, public, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// Pair makes a key of a kind (rsa2048, p256, p384, ed25519) and a certificate for it, and writes both to files of root's. It gives their names.
func (ca *CA) Pair(t testing.TB, kind, name string) (keyFile, certificateFile string) {
	t.Helper()
	key := newKey(t, kind)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := Dir(t, "root")
	keyFile, certificateFile = filepath.Join(dir, name+".key"), filepath.Join(dir, name+".crt")
	Write(t, "root", keyFile, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	Write(t, "root", certificateFile, ca.Certify(t, name, key.Public()))
	return keyFile, certificateFile
}

func newKey(t testing.TB, kind string) (key crypto.Signer) {
	t.Helper()
	var err error
	switch kind {
	case "rsa2048":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "p256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "p384":
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		t.Fatalf("there is no kind of key %q", kind)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func certificatePEM(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

// Dir is a new directory that belongs to a user and that everybody may read.
func Dir(t testing.TB, as string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	account := Lookup(t, as)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, int(account.UID), int(account.GID)); err != nil {
		t.Fatal(err)
	}
	return dir
}
