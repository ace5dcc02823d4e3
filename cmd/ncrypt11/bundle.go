package main

import (
	"crypto"
	"crypto/sha1" // names keys; nothing is trusted because of it
	"crypto/x509"
	"path/filepath"
	"strings"

	"github.com/ncrypt11/ncrypt11/cmd/ncrypt11/keyfile"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// bundle is what belongs together: a public key, its private half where there is one, its certificates.
type bundle struct {
	public       crypto.PublicKey // nil for a certificate of a key that tokens cannot have
	private      crypto.PrivateKey
	certificates []*x509.Certificate
	bare         bool // the public key itself was in a file, not only a certificate of it
	comment      string
	file         string // where the first of it was found
}

// gathering sorts what was read from files into bundles.
type gathering struct {
	bundles []*bundle
	byID    map[string][]*bundle // those with a public key, by its keyID: there may be thousands
}

// of gives the bundle of a public key, a new one where there is none.
func (g *gathering) of(public crypto.PublicKey, name string) *bundle {
	if key := latticeOf(public); key != nil {
		public = key.public // a file's and a certificate's are of two types
	}
	id, named := keyID(public)
	for _, b := range g.byID[string(id)] {
		if samePublic(b.public, public) {
			return b
		}
	}
	b := &bundle{public: public, file: name}
	g.bundles = append(g.bundles, b)
	if named {
		if g.byID == nil {
			g.byID = map[string][]*bundle{}
		}
		g.byID[string(id)] = append(g.byID[string(id)], b)
	}
	return b
}

// add sorts what was read from a file.
func (g *gathering) add(name string, file *keyfile.File) {
	for _, key := range file.Keys {
		b := g.of(key.Private.(interface{ Public() crypto.PublicKey }).Public(), name)
		b.private, b.comment, b.file = key.Private, key.Comment, name
	}
	for _, public := range file.PublicKeys {
		g.of(public, name).bare = true
	}
	for _, cert := range file.Certificates {
		b := g.of(certified(cert), name)
		b.certificates = append(b.certificates, cert)
	}
}

// certified is the key of a certificate; nil where tokens cannot have it. x509 does not know ML-DSA.
func certified(cert *x509.Certificate) crypto.PublicKey {
	if _, ok := keyID(cert.PublicKey); ok {
		return cert.PublicKey
	}
	if public, err := pubkey.ParseSPKI(cert.RawSubjectPublicKeyInfo); err == nil && latticeOf(public) != nil {
		return public
	}
	return nil
}

func samePublic(a, b crypto.PublicKey) bool {
	comparable, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && b != nil && comparable.Equal(b)
}

// id names the bundle where nobody else did.
func (b *bundle) id() []byte {
	if id, ok := keyID(b.public); ok {
		return id
	}
	id := sha1.Sum(b.certificates[0].RawSubjectPublicKeyInfo)
	return id[:]
}

// label is what the bundle calls itself: by the key's comment, by its certificate's subject, or by the name of its file.
func (b *bundle) label() string {
	if b.comment != "" {
		return b.comment
	}
	for _, cert := range b.certificates {
		if cert.Subject.CommonName != "" {
			return cert.Subject.CommonName
		}
	}
	name := filepath.Base(b.file)
	return strings.TrimSuffix(name, filepath.Ext(name))
}
