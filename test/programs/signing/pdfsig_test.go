package signing_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// pdf is a document with an empty page.
func pdf() string {
	text := "%PDF-1.7\n"
	var table strings.Builder
	for i, object := range []string{"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>", "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]>>"} {
		fmt.Fprintf(&table, "%010d 00000 n \n", len(text))
		text += fmt.Sprintf("%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	return fmt.Sprintf("%sxref\n0 4\n0000000000 65535 f \n%strailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", text, table.String(), len(text))
}

// pdfsig of another user, who has nothing but the authority's certificate, looks at the signatures.
func TestPDF(t *testing.T) {
	kit.EachLogin(t, mine, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "pdfsig", "poppler-utils", "signs PDF documents with RSA keys")
		signPDF(t, k, "rsa2048", 1)
	})
}

// pdfsig makes one signature to see how long it is, and a second one into the room that the first one took. ECDSA's are of different lengths, in whatever
// token the key is; then it says that it cannot, and may be run again.
func TestPDFWithECDSA(t *testing.T) {
	kit.Tokens(t, mine, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "pdfsig", "poppler-utils", "signs PDF documents with ECDSA keys; where it says \"unable update signature\", run it again")
		signPDF(t, k, "p256", 30)
	})
}

func signPDF(t *testing.T, k *kit.Token, kind string, tries int) {
	t.Helper()
	for _, dir := range []string{".pki", ".local/share/pki"} {
		kit.Fresh(t, filepath.Join(kit.Home, dir))
	}
	ca := kit.NewCA(t)
	verifier := verifierOf(t, ca)
	certified(t, k, ca, kind, kind)
	sections := k.Config(t, "pdfsig", kind)
	kit.Apply(t, kit.User, []kit.Section{section(t, sections, "modutil")})
	dir := dirWith(t, "document.pdf", pdf())
	command := strings.ReplaceAll(section(t, sections, "pdfsig").Text, "-nss-pwd PIN", "-nss-pwd "+k.PIN)
	out, err := kit.Output(in(t, dir, command))
	for n := 1; err != nil && n < tries && strings.Contains(out, "unable update signature"); n++ {
		out, err = kit.Output(in(t, dir, command))
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	signed := filepath.Join(dir, "signed.pdf")
	out = kit.Run(t, "root", "pdfsig", "-nssdir", verifier, signed)
	kit.Contains(t, out, "Signature is Valid", "Certificate is Trusted", "Total document signed", "Common Name: "+kind)
	tampered := strings.Replace(kit.Run(t, "root", "cat", signed), "MediaBox[0 0 300 300]", "MediaBox[0 0 300 301]", 1)
	kit.Write(t, kit.User, signed, tampered)
	if out := kit.Run(t, "root", "pdfsig", "-nssdir", verifier, signed); !strings.Contains(out, "Digest Mismatch") {
		t.Errorf("another document has that signature:\n%s", out)
	}
}

// verifierOf is a database of NSS that trusts the authority, and knows nothing else.
func verifierOf(t *testing.T, ca *kit.CA) string {
	t.Helper()
	dir := "sql:" + kit.Dir(t, "root")
	kit.Run(t, "root", "certutil", "-N", "-d", dir, "--empty-password")
	kit.Run(t, "root", "certutil", "-A", "-d", dir, "-n", "authority", "-t", "CT,C,C", "-i", ca.File)
	return dir
}
