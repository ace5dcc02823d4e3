package keyfile_test

import (
	"crypto"
	"errors"
	"strings"
	"testing"
	"unicode"

	"filippo.io/mldsa/x509"

	"github.com/ncrypt11/ncrypt11/cmd/ncrypt11/keyfile"
)

// FuzzParse feeds anything to Parse: it must not panic, its errors must be fit for a terminal, and a key that it returns must be
// one that it would read again.
func FuzzParse(f *testing.F) {
	for _, path := range fixtures(f) {
		f.Add(fixture(f, strings.TrimPrefix(path, "testdata/")))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := keyfile.Parse(data, answer(passphrase))
		if err != nil {
			checkError(t, file, err)
			return
		}
		defer file.Wipe()
		if len(file.Keys)+len(file.PublicKeys)+len(file.Certificates) == 0 {
			t.Error("nothing was read, without an error")
		}
		for _, key := range file.Keys {
			der, err := x509.MarshalPKCS8PrivateKey(key.Private)
			if err != nil {
				t.Fatal(err)
			}
			again, err := keyfile.Parse(der, nil)
			if err != nil {
				t.Fatalf("%s is not read again: %v", key.Source, err)
			}
			if !key.Private.(interface{ Equal(crypto.PrivateKey) bool }).Equal(again.Keys[0].Private) {
				t.Errorf("%s is another key when read again", key.Source)
			}
		}
	})
}

func checkError(t *testing.T, file *keyfile.File, err error) {
	t.Helper()
	var typed *keyfile.Error
	if file != nil || !errors.As(err, &typed) {
		t.Errorf("file %v, error of type %T", file, err)
	}
	if strings.ContainsFunc(err.Error(), unicode.IsControl) {
		t.Errorf("error with control characters: %q", err)
	}
}
