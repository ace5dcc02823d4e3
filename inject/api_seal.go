package inject

import (
	"crypto"
	"errors"
	"io"
	"iter"
	"time"

	"filippo.io/age"
)

var errUnwritten = errors.New("not written yet")

// ParseTarget reads a target file, strictly: each target has one encoding, but for white space.
func ParseTarget(in []byte) (*Target, error) { return nil, errUnwritten }

// Encode gives the target file.
func (t *Target) Encode() ([]byte, error) { return nil, errUnwritten }

// (*Target).Check(trust attest.Trust, now time.Time, nonce []byte) (*attest.Identity, error) comes with package attest: it says whether keys may be sealed to the
// target. The identity is given as far as it was found, also with an error.

// SealOptions say how to seal.
type SealOptions struct {
	Made    time.Time     // zero: now
	Expires time.Time     // zero: when the first of the targets does, but no later than a week from Made
	Sender  crypto.Signer // Ed25519, ECDSA on P-256, or RSA; nil: not signed
}

// Seal writes a package: count keys, each for all of the targets, which must have passed Check. It closes each key's Plain. Where it fails, what was written
// is of no use. It gives the package's id.
func Seal(w io.Writer, targets []*Target, count int, keys iter.Seq2[*Key, error], o *SealOptions) (id [16]byte, err error) {
	return id, errUnwritten
}

// Package is a package as it was read: whole, of sound form, and where it has a sender signed by him. Nothing else in it is authenticated before it is opened.
type Package struct {
	ID            [16]byte
	Made, Expires time.Time
	Sender        []byte // SubjectPublicKeyInfo of who signed; nil: nobody did
	Targets       [][16]byte
	Keys          []*Meta // of each key, in order
}

// ReadPackage reads a package to its end. Errors: ErrMalformed, ErrTampered, those of the reader.
func ReadPackage(r io.Reader) (*Package, error) { return nil, errUnwritten }

// Fingerprint gives the SHA-256 of a SubjectPublicKeyInfo, which is how a target names its sender (About.Sender).
func Fingerprint(spki []byte) []byte { return nil }

// Describe makes a Key of a PKCS #8 PrivateKeyInfo: its type and its public key as they are found there, and the uses that keys of this type are for. The
// key takes over der, which is wiped.
func Describe(der []byte) (*Key, error) { return nil, errUnwritten }

// Archive writes keys into one age file, for those who recover keys: for each its label in a comment, and its PKCS #8 in PEM (AES keys: hexadecimal digits). It leaves
// the keys as they are.
func Archive(w io.Writer, recipients []age.Recipient, keys iter.Seq2[*Key, error]) error {
	return errUnwritten
}
