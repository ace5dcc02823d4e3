package inject_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Each of the recipients opens an archive, and finds the keys in it; a label is no way to put another one in.
func TestArchive(t *testing.T) {
	one, two := must(age.GenerateX25519Identity())(t), must(age.GenerateHybridIdentity())(t)
	keys, plain := someKeys(t, 2)
	keys[1].Label = "evil\n-----BEGIN PRIVATE KEY-----"
	for _, recipients := range [][]age.Recipient{{one.Recipient()}, {two.Recipient()}} {
		var file bytes.Buffer
		a := must(inject.NewArchive(&file, recipients...))(t)
		aes := &inject.Key{Meta: inject.DescribeAES(), Plain: secret.Copy(bytes.Repeat([]byte{5}, 32))}
		for _, k := range append(keys[:2:2], aes) {
			if err := a.Add(k); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		rest := must(io.ReadAll(must(age.Decrypt(&file, one, two))(t)))(t)
		if !strings.HasPrefix(string(rest), "label: \"key 0\"\nid: 00\n-----BEGIN PRIVATE KEY-----\n") {
			t.Errorf("it begins %.60q", rest)
		}
		for i := range 3 {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil {
				t.Fatalf("key %d is not there", i)
			}
			if i == 2 {
				if block.Type != "SYMMETRIC KEY" || !bytes.Equal(block.Bytes, aes.Plain.Bytes()) {
					t.Errorf("the AES key is %s %x", block.Type, block.Bytes)
				}
				continue
			}
			private := must(x509.ParsePKCS8PrivateKey(block.Bytes))(t).(*ecdsa.PrivateKey)
			meta := must(inject.Describe(private.Public()))(t)
			if !bytes.Equal(block.Bytes, plain[i]) || !bytes.Equal(meta.Public, keys[i].Public) {
				t.Errorf("key %d is another", i)
			}
		}
		if keys[0].Plain.Len() == 0 {
			t.Error("the archive has closed the key, which is still to be sealed")
		}
	}
	if _, err := inject.NewArchive(io.Discard); err == nil {
		t.Error("an archive for nobody")
	}
}
