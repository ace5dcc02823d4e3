package attest_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/inject/attest"
	"github.com/ncrypt11/ncrypt11/test/swtpm"
)

// Who is believed, and for what. A machine of software is a TPM to who certifies it, and to nobody else.
func TestTrust(t *testing.T) {
	maker, other := swtpm.NewMaker(t, "maker", nextYear), swtpm.NewMaker(t, "other", nextYear)
	for _, kind := range []string{"ecc", "rsa"} {
		m := newMachine(t, maker, kind)
		ek, ak := m.fingerprints()
		bare := m.attested()
		bare.EKCertificates = nil
		rootless := m.attested()
		rootless.EKCertificates = rootless.EKCertificates[:1]
		for name, test := range map[string]struct {
			trust    attest.Trust
			ek, ak   bool // what is trusted
			made, is bool // by a certificate; verified without certificates, too
		}{
			"nothing":               {},
			"the maker":             {trust: attest.Trust{EKRoots: maker.Roots()}, ek: true, made: true},
			"the issuer":            {trust: attest.Trust{EKRoots: pool(maker.Issuer)}, ek: true, made: true},
			"another maker":         {trust: attest.Trust{EKRoots: other.Roots()}},
			"both makers":           {trust: attest.Trust{EKRoots: pool(maker.Root, other.Root)}, ek: true, made: true},
			"no maker":              {trust: attest.Trust{EKRoots: pool()}},
			"the endorsement key":   {trust: attest.Trust{Fingerprints: [][32]byte{{}, ek}}, ek: true, is: true},
			"the attestation key":   {trust: attest.Trust{Fingerprints: [][32]byte{ak}}, ak: true, is: true},
			"both":                  {trust: attest.Trust{Fingerprints: [][32]byte{ak, ek}}, ek: true, ak: true, is: true},
			"others":                {trust: attest.Trust{Fingerprints: [][32]byte{{}, {1}}}},
			"key, not that maker":   {trust: attest.Trust{EKRoots: other.Roots(), Fingerprints: [][32]byte{ak}}, ak: true, is: true},
			"maker, not that key":   {trust: attest.Trust{EKRoots: maker.Roots(), Fingerprints: [][32]byte{{1}}}, ek: true, made: true},
			"after it expired":      {trust: attest.Trust{EKRoots: maker.Roots(), Time: nextYear.Add(time.Hour)}},
			"before it was founded": {trust: attest.Trust{EKRoots: maker.Roots(), Time: nextYear.AddDate(-11, 0, 0)}},
		} {
			id, err := attest.Verify(statement, m.attested(), test.trust)
			if !test.ek && !test.ak {
				wantUnknown(t, kind+", "+name, err, ek, ak)
				continue
			}
			if err != nil {
				t.Errorf("%s, %s: %v", kind, name, err)
				continue
			}
			if id.EKTrusted != test.ek || id.AKTrusted != test.ak || id.EKFingerprint != ek || id.AKFingerprint != ak || id.Firmware != "7.2.3.1" {
				t.Errorf("%s, %s: %+v", kind, name, id)
			}
			if made := id.Certificate != nil; made != test.made || made != (id.Manufacturer == "INTC" && id.Model == "Model 7" && id.Version == "id:00070002") {
				t.Errorf("%s, %s: it is %q %q %q", kind, name, id.Manufacturer, id.Model, id.Version)
			}
			if _, err := attest.Verify(statement, bare, test.trust); (err == nil) != test.is {
				t.Errorf("%s, %s, without a certificate: %v", kind, name, err)
			}
		}
		if _, err := attest.Verify(statement, rootless, attest.Trust{EKRoots: maker.Roots()}); err == nil {
			t.Errorf("%s: believed without the issuer's certificate", kind)
		}
		if _, err := attest.Verify(statement, rootless, attest.Trust{EKRoots: pool(maker.Root, maker.Issuer)}); err != nil {
			t.Errorf("%s: the issuer is among the roots: %v", kind, err)
		}
	}
}

func wantUnknown(t *testing.T, what string, err error, ek, ak [32]byte) {
	t.Helper()
	var unknown *attest.UntrustedError
	if !errors.As(err, &unknown) || unknown.Identity.EKFingerprint != ek || unknown.Identity.AKFingerprint != ak {
		t.Errorf("%s: %v", what, err)
		return
	}
	if text := err.Error(); !strings.Contains(text, hex.EncodeToString(ek[:])) || !strings.Contains(text, hex.EncodeToString(ak[:])) {
		t.Errorf("%s: nobody could compare %q", what, text)
	}
	if id := unknown.Identity; id.EKTrusted || id.AKTrusted || id.Certificate != nil || id.Manufacturer != "" {
		t.Errorf("%s: %+v", what, id)
	}
}

// A certificate that the maker issued for something else.
func TestOtherCertificates(t *testing.T) {
	maker := swtpm.NewMaker(t, "maker", nextYear)
	m := newMachine(t, maker, "ecc")
	trust := attest.Trust{EKRoots: maker.Roots()}
	certify := func(change func(*x509.Certificate)) []byte {
		c, err := x509.ParseCertificate(m.certificates[0])
		if err != nil {
			t.Fatal(err)
		}
		return maker.Certify(t, c.PublicKey, change).Raw
	}
	critical := pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}
	for name, test := range map[string]struct {
		leaf []byte
		want string
	}{
		"for servers": {certify(func(c *x509.Certificate) {
			c.UnknownExtKeyUsage, c.ExtKeyUsage = nil, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}), "not for endorsement keys"},
		"for anything": {certify(func(c *x509.Certificate) {
			c.UnknownExtKeyUsage, c.ExtKeyUsage = nil, []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
		}), "not for endorsement keys"},
		"an authority's":            {certify(func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }), "not for endorsement keys"},
		"critical, and nobody's":    {certify(func(c *x509.Certificate) { c.ExtraExtensions = append(c.ExtraExtensions, critical) }), "unhandled critical"},
		"expired":                   {certify(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }), "expired"},
		"another key's":             {maker.Certify(t, &p256(t).PublicKey, nil).Raw, "another endorsement key"},
		"none":                      {[]byte("no certificate"), string(attest.LinkEKCertificates)},
		"with something behind":     {append(m.certificates[0][:len(m.certificates[0]):len(m.certificates[0])], 0), string(attest.LinkEKCertificates)},
		"the issuer's in its place": {maker.Issuer.Raw, "another endorsement key"},
	} {
		a := m.attested()
		a.EKCertificates = [][]byte{test.leaf, maker.Issuer.Raw}
		_, err := attest.Verify(statement, a, trust)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}
