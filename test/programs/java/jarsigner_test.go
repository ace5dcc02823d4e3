package java_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

func TestJarsigner(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		kit.Row(t, k, "Java", jdk, "jarsigner signs with RSA and EC keys; -verify -strict with a plain truststore")
		s, ca, dir := setUp(t, k), kit.NewCA(t), kit.Dir(t, kit.User)
		trust := filepath.Join(dir, "trust.p12")
		kit.Run(t, kit.User, "keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", ca.File, "-keystore", trust, "-storetype", "PKCS12", "-storepass", "password")
		plain := filepath.Join(dir, "plain.jar")
		kit.Write(t, kit.User, plain, archive(t, "hello"))
		k.NCrypt(t, "import", ca.File) // signatures take the chain along
		for _, kind := range []string{"rsa2048", "p256"} {
			k.Generate(t, kind, kind)
			certificate := filepath.Join(dir, kind+".pem")
			kit.Write(t, kit.User, certificate, ca.Certify(t, kind, parseRequest(t, k.NCrypt(t, "request", "--label", kind)).PublicKey))
			k.Import(t, kind, certificate)
			signed := filepath.Join(dir, kind+".jar")
			kit.Run(t, kit.User, "jarsigner", append(s.options(), "-signedjar", signed, plain, kind)...)
			verify := []string{"-verify", "-strict", "-keystore", trust, "-storepass", "password"}
			kit.Contains(t, kit.Run(t, kit.User, "jarsigner", append(verify, signed)...), "jar verified.")
			forged := filepath.Join(dir, kind+"-forged.jar")
			kit.Write(t, kit.User, forged, forge(t, signed))
			if out, err := kit.Try(t, kit.User, "jarsigner", append(verify, forged)...); err == nil {
				t.Errorf("a forged archive is taken for right:\n%s", out)
			}
		}
	})
}

// archive is a jar with one file in it.
func archive(t *testing.T, text string) string {
	t.Helper()
	var jar bytes.Buffer
	w := zip.NewWriter(&jar)
	add(t, w, "text.txt", []byte(text))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return jar.String()
}

func add(t *testing.T, w *zip.Writer, name string, content []byte) {
	t.Helper()
	f, err := w.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
}

// forge is a signed jar with another text in it.
func forge(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var jar bytes.Buffer
	w := zip.NewWriter(&jar)
	for _, f := range r.File {
		content, err := r.Open(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if _, err := text.ReadFrom(content); err != nil {
			t.Fatal(err)
		}
		if f.Name == "text.txt" {
			text.WriteString(", forged")
		}
		add(t, w, f.Name, text.Bytes())
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return jar.String()
}
