package attest_test

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"

	"github.com/ncrypt11/ncrypt11/inject/attest"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

// flat is an attestation in one piece: how many certificates, and each part after its length.
func flat(a *seal.Attestation) []byte {
	var b cryptobyte.Builder
	b.AddUint8(uint8(len(a.EKCertificates)))
	for _, part := range append(a.EKCertificates[:len(a.EKCertificates):len(a.EKCertificates)], a.EKPublic, a.AKPublic, a.KeyPublic, a.Certified, a.Certificate, a.Signature) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(part) })
	}
	return b.BytesOrPanic()
}

// unflat takes it apart; what is missing is empty.
func unflat(b cryptobyte.String) *seal.Attestation {
	var count uint8
	b.ReadUint8(&count)
	next := func() (part cryptobyte.String) { b.ReadUint16LengthPrefixed(&part); return part }
	a := &seal.Attestation{}
	for range count {
		a.EKCertificates = append(a.EKCertificates, next())
	}
	for _, part := range []*[]byte{&a.EKPublic, &a.AKPublic, &a.KeyPublic, &a.Certified, &a.Certificate, &a.Signature} {
		*part = next()
	}
	return a
}

// recorded is what a TPM said of the statement, and who knows its maker. swtpm 0.7 said it (token/seal/tpmseal), and the maker threw his key away.
func recorded(t testing.TB, kind string) ([]byte, attest.Trust) {
	t.Helper()
	said, err := os.ReadFile(filepath.Join("testdata", kind+".attestation"))
	if err != nil {
		t.Fatal(err)
	}
	der, err := os.ReadFile(filepath.Join("testdata", "root.der"))
	if err != nil {
		t.Fatal(err)
	}
	root, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return said, attest.Trust{EKRoots: pool(root), Time: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
}

// Templates, labels and names are a format: what a TPM said once stays its word.
func TestRecorded(t *testing.T) {
	for kind, want := range map[string]string{
		"ecc": "8733a067f5c9a43e69e0f7e93315ff667ee74e3dd89cb227bb8f359557c70156 3e7c94dabc00deb9019f3c97d59a845d49da191ec4a73ce457ca19a79b14c0dc",
		"rsa": "d64ea2f6d8975fb8de8d02c5531115c7b098c0b3d968f85c2e39fe1b9b5f395f c030ab331b3595e5efda72732b2091be6c773be091a2e195640beebec19831e1",
	} {
		said, trust := recorded(t, kind)
		a := unflat(said)
		id, err := attest.Verify(statement, a, trust)
		if err != nil || !bytes.Equal(flat(a), said) {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if got := hex.EncodeToString(id.EKFingerprint[:]) + " " + hex.EncodeToString(id.AKFingerprint[:]); got != want || !id.EKTrusted {
			t.Errorf("%s: %s, %+v", kind, got, id)
		}
	}
}

// Whatever comes, nothing panics; who knows a TPM takes for its word only what that TPM said; and a credential is only made for keys by the templates.
func FuzzVerify(f *testing.F) {
	first, trust := recorded(f, "ecc")
	second, _ := recorded(f, "rsa")
	said := unflat(first)
	id, err := attest.Verify(statement, said, trust)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{})
	f.Add(first)
	f.Add(second)
	f.Add(first[:400])
	f.Fuzz(func(t *testing.T, b []byte) {
		a := unflat(b)
		if _, err := attest.Verify(statement, a, attest.Trust{}); err == nil {
			t.Error("somebody is believed, whom nobody knows")
		}
		known := attest.Trust{EKRoots: trust.EKRoots, Time: trust.Time, Fingerprints: [][32]byte{id.AKFingerprint}}
		if _, err := attest.Verify([]byte("another statement"), a, known); err == nil {
			t.Error("the TPM's word is taken for another statement")
		}
		got, err := attest.Verify(statement, a, known)
		if err == nil && got.AKTrusted && (!bytes.Equal(a.AKPublic, said.AKPublic) || !bytes.Equal(a.KeyPublic, said.KeyPublic) || !bytes.Equal(a.Certified, said.Certified)) {
			t.Error("the TPM did not say that")
		}
		if blob, _, err := attest.MakeCredential(a, []byte("secret")); err == nil && len(blob) == 0 {
			t.Error("no credential, and no error")
		}
	})
}
