package attest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-tpm/tpm2"

	"github.com/ncrypt11/ncrypt11/inject/attest"
	"github.com/ncrypt11/ncrypt11/test/swtpm"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

// A machine that is certified, and says one thing wrong: the error names the link that does not hold.
func TestLinks(t *testing.T) {
	maker := swtpm.NewMaker(t, "maker", nextYear)
	attributes := func(public *tpm2.TPMTPublic, change func(*tpm2.TPMAObject)) { change(&public.ObjectAttributes) }
	for row, test := range map[string]struct {
		link   attest.Link
		change func(*machine)
	}{
		"AK not restricted": {attest.LinkAK, func(m *machine) { attributes(&m.ak, func(a *tpm2.TPMAObject) { a.Restricted = false }); m.certify() }},
		"AK leaves the TPM": {attest.LinkAK, func(m *machine) {
			attributes(&m.ak, func(a *tpm2.TPMAObject) { a.FixedTPM, a.FixedParent = false, false })
			m.certify()
		}},
		"AK from outside": {attest.LinkAK, func(m *machine) {
			attributes(&m.ak, func(a *tpm2.TPMAObject) { a.SensitiveDataOrigin = false })
			m.certify()
		}},
		"AK decrypts":       {attest.LinkAK, func(m *machine) { attributes(&m.ak, func(a *tpm2.TPMAObject) { a.Decrypt = true }); m.certify() }},
		"AK under a policy": {attest.LinkAK, func(m *machine) { m.ak.AuthPolicy.Buffer = make([]byte, 32); m.certify() }},
		"AK by SHA-1":       {attest.LinkAK, func(m *machine) { m.ak.NameAlg = tpm2.TPMAlgSHA1; m.certify() }},
		"AK is the other":   {attest.LinkAK, func(m *machine) { m.ak = m.key; m.certify() }},
		"AK off the curve":  {attest.LinkAK, func(m *machine) { m.ak.Unique = somewhere(1, 1); m.certify() }},
		"AK at infinity":    {attest.LinkAK, func(m *machine) { m.ak.Unique = somewhere(0, 0); m.certify() }},
		"AK on P-384":       {attest.LinkAK, func(m *machine) { m.ak = onP384(m, m.ak); m.certify() }},
		"key restricted":    {attest.LinkKey, func(m *machine) { m.key = m.ak; m.certify() }},
		"key leaves the TPM": {attest.LinkKey, func(m *machine) {
			attributes(&m.key, func(a *tpm2.TPMAObject) { a.FixedTPM, a.FixedParent = false, false })
			m.certify()
		}},
		"key on P-384":        {attest.LinkKey, func(m *machine) { m.key = onP384(m, m.key); m.certify() }},
		"EK not restricted":   {attest.LinkEK, func(m *machine) { attributes(&m.ek, func(a *tpm2.TPMAObject) { a.Restricted = false }) }},
		"EK without a policy": {attest.LinkEK, func(m *machine) { m.ek.AuthPolicy.Buffer = nil }},
		"EK off the curve":    {attest.LinkEK, func(m *machine) { m.ek.Unique = somewhere(1, 1) }},
		"EK of somebody else": {attest.LinkEKCertificates, func(m *machine) { m.ek.Unique = unique(p256(m)) }},
		"another statement": {attest.LinkCertified, func(m *machine) {
			m.attest.ExtraData.Buffer = bytes.Repeat([]byte{7}, 32)
			m.certified = tpm2.Marshal(m.attest)
		}},
		"no statement":         {attest.LinkCertified, func(m *machine) { m.attest.ExtraData.Buffer = nil; m.certified = tpm2.Marshal(m.attest) }},
		"not by a TPM":         {attest.LinkCertified, func(m *machine) { m.attest.Magic++; m.certified = tpm2.Marshal(m.attest) }},
		"about the time":       {attest.LinkCertified, func(m *machine) { m.certified[5] = 0x19 }},
		"about another key":    {attest.LinkCertified, func(m *machine) { m.say(name(area(&attest.StatementKey, p256(m))), nil) }},
		"in another hierarchy": {attest.LinkCertified, func(m *machine) { m.say(name(m.key), append([]byte{0, 0x0B}, make([]byte, 32)...)) }},
		"by another signer": {attest.LinkCertified, func(m *machine) {
			m.attest.QualifiedSigner.Buffer = qualified(name(m.key))
			m.certified = tpm2.Marshal(m.attest)
		}},
		"something behind":        {attest.LinkCertified, func(m *machine) { m.certified = append(m.certified, 0) }},
		"certified by another":    {attest.LinkCertificate, func(m *machine) { m.akPrivate = p256(m) }},
		"signed by another":       {attest.LinkSignature, func(m *machine) { m.keyPrivate = p256(m) }},
		"another statement's":     {attest.LinkSignature, func(m *machine) { m.signed = make([]byte, 32) }},
		"too many certificates":   {attest.LinkSizes, func(m *machine) { m.certificates = slices.Repeat(m.certificates, 5) }},
		"an empty certificate":    {attest.LinkSizes, func(m *machine) { m.certificates = append(m.certificates, nil) }},
		"a giant certificate":     {attest.LinkSizes, func(m *machine) { m.certificates = append(m.certificates, make([]byte, attest.MaxCertificate+1)) }},
		"a giant":                 {attest.LinkSizes, func(m *machine) { m.certified = make([]byte, attest.MaxPart+1) }},
		"nothing is certified":    {attest.LinkSizes, func(m *machine) { m.certified = nil }},
		"another issuer's rubble": {attest.LinkEKCertificates, func(m *machine) { m.certificates = append(m.certificates, []byte{0x30, 0}) }},
	} {
		m := newMachine(t, maker, "ecc")
		test.change(m)
		a := m.attested()
		ek, ak := sha256.Sum256(name(m.ek)), sha256.Sum256(name(m.ak))
		for _, trust := range []attest.Trust{{EKRoots: maker.Roots()}, {Fingerprints: [][32]byte{ek, ak}}, {}} {
			id, err := attest.Verify(statement, a, trust)
			var failed *attest.Error
			if id != nil || !errors.As(err, &failed) || failed.Link != test.link || !strings.Contains(err.Error(), string(test.link)) {
				t.Errorf("%s: %v, want that of %q", row, err, test.link)
			}
		}
	}
}

// A machine without a TPM attests nothing.
func TestNoAttestation(t *testing.T) {
	for _, a := range []*seal.Attestation{nil, {}} {
		if id, err := attest.Verify(statement, a, attest.Trust{Fingerprints: [][32]byte{{}}}); id != nil || err == nil {
			t.Errorf("%v: %v", a, id)
		}
		if _, _, err := attest.MakeCredential(a, statement); err == nil {
			t.Errorf("%v: a credential", a)
		}
	}
}

// say certifies a key by its Name.
func (m *machine) say(about, inHierarchy []byte) {
	if inHierarchy == nil {
		inHierarchy = qualified(about)
	}
	m.attest.Attested = tpm2.NewTPMUAttest(tpm2.TPMSTAttestCertify, &tpm2.TPMSCertifyInfo{
		Name: tpm2.TPM2BName{Buffer: about}, QualifiedName: tpm2.TPM2BName{Buffer: inHierarchy},
	})
	m.certified = tpm2.Marshal(m.attest)
}

func somewhere(x, y byte) tpm2.TPMUPublicID {
	return tpm2.NewTPMUPublicID(tpm2.TPMAlgECC, &tpm2.TPMSECCPoint{X: tpm2.TPM2BECCParameter{Buffer: []byte{x}}, Y: tpm2.TPM2BECCParameter{Buffer: []byte{y}}})
}

// onP384 is the same key, but for the curve.
func onP384(t testing.TB, public tpm2.TPMTPublic) tpm2.TPMTPublic {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := private.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	parms, err := public.Parameters.ECCDetail()
	if err != nil {
		t.Fatal(err)
	}
	other := *parms
	other.CurveID = tpm2.TPMECCNistP384
	public.Parameters = tpm2.NewTPMUPublicParms(tpm2.TPMAlgECC, &other)
	public.Unique = tpm2.NewTPMUPublicID(tpm2.TPMAlgECC, &tpm2.TPMSECCPoint{X: tpm2.TPM2BECCParameter{Buffer: raw[1:49]}, Y: tpm2.TPM2BECCParameter{Buffer: raw[49:]}})
	return public
}

// parts are the parts of an attestation that a change of any bit must not survive.
func parts(a *seal.Attestation) map[string]*[]byte {
	all := map[string]*[]byte{
		"EKPublic": &a.EKPublic, "AKPublic": &a.AKPublic, "KeyPublic": &a.KeyPublic,
		"Certified": &a.Certified, "Certificate": &a.Certificate, "Signature": &a.Signature,
	}
	for i := range a.EKCertificates {
		all["EKCertificates"+string(rune('0'+i))] = &a.EKCertificates[i]
	}
	return all
}

// Each byte of each part is altered, each part is shortened and lengthened. By a maker's certificate, nothing of that is believed. Who goes by the attestation key has no
// certificate to compare the endorsement key with, and is told so.
func TestTampered(t *testing.T) {
	maker := swtpm.NewMaker(t, "maker", nextYear)
	for _, kind := range []string{"ecc", "rsa"} {
		m := newMachine(t, maker, kind)
		_, ak := m.fingerprints()
		byMaker, byKey := attest.Trust{EKRoots: maker.Roots()}, attest.Trust{Fingerprints: [][32]byte{ak}}
		a := m.attested()
		for name, part := range parts(a) {
			whole := *part
			check := func(what string, at int, altered []byte) {
				*part = altered
				defer func() { *part = whole }()
				if _, err := attest.Verify(statement, a, byMaker); err == nil {
					t.Errorf("%s: %s, %s at %d: believed", kind, name, what, at)
				}
				if id, err := attest.Verify(statement, a, byKey); err == nil && (id.EKTrusted || !strings.HasPrefix(name, "EK")) {
					t.Errorf("%s: %s, %s at %d: believed by the attestation key", kind, name, what, at)
				}
			}
			for at := range whole {
				altered := bytes.Clone(whole)
				altered[at] ^= 1 << (at % 8)
				check("altered", at, altered)
				if at%7 == 0 {
					check("cut", at, whole[:at])
				}
			}
			check("longer", len(whole), append(bytes.Clone(whole), 0))
		}
		for at := range statement {
			altered := bytes.Clone(statement)
			altered[at] ^= 0x20
			if _, err := attest.Verify(altered, a, byMaker); err == nil {
				t.Errorf("%s: another statement at %d is believed", kind, at)
			}
		}
		if _, err := attest.Verify(statement, a, byMaker); err != nil {
			t.Fatalf("%s: what was not altered: %v", kind, err)
		}
	}
}

// A credential has a secret of 1 to 32 bytes, and is made for nobody whose keys are others. That TPMs open what is made, those tests show that have one.
func TestMakeCredential(t *testing.T) {
	maker := swtpm.NewMaker(t, "maker", nextYear)
	for kind, want := range map[string]int{"ecc": 2 + 2 + 32 + 2 + 32, "rsa": 2 + 256} {
		a := newMachine(t, maker, kind).attested()
		for size, ok := range map[int]bool{0: false, 1: true, 32: true, 33: false} {
			blob, encrypted, err := attest.MakeCredential(a, make([]byte, size))
			if (err == nil) != ok || ok && (len(blob) != 2+2+32+2+size || len(encrypted) != want) {
				t.Errorf("%s, %d bytes: %d and %d, %v", kind, size, len(blob), len(encrypted), err)
			}
		}
		for name, part := range map[string]*[]byte{"EKPublic": &a.EKPublic, "AKPublic": &a.AKPublic, "KeyPublic": &a.KeyPublic} {
			whole := *part
			*part = whole[:len(whole)-1]
			if _, _, err := attest.MakeCredential(a, []byte("secret")); err == nil {
				t.Errorf("%s: %s is short, and a credential is made", kind, name)
			}
			*part = whole
		}
	}
}
