// Package pinseal seals master keys under a PIN, with Argon2id and AES-256-GCM and nothing but the processor. FORMAT.md has the
// bytes.
package pinseal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/seal/pinhash"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Cost is what one guess of a PIN costs.
type Cost = pinhash.Cost

// Sealer is a seal.Sealer. Without a PIN it seals under a random key that stands beside the ciphertext: then nothing but the file's
// permissions protect the master key.
type Sealer struct {
	cost Cost
}

var _ seal.Sealer = (*Sealer)(nil)

// Option changes a Sealer.
type Option func(*Sealer)

// WithCost seals at another cost than pinhash.Default. Unseal takes what the sealed bytes say.
func WithCost(c Cost) Option { return func(s *Sealer) { s.cost = c } }

// New returns a sealer.
func New(options ...Option) *Sealer {
	s := &Sealer{cost: pinhash.Default}
	for _, set := range options {
		set(s)
	}
	return s
}

// Seal binds master to the PIN auth (nil: to nothing) and to context. Software keeps no other promise: seal.ErrTerms.
func (s *Sealer) Seal(master, auth *secret.Bytes, context []byte, terms *seal.Terms) ([]byte, error) {
	if !terms.Empty() {
		return nil, seal.ErrTerms
	}
	if master.Len() == 0 || master.Len() > maxMaster {
		return nil, fmt.Errorf("a master key of %d bytes cannot be sealed", master.Len())
	}
	if !s.cost.OK() {
		return nil, errors.New("the Argon2id cost is out of bounds")
	}
	h := header{kind: kindOpen}
	if auth != nil {
		h.kind, h.cost = kindPIN, s.cost
	}
	rand.Read(h.salt[:])
	rand.Read(h.nonce[:])

	blob := h.append(nil)
	gcm, err := aead(&h, auth)
	if err != nil {
		return nil, err
	}
	blob = gcm.Seal(blob, h.nonce[:], master.Bytes(), associated(blob, context))
	return appendChecksum(blob, context), nil
}

// Unseal gives the master key back. It fails with seal.ErrAuth where the PIN is wrong, missing or one too many, and with
// seal.ErrDamaged where the bytes or the context are not those of Seal.
func (s *Sealer) Unseal(sealed []byte, auth *secret.Bytes, context []byte) (*secret.Bytes, error) {
	h, head, ciphertext, err := parse(sealed, context)
	if err != nil {
		return nil, err
	}
	if (h.kind == kindPIN) != (auth != nil) {
		return nil, seal.ErrAuth
	}
	gcm, err := aead(h, auth)
	if err != nil {
		return nil, err
	}
	master := secret.New(len(ciphertext) - gcm.Overhead())
	if _, err := gcm.Open(master.Bytes()[:0], h.nonce[:], ciphertext, associated(head, context)); err != nil {
		master.Close()
		if h.kind == kindOpen {
			return nil, seal.ErrDamaged
		}
		return nil, seal.ErrAuth
	}
	return master, nil
}

// Terms gives none: software has nothing to promise.
func (s *Sealer) Terms([]byte) (*seal.Terms, error) { return &seal.Terms{}, nil }

// PINLimit is 0: a counter beside the sealed bytes would be as easy to copy as they are. The token counts.
func (s *Sealer) PINLimit() int { return 0 }

// aead is the cipher that h and the PIN give.
func aead(h *header, auth *secret.Bytes) (cipher.AEAD, error) {
	kek := h.salt[:]
	if h.kind == kindPIN {
		hash := h.cost.Hash(auth, h.salt[:])
		defer hash.Close()
		kek = hash.Bytes()
	}
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
