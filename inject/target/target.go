// Package target is the side of package inject that is a token: it makes the keys that packages are sealed to, and opens packages within the guard.
package target

import (
	"errors"
	"time"

	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

var errUnwritten = errors.New("not written yet")

// Options say what target to make.
type Options struct {
	Suite   inject.Suite      // "": the default
	Nonce   []byte            // of the server that will seal; nil: none
	Expires time.Time         // until when packages are accepted
	Sender  []byte            // inject.Fingerprint of the only server whose packages are accepted; nil: anyone's
	Label   string            // of the keys that are made
	Keys    []ck.ObjectHandle // private keys to take in place of new ones, in the order of the suite's roles
}

// Make makes a target of the session's token, whose user is logged in: the keys, unless there are, the guard's statement of them, the TPM's word for it. What the
// target is is kept in the token too, as private data, so that Import knows whose packages to accept. Error: CKR_FUNCTION_NOT_SUPPORTED (ck.Code) where
// the token's keys are not in a guard that can be vouched for.
func Make(s *token.Session, o *Options) (*inject.Target, error) { return nil, errUnwritten }

// List gives the targets that a token has made and not done with, for a session whose user is logged in.
func List(s *token.Session) ([]*inject.Target, error) { return nil, errUnwritten }

// Remove takes a target back: its keys, unless Make was given them, and what is kept of it. Packages for it can never be opened again.
func Remove(s *token.Session, id [16]byte) error { return errUnwritten }

// ImportOptions say how to import.
type ImportOptions struct {
	Now    time.Time                                  // zero: now
	Keep   bool                                       // keep the target for more packages; else its keys are destroyed with the import
	Rename func(i int, m *inject.Meta) (label string) // nil: labels as the package has them
}

// Imported is a key that a package brought.
type Imported struct {
	inject.Meta                 // with the label that it has now
	Private     ck.ObjectHandle // or secret
	Public      ck.ObjectHandle // of a private key's other half; 0: a secret key's
}

// Import takes in all of a package's keys in one durable step, together with a note that this package was imported, and the end of the target unless it is kept: all of
// that, or nothing. Errors: those of package inject, or of the token.
func Import(s *token.Session, p *inject.Package, o *ImportOptions) ([]Imported, error) {
	return nil, errUnwritten
}
