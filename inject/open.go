package inject

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

// Opener is the target's guard, by the functions of PKCS #11. What it gives are keys that stay in there, of 32 bytes, each good for nothing but the next
// step. It forgets them itself, in the end. Errors have a CK_RV.
type Opener interface {
	Decapsulate(ciphertext []byte) (ck.ObjectHandle, error)    // C_DecapsulateKey, CKM_ML_KEM
	Agree(public []byte) (ck.ObjectHandle, error)              // C_DeriveKey, CKM_ECDH1_DERIVE with CKD_NULL
	UnwrapOAEP(wrapped, label []byte) (ck.ObjectHandle, error) // C_UnwrapKey, CKM_RSA_PKCS_OAEP with SHA-256
	Activate(blob, encrypted []byte) (ck.ObjectHandle, error)  // TPM2_ActivateCredential
	Combine(c Combination) (ck.ObjectHandle, error)            // C_DeriveKey, CKM_HKDF_DERIVE with SHA-256, both steps, and a key as its salt
}

// Combination is one step of making the key that a target's part of a package is under.
type Combination struct {
	Base, Salt ck.ObjectHandle
	Info       []byte
	Last       bool // what comes out is that key: an AES key that unwraps
}

// Sealed is a key as AES-256-GCM has encrypted it. Its tag has 16 bytes and is at the end.
type Sealed struct {
	Nonce, Associated, Wrapped []byte
}

// Opened is a package that a target has the key of. Whether that is the right one, the first key shows.
type Opened struct {
	Key     ck.ObjectHandle
	Package *Package
	at      int // of the target
}

// Sealed is a key as it is encrypted, for C_UnwrapKeyAuthenticated.
func (o *Opened) Sealed(i int) Sealed {
	p := o.Package
	return Sealed{Nonce: nonceOf(i), Associated: keyAAD(p.transcript, i, p.header.count, p.metas[i]), Wrapped: p.sealed[i][o.at]}
}

// Open has a target find the key that its part of the package is under, in an order in which nothing secret is touched for a package that is not for it,
// from somebody else than its sender, or out of date. Errors: ErrOtherTarget, ErrSender, ErrExpired, ErrTampered, the opener's.
func (p *Package) Open(t *Target, now time.Time, o Opener) (*Opened, error) {
	at := slices.Index(p.Targets, t.ID)
	if at < 0 {
		return nil, fmt.Errorf("the package is %w", ErrOtherTarget)
	}
	one := p.header.stanzas[at]
	if one.suite != t.Suite || one.statement != t.Digest() {
		return nil, fmt.Errorf("the package is %w: one of this id, and another statement", ErrOtherTarget)
	}
	if len(t.Sender) > 0 && (len(p.Sender) == 0 || !bytes.Equal(Fingerprint(p.Sender), t.Sender)) {
		return nil, fmt.Errorf("the package is %w: the target accepts those of %x only", ErrSender, t.Sender)
	}
	if err := valid("the package", p.Made, p.Expires, now); err != nil {
		return nil, err
	}
	if err := valid("the target", t.Stated.Made, t.Stated.Asked.Expires, now); err != nil {
		return nil, err
	}
	key, err := p.find(one, o)
	return &Opened{key, p, at}, err
}

// find has the target find its secrets, and combine them.
func (p *Package) find(one *stanza, o Opener) (ck.ObjectHandle, error) {
	var secrets []ck.ObjectHandle
	for i, role := range one.suite.Roles() {
		found, err := role.find(o, one.shares[i])
		if err != nil {
			return 0, Judged(err, "what is for the target's "+role.Name+" key")
		}
		secrets = append(secrets, found)
	}
	bound, err := o.Activate(one.credential, one.encrypted)
	if err != nil {
		return 0, Judged(err, "its credential")
	}
	key := secrets[0]
	salts := append(secrets[1:], bound)
	for i, salt := range salts {
		info := combineInfo(i, one.suite, one.target, p.transcript)
		if key, err = o.Combine(Combination{Base: key, Salt: salt, Info: info, Last: i == len(salts)-1}); err != nil {
			return 0, err
		}
	}
	return key, nil
}

// find has the key of this role find the secret that a share is for.
func (r *Role) find(o Opener, share []byte) (ck.ObjectHandle, error) {
	switch r.Mechanism {
	case ck.CKM_ML_KEM:
		return o.Decapsulate(share)
	case ck.CKM_ECDH1_DERIVE:
		return o.Agree(share)
	}
	return o.UnwrapOAEP(share, []byte(OAEPLabel))
}

// verdicts are the codes by which a guard says that what it was given is not what was made for it.
var verdicts = []ck.RV{
	ck.CKR_WRAPPED_KEY_INVALID, ck.CKR_WRAPPED_KEY_LEN_RANGE, ck.CKR_ENCRYPTED_DATA_INVALID, ck.CKR_ENCRYPTED_DATA_LEN_RANGE, ck.CKR_PUBLIC_KEY_INVALID,
	ck.CKR_AEAD_DECRYPT_FAILED,
}

// Judged is the guard's error, as ErrTampered where it says that of what was given to it.
func Judged(err error, what string) error {
	verdict := slices.Contains(verdicts, ck.Code(err)) || errors.Is(err, seal.ErrForeign) || errors.Is(err, seal.ErrDamaged)
	if err == nil || !verdict || errors.Is(err, ErrTampered) {
		return err
	}
	return fmt.Errorf("the package was %w: %s cannot be opened: %w", ErrTampered, what, err)
}
