// Package keyfile reads the private keys, public keys and certificates that people have on disk: PEM and DER, PKCS #1, PKCS #8
// (plain and encrypted), SEC 1, PKCS #12, OpenSSH, X.509 and PKIX.
//
// A file is read whole or not at all: whatever in it cannot be used is an [Error] that says where it stands, what is wrong and what
// to do. Only what a PEM file is commonly accompanied by, curve and Diffie-Hellman parameters, is passed over.
package keyfile

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/ncrypt11/ncrypt11/token/secret"
)

// MaxSize is the size in bytes of the largest file that Parse reads.
const MaxSize = 1 << 20

// File is what a key file holds, each kind in the order of the file.
type File struct {
	Keys         []Key
	PublicKeys   []crypto.PublicKey
	Certificates []*x509.Certificate
}

// Key is a private key and where it came from.
type Key struct {
	// Private is an *rsa.PrivateKey with two primes, an *ecdsa.PrivateKey on P-256, P-384 or P-521, an ed25519.PrivateKey, an
	// *ecdh.PrivateKey on X25519, or an *mldsa.PrivateKey. Its parts have been checked against each other.
	Private crypto.PrivateKey
	// Comment is the comment of an unencrypted OpenSSH key; empty otherwise.
	Comment string
	// Source names the place in the file: "PEM block 2 (EC PRIVATE KEY)".
	Source string
}

// Passphrase is asked for the passphrase of what hint names. Parse closes what it returns.
type Passphrase func(hint string) (*secret.Bytes, error)

// Parse reads a key file. The format is told from the contents, never from a file name. ask is called once for each encrypted
// item, and may be nil: an encrypted item is then refused with ErrPassphraseNeeded. The caller wipes data, and the File when done.
func Parse(data []byte, ask func(hint string) (*secret.Bytes, error)) (*File, error) {
	p := &parser{file: new(File), ask: ask}
	if err := p.parse(data); err != nil {
		p.file.Wipe()
		return nil, err
	}
	return p.file, nil
}

// parser carries one call of Parse.
type parser struct {
	file *File
	ask  Passphrase
}

// block is one encoded item: a PEM block, or the whole of a DER file.
type block struct {
	where string
	label string // of PEM; empty for DER
	der   []byte
}

func (p *parser) parse(data []byte) error {
	switch {
	case len(data) == 0:
		return &Error{Err: errors.New("the file is empty")}
	case len(data) > MaxSize:
		return &Error{Err: errors.New("the file is larger than 1 MiB"), Advice: "no key file is; check the name"}
	}
	if isPEM(data) {
		return p.parsePEM(data)
	}
	if err := foreign(data); err != nil {
		return err
	}
	return p.parseBlock(block{where: "DER file", der: data})
}

// addKey accepts a private key into the file, or wipes it.
func (p *parser) addKey(b block, private crypto.PrivateKey, comment string) error {
	private, err := acceptPrivate(private)
	if err != nil {
		wipeKey(private)
		return b.fail(err)
	}
	p.file.Keys = append(p.file.Keys, Key{Private: private, Comment: comment, Source: b.where})
	return nil
}

// addCertificate adds a copy: x509 keeps slices of what it parses, which belongs to the caller or is about to be wiped.
func (p *parser) addCertificate(b block, der []byte) error {
	certificate, err := x509.ParseCertificate(bytes.Clone(der))
	if err != nil {
		return b.fail(fmt.Errorf("the certificate cannot be read: %w", err))
	}
	p.file.Certificates = append(p.file.Certificates, certificate)
	return nil
}

// passphrase asks for the passphrase of b; the caller closes it.
func (p *parser) passphrase(b block) (*secret.Bytes, error) {
	if p.ask == nil {
		return nil, b.fail(ErrPassphraseNeeded)
	}
	pass, err := p.ask(b.where)
	if err != nil {
		pass.Close()
		return nil, b.fail(err)
	}
	return pass, nil
}
