// Package attest says what a TPM's word for a statement is worth, to who has no TPM himself.
//
// An attestation has two roots, and each proves something else:
//
//   - The attestation key signed. Who knows that key to be a TPM's (its fingerprint was read on the machine itself) knows at once that the statement is that TPM's.
//   - The endorsement key opens. Who knows that key to be a TPM's, by its maker's certificate or its fingerprint, knows that of all who read a credential
//     (MakeCredential) only that TPM can open it, and only if the attestation key of this attestation is its own. Until a credential was opened, the attestation key
//     may be anybody's; what was encrypted with the credential's secret, nobody else reads all the same.
//
// The second needs no answer of the machine: a secret that depends on both the statement's keys and the credential is out of reach of all but that TPM, in either case.
package attest

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ncrypt11/ncrypt11/token/seal"
)

// Trust is which TPMs are believed: those that a maker's certificate vouches for, and those that are known by a fingerprint. One of the two is enough.
type Trust struct {
	// EKRoots are those who certify endorsement keys: the makers of TPMs. Most TPMs do not keep their issuers' certificates, so those between may have to be in here, too.
	// Nil: no certificate is believed.
	EKRoots *x509.CertPool
	// Fingerprints are Identity's: of endorsement keys or attestation keys.
	Fingerprints [][32]byte
	// Time is when the certificates must be valid. Zero: now.
	Time time.Time
}

// Identity is which TPM it was.
type Identity struct {
	EKFingerprint [32]byte // SHA-256 of the endorsement key's Name
	AKFingerprint [32]byte // SHA-256 of the attestation key's Name

	// EKTrusted: a certificate or a fingerprint says that the endorsement key is a TPM's that is believed. Only that TPM opens what MakeCredential makes; the statement is
	// its own once it has opened one.
	EKTrusted bool
	// AKTrusted: a fingerprint says that the attestation key is. The statement is that TPM's. Nothing is said of the endorsement key, if EKTrusted is not set.
	AKTrusted bool

	// Certificate is the endorsement key's, if it leads to one of the roots; else nil, and the names below are empty.
	Certificate  *x509.Certificate
	Manufacturer string // as "INTC", where it is letters
	Model        string
	Version      string

	Firmware string // of the TPM, "7.2.3.1", by the attestation key's word
}

// UntrustedError says that an attestation is sound in itself, and whose it is, but that nothing says that this TPM is to be believed.
type UntrustedError struct {
	Identity *Identity
	Reason   error // why the roots did not help
}

// Error names the fingerprints, for somebody to compare.
func (e *UntrustedError) Error() string {
	return fmt.Sprintf("the TPM is not known: its endorsement key is %x and its attestation key %x; %v", e.Identity.EKFingerprint, e.Identity.AKFingerprint, e.Reason)
}

func (e *UntrustedError) Unwrap() error { return e.Reason }

// Verify checks that a is the word of one TPM for statement, link by link, and that this TPM is to be believed. It answers an *Error that names the link which does not
// hold, or an *UntrustedError where all do. What the statement says, when it was made and whom it answers is the caller's to check.
func Verify(statement []byte, a *seal.Attestation, trust Trust) (*Identity, error) {
	if err := Check(a); err != nil {
		return nil, err
	}
	keys, err := readKeys(a)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(statement)
	said, err := keys.certified(a.Certified, digest)
	if err != nil {
		return nil, failed(LinkCertified, err)
	}
	if err := verify(keys.ak, sha256.Sum256(a.Certified), a.Certificate); err != nil {
		return nil, failed(LinkCertificate, err)
	}
	if err := verify(keys.key, digest, a.Signature); err != nil {
		return nil, failed(LinkSignature, err)
	}
	certificates, err := keys.certificates(a.EKCertificates)
	if err != nil {
		return nil, failed(LinkEKCertificates, err)
	}
	identity := &Identity{EKFingerprint: keys.ek.Fingerprint(), AKFingerprint: keys.ak.Fingerprint(), Firmware: said.firmware}
	return trust.believe(identity, certificates)
}

// believe says why an identity may be believed.
func (t *Trust) believe(id *Identity, certificates []*x509.Certificate) (*Identity, error) {
	id.EKTrusted = slices.Contains(t.Fingerprints, id.EKFingerprint)
	id.AKTrusted = slices.Contains(t.Fingerprints, id.AKFingerprint)
	err := t.chain(certificates)
	if err == nil {
		id.EKTrusted, id.Certificate = true, certificates[0]
		id.Manufacturer, id.Model, id.Version = names(id.Certificate)
	}
	if !id.EKTrusted && !id.AKTrusted {
		return nil, &UntrustedError{id, err}
	}
	return id, nil
}

// keys are the three keys of an attestation, each by its template.
type keys struct{ ek, ak, key *Key }

func readKeys(a *seal.Attestation) (k keys, err error) {
	if k.ek, err = readEK(a.EKPublic); err != nil {
		return k, err
	}
	if k.ak, err = AttestationKey.Read(a.AKPublic); err != nil {
		return k, failed(LinkAK, err)
	}
	if k.key, err = StatementKey.Read(a.KeyPublic); err != nil {
		return k, failed(LinkKey, err)
	}
	return k, nil
}

func readEK(public []byte) (*Key, error) {
	ecc, err := ECCEndorsementKey.Read(public)
	if err == nil {
		return ecc, nil
	}
	rsa, other := RSAEndorsementKey.Read(public)
	if other == nil {
		return rsa, nil
	}
	return nil, failed(LinkEK, fmt.Errorf("%w; %w", err, other))
}

// verify checks a signature (TPMT_SIGNATURE) of a key on P-256.
func verify(by *Key, digest [sha256.Size]byte, signature []byte) error {
	r, s, err := readSignature(signature)
	if err != nil {
		return err
	}
	public, ok := by.Public.(*ecdsa.PublicKey)
	if !ok || !ecdsa.Verify(public, digest[:], r, s) {
		return errors.New("the signature is not the key's")
	}
	return nil
}

// printable leaves out of a text from outside what a terminal might act on.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, text)
}
