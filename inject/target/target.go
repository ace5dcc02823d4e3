// Package target is the side of package inject that is a token: it makes the keys that packages are sealed to, and opens packages within the guard.
package target

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
)

// What a target is is kept in the token as a private data object of applicationTarget, and that a package was imported as one of applicationDone. Their labels
// have the id.
const (
	applicationTarget = "ncrypt11 inject target"
	applicationDone   = "ncrypt11 inject"
)

// Options say what target to make.
type Options struct {
	Suite   inject.Suite      // "": the default
	Nonce   []byte            // of the server that will seal; nil: none
	Expires time.Time         // until when packages are accepted
	Sender  []byte            // inject.Fingerprint of the only server whose packages are accepted; nil: anyone's
	Label   string            // of the keys that are made
	Keys    []ck.ObjectHandle // private keys to take in place of new ones, in the order of the suite's roles
}

// Make makes a target of the session's token, whose user is logged in: the keys, unless there are, the guard's statement of them, the TPM's word for it.
// What the target is is kept in the token too, as private data, so that Import knows whose packages to accept. Error: CKR_FUNCTION_REJECTED (ck.Code) where
// the token's keys are not in a guard that can be vouched for.
func Make(s *token.Session, o *Options) (t *inject.Target, err error) {
	about := inject.About{Suite: o.Suite, Sender: o.Sender}
	if about.Suite == "" {
		about.Suite = inject.Suites()[0]
	}
	if about.Label, about.Serial, err = s.TokenName(); err != nil {
		return nil, err
	}
	rand.Read(about.ID[:])
	keys := o.Keys
	if len(keys) == 0 {
		keys, err = generate(s, &about, o.Label)
		defer func() {
			if err == nil {
				return
			}
			if failed := destroy(s, keys); failed != nil {
				err = fmt.Errorf("%w; and keys are left that were made for it: %v", err, failed)
			}
		}()
		if err != nil {
			return nil, err
		}
	}
	statement, attestation, err := s.Attest(keys, about.Asked(o.Nonce, o.Expires.UTC().Truncate(time.Second)))
	if err != nil {
		return nil, err
	}
	if t, err = inject.NewTarget(about, statement, attestation); err != nil {
		return nil, err
	}
	return t, remember(s, t)
}

// generator is how the key of a role is made.
type generator struct {
	mechanism ck.MechanismType
	public    attr.Template
}

var generators = map[ck.KeyType]generator{
	ck.CKK_ML_KEM:        {ck.CKM_ML_KEM_KEY_PAIR_GEN, attr.Template{number(ck.CKA_PARAMETER_SET, ck.CKP_ML_KEM_768)}},
	ck.CKK_EC_MONTGOMERY: {ck.CKM_EC_MONTGOMERY_KEY_PAIR_GEN, attr.Template{{Type: ck.CKA_EC_PARAMS, Value: pubkey.X25519.Params}}},
	ck.CKK_RSA:           {ck.CKM_RSA_PKCS_KEY_PAIR_GEN, attr.Template{number(ck.CKA_MODULUS_BITS, 3072)}},
}

// generate makes a key for each role, which can do nothing but what the role is for, and go nowhere. Their id is the target's, so that they are known to be its
// own. Also where it fails it gives those that it made.
func generate(s *token.Session, about *inject.About, label string) ([]ck.ObjectHandle, error) {
	if label == "" {
		label = "inject " + hex.EncodeToString(about.ID[:4])
	}
	var keys []ck.ObjectHandle
	for _, role := range about.Suite.Roles() {
		private := append(confined(ck.CKO_PRIVATE_KEY, role.Usage, role.Mechanism),
			flag(ck.CKA_TOKEN, true), text(ck.CKA_LABEL, label+" "+role.Name), attr.Attribute{Type: ck.CKA_ID, Value: about.ID[:]})
		by := generators[role.KeyType]
		public := append(by.public[:len(by.public):len(by.public)], flag(ck.CKA_TOKEN, false)) // it is in the statement, too
		half, key, err := s.GenerateKeyPair(ck.Mechanism{Type: by.mechanism}, public, private)
		if err != nil {
			return keys, fmt.Errorf("the target's %s key: %w", role.Name, err)
		}
		keys = append(keys, key)
		if err := s.DestroyObject(half); err != nil {
			return keys, err
		}
	}
	return keys, nil
}

func destroy(s *token.Session, handles []ck.ObjectHandle) (err error) {
	for _, h := range handles {
		err = errors.Join(err, s.DestroyObject(h))
	}
	return err
}

// Remove takes a target back: its keys, unless Make was given them, and what is kept of it. Packages for it can never be opened again, unless it is of
// keys that stay.
func Remove(s *token.Session, id [16]byte) error {
	known, err := find(s, kept(applicationTarget, id))
	if err != nil {
		return err
	}
	gone := known
	for _, h := range known {
		t, err := recall(s, h)
		if err != nil {
			return err
		}
		own, err := ownOf(s, t)
		if err != nil {
			return err
		}
		gone = append(gone, own...)
	}
	return s.DestroyTogether(gone...)
}
