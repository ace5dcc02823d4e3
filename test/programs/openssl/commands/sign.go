package commands

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha512" // SHA-384
	"crypto/x509"
	"encoding/pem"
	"slices"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

const message = "signed through PKCS #11\n"

// signature is a way to sign: options of dgst, and what verifies.
type signature struct {
	options []string
	hash    crypto.Hash
	pss     bool
}

var signatures = map[string]signature{
	"SHA-256":     {[]string{"-sha256"}, crypto.SHA256, false},
	"SHA-384":     {[]string{"-sha384"}, crypto.SHA384, false},
	"PSS SHA-256": {[]string{"-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"}, crypto.SHA256, true},
	"PSS SHA-384": {[]string{"-sha384", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:max"}, crypto.SHA384, true},
}

// Digests signs with an RSA or EC key: dgst -sign.
func (o *Tool) Digests(t *testing.T, label string) {
	public := o.Public(t, label)
	_, isRSA := public.(*rsa.PublicKey)
	file := o.File(t, "message", message)
	for name, s := range signatures {
		if s.pss && !isRSA {
			continue
		}
		args := slices.Concat([]string{"dgst", "-out", o.Path("signature"), "-sign", o.URI(label)}, o.form(), s.options, []string{file})
		o.Run(t, args...)
		h := s.hash.New()
		h.Write([]byte(message))
		if !verifies(public, &s, h.Sum(nil), o.Read(t, "signature")) {
			t.Errorf("%s: the signature by %s is not one", name, label)
		}
	}
}

// form are the arguments that say that a key is in a token.
func (o *Tool) form() []string { return o.Key("", "")[2:] }

func verifies(public crypto.PublicKey, s *signature, digest, sig []byte) bool {
	switch key := public.(type) {
	case *rsa.PublicKey:
		if s.pss {
			return rsa.VerifyPSS(key, s.hash, digest, sig, nil) == nil
		}
		return rsa.VerifyPKCS1v15(key, s.hash, digest, sig) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, digest, sig)
	}
	return false
}

// Edwards signs with an Ed25519 key, which hashes by itself: pkeyutl -sign -rawin.
func (o *Tool) Edwards(t *testing.T, label string) {
	file := o.File(t, "message", message)
	o.Run(t, append([]string{"pkeyutl", "-sign", "-rawin", "-in", file, "-out", o.Path("signature")}, o.Key("-inkey", label)...)...)
	if !ed25519.Verify(o.Public(t, label).(ed25519.PublicKey), []byte(message), o.Read(t, "signature")) {
		t.Errorf("the signature by %s is not one", label)
	}
}

// Request makes a request for a certificate, as PEM in the file NAME.csr: req -new.
func (o *Tool) Request(t *testing.T, label string) {
	o.Run(t, append([]string{"req", "-new", "-subj", "/CN=" + label, "-out", o.Path(label + ".csr")}, o.Key("-key", label)...)...)
	request, err := x509.ParseCertificateRequest(block(t, o.Read(t, label+".csr")))
	if err != nil {
		t.Fatal(err)
	}
	if err := request.CheckSignature(); err != nil {
		t.Error(err)
	}
	if public := o.Public(t, label); !public.(interface{ Equal(crypto.PublicKey) bool }).Equal(request.PublicKey) {
		t.Errorf("the request by %s is for another key", label)
	}
}

// Authority has a key be a certificate authority: its own certificate (req -x509), and one for a request (x509 -req).
func (o *Tool) Authority(t *testing.T, authority, label string) {
	o.Request(t, label)
	root, leaf := o.Path("root.crt"), o.Path("leaf.crt")
	o.Run(t, append([]string{"req", "-x509", "-new", "-subj", "/CN=Authority", "-days", "30", "-out", root}, o.Key("-key", authority)...)...)
	o.Run(t, append([]string{"x509", "-req", "-in", o.Path(label + ".csr"), "-CA", root, "-set_serial", "1", "-days", "30", "-out", leaf},
		o.Key("-CAkey", authority)...)...)
	certificate, err := x509.ParseCertificate(block(t, o.Read(t, "leaf.crt")))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(o.Read(t, "root.crt")) {
		t.Fatal("root.crt has no certificate")
	}
	if _, err := certificate.Verify(x509.VerifyOptions{Roots: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		t.Error(err)
	}
}

// Mail signs a message as S/MIME has it: cms -sign.
func (o *Tool) Mail(t *testing.T, ca *kit.CA, label string) {
	certificate := o.File(t, label+".crt", ca.Certify(t, label, o.Public(t, label)))
	file := o.File(t, "message", message)
	o.Run(t, append([]string{"cms", "-sign", "-binary", "-in", file, "-signer", certificate, "-out", o.Path("signed")}, o.Key("-inkey", label)...)...)
	kit.Run(t, "root", "openssl", "cms", "-verify", "-binary", "-in", o.Path("signed"), "-CAfile", ca.File, "-out", o.Path("verified"))
	if got := o.Read(t, "verified"); string(got) != message {
		t.Errorf("the signed message is %q", got)
	}
}

// block gives the contents of the first block of PEM.
func block(t testing.TB, text []byte) []byte {
	t.Helper()
	b, _ := pem.Decode(text)
	if b == nil {
		t.Fatalf("not PEM: %q", text)
	}
	return b.Bytes
}
