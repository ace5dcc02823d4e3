package signing_test

import (
	"path/filepath"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// LibreOffice without a screen, driven by a macro, cannot ask for a PIN: the token has none. pdfsig verifies the PDF documents, and xmlsec1, with OpenSSL,
// the XML signatures of the others.
func TestLibreOffice(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User, NoPIN: true}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "LibreOffice", "libreoffice-writer", "a macro, without a screen, signs ODF and PDF documents with RSA and ECDSA keys of a token without a PIN")
		ca := kit.NewCA(t)
		for _, kind := range []string{"rsa2048", "p256"} {
			certified(t, k, ca, kind, kind)
		}
		profile(t, ca)
		kit.Apply(t, kit.User, k.Config(t, "libreoffice", ""))
		macro, err := filepath.Abs("testdata/libreoffice.py")
		if err != nil {
			t.Fatal(err)
		}
		dir := kit.Dir(t, kit.User)
		out := run(t, in(t, dir, "python3 "+macro))
		verifier := verifierOf(t, ca)
		for _, name := range []string{"rsa2048", "p256"} {
			kit.Contains(t, out, "signed with CN="+name, "ODF CN="+name+" valid")
			report := kit.Run(t, "root", "pdfsig", "-nssdir", verifier, filepath.Join(dir, name+".pdf"))
			kit.Contains(t, report, "Signature is Valid", "Certificate is Trusted", "Total document signed", "Common Name: "+name)
			verifyODF(t, ca, filepath.Join(dir, name+".odt"))
		}
	})
}

// profile makes a profile of Firefox, which trusts the authority.
func profile(t *testing.T, ca *kit.CA) {
	t.Helper()
	for _, dir := range []string{".mozilla", ".config/libreoffice"} {
		kit.Fresh(t, filepath.Join(kit.Home, dir))
	}
	firefox := filepath.Join(kit.Home, ".mozilla", "firefox")
	kit.Write(t, kit.User, filepath.Join(firefox, "profiles.ini"), "[Profile0]\nName=default\nIsRelative=1\nPath=own.default\nDefault=1\n")
	kit.Shell(t, kit.User, `cd `+firefox+` && mkdir own.default && certutil -N -d sql:own.default --empty-password
certutil -A -d sql:own.default -n authority -t CT,C,C -i `+ca.File)
}

// verifyODF has another program verify the signature in a document, and see that it is no other document's.
func verifyODF(t *testing.T, ca *kit.CA, document string) {
	t.Helper()
	dir := kit.Dir(t, "root")
	unpack := "cd " + dir + "; python3 -m zipfile -e " + document + " .; "
	const verify = "xmlsec1 --verify --trusted-pem "
	out := kit.Shell(t, "root", unpack+verify+ca.File+" META-INF/documentsignatures.xml")
	kit.Contains(t, out, "OK")
	if out, err := kit.Try(t, "root", "sh", "-euc", "cd "+dir+"; echo '<other/>' >content.xml; "+verify+ca.File+" META-INF/documentsignatures.xml"); err == nil {
		t.Errorf("another document has that signature:\n%s", out)
	}
}
