package commands

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"hash"
	"slices"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

const secret = "for the key's owner only\n"

// Decipher decrypts what was encrypted to an RSA key: pkeyutl -decrypt, with PKCS #1 and OAEP.
func (o *Tool) Decipher(t *testing.T, label string) {
	public := o.Public(t, label).(*rsa.PublicKey)
	oaep := func(h hash.Hash) func() ([]byte, error) {
		return func() ([]byte, error) { return rsa.EncryptOAEP(h, rand.Reader, public, []byte(secret), nil) }
	}
	for name, way := range map[string]struct {
		encrypt func() ([]byte, error)
		options []string
	}{
		"PKCS #1":      {func() ([]byte, error) { return o.encryptPKCS1(t, public), nil }, nil},
		"OAEP":         {oaep(sha1.New()), []string{"-pkeyopt", "rsa_padding_mode:oaep"}},
		"OAEP SHA-256": {oaep(sha256.New()), []string{"-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256"}},
	} {
		encrypted, err := way.encrypt()
		if err != nil {
			t.Fatal(err)
		}
		file := o.File(t, "encrypted", string(encrypted))
		o.Run(t, slices.Concat([]string{"pkeyutl", "-decrypt", "-in", file, "-out", o.Path("decrypted")}, o.Key("-inkey", label), way.options)...)
		if got := o.Read(t, "decrypted"); string(got) != secret {
			t.Errorf("%s: it is decrypted to %q", name, got)
		}
	}
}

// encryptPKCS1 has OpenSSL encrypt the secret with the public key: Go no longer likes to.
func (o *Tool) encryptPKCS1(t *testing.T, public *rsa.PublicKey) []byte {
	t.Helper()
	file := o.File(t, "public.pem", publicPEM(t, public))
	kit.Run(t, "root", "openssl", "pkeyutl", "-encrypt", "-pubin", "-inkey", file, "-in", o.File(t, "secret", secret), "-out", o.Path("encrypted.pkcs1"))
	return o.Read(t, "encrypted.pkcs1")
}

func publicPEM(t *testing.T, public any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// Derive agrees on a secret with the owner of another key on the same curve: pkeyutl -derive.
func (o *Tool) Derive(t *testing.T, label string) {
	var public *ecdh.PublicKey
	switch key := o.Public(t, label).(type) {
	case *ecdsa.PublicKey:
		converted, err := key.ECDH()
		if err != nil {
			t.Fatal(err)
		}
		public = converted
	case *ecdh.PublicKey:
		public = key
	}
	peer, err := public.Curve().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	file := o.File(t, "peer.pem", publicPEM(t, peer.PublicKey()))
	o.Run(t, append([]string{"pkeyutl", "-derive", "-peerkey", file, "-out", o.Path("shared")}, o.Key("-inkey", label)...)...)
	want, err := peer.ECDH(public)
	if err != nil {
		t.Fatal(err)
	}
	if got := o.Read(t, "shared"); !bytes.Equal(got, want) {
		t.Errorf("%x was agreed on, not %x", got, want)
	}
}

// Envelope opens a message that was encrypted to the certificate of a key: cms -decrypt.
func (o *Tool) Envelope(t *testing.T, ca *kit.CA, label string) {
	certificate := o.File(t, label+".crt", ca.Certify(t, label, o.Public(t, label)))
	file := o.File(t, "secret", secret)
	kit.Run(t, "root", "openssl", "cms", "-encrypt", "-binary", "-aes256", "-in", file, "-out", o.Path("envelope"), certificate)
	o.Run(t, append([]string{"cms", "-decrypt", "-in", o.Path("envelope"), "-out", o.Path("opened"), "-recip", certificate}, o.Key("-inkey", label)...)...)
	if got := o.Read(t, "opened"); string(got) != secret {
		t.Errorf("in the envelope is %q", got)
	}
}
