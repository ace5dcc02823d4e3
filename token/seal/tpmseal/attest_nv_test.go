package tpmseal_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ncrypt11/ncrypt11/inject/attest"
	"github.com/ncrypt11/ncrypt11/test/swtpm"
)

// policyFile is a file with the policy of the TCG's templates: TPM2_PolicySecret of the endorsement hierarchy.
func policyFile(t testing.TB) string {
	t.Helper()
	area := attest.RSAEndorsementKey.Area()
	path := filepath.Join(t.TempDir(), "policy")
	if err := os.WriteFile(path, area.AuthPolicy.Buffer, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What makers leave in the TPM, and what others put there. Nothing of it keeps a TPM from attesting; and no index is tried that might count wrong passwords.
func TestCertificatesInNV(t *testing.T) {
	maker := swtpm.NewMaker(t, "maker", nextYear)
	r := newRig(t)
	leaf := maker.Certify(t, r.soft.EndorsementKey("ecc"), nil).Raw
	issuer, root := maker.Issuer.Raw, maker.Root.Raw
	padded := func(der []byte, with byte) []byte {
		return append(bytes.Clone(der), bytes.Repeat([]byte{with}, 100)...)
	}
	const common = "platformcreate|ppwrite|ppread|"
	for name, test := range map[string]struct {
		leaf       []byte
		attributes string
		issuers    [][]byte
		want       [][]byte
	}{
		"alone":                  {leaf: leaf, want: [][]byte{leaf}},
		"zeros behind":           {leaf: padded(leaf, 0), want: [][]byte{leaf}},
		"ones behind":            {leaf: padded(leaf, 0xFF), want: [][]byte{leaf}},
		"rubble":                 {leaf: bytes.Repeat([]byte{0x30}, 500)},
		"half of it":             {leaf: leaf[:len(leaf)/2]},
		"giant":                  {leaf: append(bytes.Clone(leaf), make([]byte, 1300)...), want: [][]byte{leaf}},
		"the owner reads":        {leaf: leaf, attributes: common + "ownerread", want: [][]byte{leaf}},
		"counts wrong passwords": {leaf: leaf, attributes: common + "authread"},
		"for the platform only":  {leaf: leaf, attributes: common + "no_da"},
		"issuers":                {leaf: leaf, issuers: [][]byte{slices.Concat(issuer, root)}, want: [][]byte{leaf, issuer, root}},
		"over two indices":       {leaf: leaf, issuers: [][]byte{slices.Concat(issuer, root[:50]), root[50:]}, want: [][]byte{leaf, issuer, root}},
		"issuers, zeros behind":  {leaf: leaf, issuers: [][]byte{padded(issuer, 0)}, want: [][]byte{leaf, issuer}},
		"no issuer":              {leaf: leaf, issuers: [][]byte{slices.Concat([]byte{0x30, 3, 2, 1, 5}, issuer)}, want: [][]byte{leaf, issuer}},
		"many issuers":           {leaf: leaf, issuers: slices.Repeat([][]byte{slices.Concat(issuer, issuer, issuer)}, 3), want: append([][]byte{leaf}, slices.Repeat([][]byte{issuer}, 7)...)},
	} {
		r.soft.WriteNV(swtpm.ECCCertificate, test.leaf, test.attributes)
		for i, content := range test.issuers {
			r.soft.WriteNV(swtpm.IssuersOfThem+uint32(i), content, "")
		}
		a := r.attested()
		if !slices.EqualFunc(a.EKCertificates, test.want, bytes.Equal) {
			t.Errorf("%s: %d certificates, want %d", name, len(a.EKCertificates), len(test.want))
		}
		_, err := attest.Verify(statement, a, attest.Trust{EKRoots: maker.Roots()})
		if made := slices.ContainsFunc(test.want, func(der []byte) bool { return bytes.Equal(der, issuer) }); (err == nil) != made {
			t.Errorf("%s: %v", name, err)
		}
		r.opens(name, a)
		r.soft.RemoveNV(swtpm.ECCCertificate)
		for i := range test.issuers {
			r.soft.RemoveNV(swtpm.IssuersOfThem + uint32(i))
		}
	}
	if n := r.soft.Failures(); n != 0 {
		t.Errorf("reading counted as %d wrong PINs", n)
	}
}

// Where the owner has a password, what only he may read is not there.
func TestOwnersCertificate(t *testing.T) {
	r := newRig(t)
	maker := swtpm.NewMaker(t, "maker", nextYear)
	leaf := maker.Certify(t, r.soft.EndorsementKey("ecc"), nil).Raw
	r.soft.WriteNV(swtpm.ECCCertificate, leaf, "platformcreate|ppwrite|ppread|ownerread")
	r.soft.Tool("tpm2_changeauth", "-Q", "-c", "owner", "geheim")
	a := r.attested()
	if len(a.EKCertificates) != 0 {
		t.Error("it was read without the password")
	}
	r.opens("without", a)
}

// An owner who defines an index and never writes it, and one that is no certificate's size.
func TestEmptyIndex(t *testing.T) {
	r := newRig(t)
	r.soft.Tool("tpm2_nvdefine", "-Q", "-C", "p", "-s", "400", "-a", "platformcreate|ppwrite|ppread|ownerread|authread|no_da", "0x01C0000A")
	r.soft.Tool("tpm2_nvdefine", "-Q", "-C", "o", "-s", "8", "-a", "ownerwrite|ownerread|authread|no_da|nt=counter", "0x01C00101")
	r.opens("an index that was never written", r.attested())
}
