// Package pinseal seals master keys under a PIN, with Argon2id and AES-256-GCM and nothing but the processor. FORMAT.md has the
// bytes.
package pinseal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/crypto/argon2"

	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Cost is what one guess of a PIN costs: the Argon2id parameters of RFC 9106.
type Cost struct {
	Passes  uint32
	KiB     uint32
	Threads uint8
}

// DefaultCost is 19 MiB and two passes in one thread, about 20 ms: enough to be felt by who guesses, and little enough to be asked of
// every program that logs in.
var DefaultCost = Cost{Passes: 2, KiB: 19 * 1024, Threads: 1}

// The cost that a sealed master key asks for comes from a file. These bounds keep a hostile one from using up the machine.
const (
	maxPasses  = 64
	maxKiB     = 1 << 20
	maxThreads = 16
	maxWork    = 4 << 20 // passes times KiB
)

func (c Cost) ok() bool {
	return c.Passes >= 1 && c.Passes <= maxPasses &&
		c.Threads >= 1 && c.Threads <= maxThreads &&
		c.KiB >= 8*uint32(c.Threads) && c.KiB <= maxKiB &&
		uint64(c.Passes)*uint64(c.KiB) <= maxWork
}

// Sealer is a seal.Sealer. Without a PIN it seals under a random key that stands beside the ciphertext: then nothing but the file's
// permissions protect the master key.
type Sealer struct {
	cost Cost
	one  sync.Mutex // one derivation at a time: parallel logins queue up and do not add up their memory
}

var _ seal.Sealer = (*Sealer)(nil)

// Option changes a Sealer.
type Option func(*Sealer)

// WithCost seals at another cost than DefaultCost. Unseal takes what the sealed bytes say.
func WithCost(c Cost) Option { return func(s *Sealer) { s.cost = c } }

// New returns a sealer.
func New(options ...Option) *Sealer {
	s := &Sealer{cost: DefaultCost}
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
	if !s.cost.ok() {
		return nil, errors.New("the Argon2id cost is out of bounds")
	}
	h := header{kind: kindOpen}
	if auth != nil {
		h.kind, h.cost = kindPIN, s.cost
	}
	rand.Read(h.salt[:])
	rand.Read(h.nonce[:])

	blob := h.append(nil)
	aead, err := s.aead(&h, auth)
	if err != nil {
		return nil, err
	}
	blob = aead.Seal(blob, h.nonce[:], master.Bytes(), associated(blob, context))
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
	aead, err := s.aead(h, auth)
	if err != nil {
		return nil, err
	}
	master := secret.New(len(ciphertext) - aead.Overhead())
	if _, err := aead.Open(master.Bytes()[:0], h.nonce[:], ciphertext, associated(head, context)); err != nil {
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
func (s *Sealer) aead(h *header, auth *secret.Bytes) (cipher.AEAD, error) {
	kek := h.salt[:]
	if h.kind == kindPIN {
		s.one.Lock()
		kek = argon2.IDKey(auth.Bytes(), h.salt[:], h.cost.Passes, h.cost.KiB, h.cost.Threads, kekLen)
		s.one.Unlock()
		defer secret.Wipe(kek)
	}
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
