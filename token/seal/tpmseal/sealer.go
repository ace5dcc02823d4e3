package tpmseal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/seal/pinhash"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Sealer is a seal.Sealer. A master key is encrypted with a key that the TPM keeps in a data object, under the hash of the PIN.
type Sealer struct {
	tpm   *TPM
	tries Tries // nil: only the TPM counts
	limit int
	cost  pinhash.Cost
	boot  func() ([bootLen]byte, error)
}

var _ seal.Sealer = (*Sealer)(nil)

// Option changes a Sealer.
type Option func(*Sealer)

// WithTries counts wrong PINs, and lets limit of them pass.
func WithTries(tries Tries, limit int) Option {
	return func(s *Sealer) { s.tries, s.limit = tries, limit }
}

// WithCost seals at another cost than pinhash.Default. Unseal takes what the sealed bytes say.
func WithCost(c pinhash.Cost) Option { return func(s *Sealer) { s.cost = c } }

// WithBoot takes another number for this boot of the machine than the kernel's.
func WithBoot(id [16]byte) Option {
	return func(s *Sealer) { s.boot = func() ([bootLen]byte, error) { return id, nil } }
}

// New returns a sealer. It reads the kernel's number of this boot at once: a sandbox may come that hides it.
func New(tpm *TPM, options ...Option) *Sealer {
	id, err := bootID()
	s := &Sealer{tpm: tpm, limit: DefaultLimit, cost: pinhash.Default, boot: func() ([bootLen]byte, error) { return id, err }}
	for _, set := range options {
		set(s)
	}
	return s
}

// Seal binds master to the TPM, to the PIN auth (nil: to none), to context and to terms.
func (s *Sealer) Seal(master, auth *secret.Bytes, context []byte, terms *seal.Terms) ([]byte, error) {
	if master.Len() == 0 || master.Len() > maxMaster {
		return nil, fmt.Errorf("a master key of %d bytes cannot be sealed", master.Len())
	}
	b, err := s.promise(auth != nil, terms)
	if err != nil {
		return nil, err
	}
	b.object.policy = b.policy(context)
	value := b.authValue(auth)
	defer value.Close()
	key := secret.New(32)
	defer key.Close()
	rand.Read(key.Bytes())
	err = s.tpm.operate(func(o *operation) error {
		p, err := o.newParent(hierarchy(b.terms))
		if err != nil {
			return err
		}
		defer p.done()
		b.parent = digestOf(p)
		return o.create(p, &b.object, key, value)
	})
	if err != nil {
		return nil, err
	}
	rand.Read(b.nonce[:])
	b.head = b.appendHead(nil)
	gcm, err := aead(key)
	if err != nil {
		return nil, err
	}
	return appendChecksum(gcm.Seal(b.head, b.nonce[:], master.Bytes(), associated(b.head, context))), nil
}

// promise begins a blob: what is known before the TPM is asked.
func (s *Sealer) promise(pin bool, terms *seal.Terms) (*blob, error) {
	b := &blob{terms: &seal.Terms{}}
	if terms != nil {
		b.terms = terms
	}
	if err := b.terms.Check(); err != nil {
		return nil, err
	}
	if b.terms.PerBoot {
		id, err := s.boot()
		if err != nil {
			return nil, ck.Errorf(ck.CKR_FUNCTION_REJECTED, "%w: %v", seal.ErrTerms, err)
		}
		b.boot = id
	}
	if b.object.pin = pin; pin {
		if !s.cost.OK() {
			return nil, errors.New("the Argon2id cost is out of bounds")
		}
		b.cost = s.cost
		rand.Read(b.salt[:])
	}
	return b, nil
}

// Terms reads what sealed says of itself. It proves nothing.
func (s *Sealer) Terms(sealed []byte) (*seal.Terms, error) {
	b, err := parse(sealed)
	if err != nil {
		return nil, err
	}
	return b.terms, nil
}

// Unseal gives the master key back. What can be known without the TPM is found first, what can be known without the PIN next; then a try is
// counted, and the TPM decides.
func (s *Sealer) Unseal(sealed []byte, auth *secret.Bytes, context []byte) (*secret.Bytes, error) {
	b, err := parse(sealed)
	if err != nil {
		return nil, err
	}
	if err := s.alive(b); err != nil {
		return nil, err
	}
	switch {
	case b.object.policy != b.policy(context):
		return nil, seal.ErrDamaged
	case b.object.pin != (auth != nil):
		return nil, seal.ErrAuth
	}
	key, err := s.open(b, auth)
	if err != nil {
		return nil, err
	}
	defer key.Close()
	gcm, err := aead(key)
	if err != nil {
		return nil, seal.ErrDamaged // the TPM held something of another size
	}
	master := secret.New(len(b.ciphertext) - tagLen)
	if _, err := gcm.Open(master.Bytes()[:0], b.nonce[:], b.ciphertext, associated(b.head, context)); err != nil {
		master.Close()
		return nil, seal.ErrDamaged
	}
	return master, nil
}

// open has the TPM give out the key.
func (s *Sealer) open(b *blob, auth *secret.Bytes) (key *secret.Bytes, err error) {
	value := b.authValue(auth)
	defer value.Close()
	err = s.tpm.operate(func(o *operation) error {
		p, err := o.parentNamed(hierarchy(b.terms), nameOf(b.parent))
		if errors.Is(err, errOtherParent) {
			if b.terms.PerBoot {
				return seal.ErrDead
			}
			return seal.ErrForeign
		}
		if err != nil {
			return err
		}
		defer p.done()
		key, err = s.try(o, p, &b.object, value)
		return err
	})
	return key, err
}

// nameAlg stands before the digest in a Name: TPM_ALG_SHA256.
var nameAlg = []byte{0x00, 0x0B}

func digestOf(p *parent) [parentLen]byte { return [parentLen]byte(p.name.Buffer[len(nameAlg):]) }

func nameOf(digest [parentLen]byte) []byte { return slices.Concat(nameAlg, digest[:]) }

func aead(key *secret.Bytes) (cipher.AEAD, error) {
	if key.Len() != 32 {
		return nil, errors.New("an AES-256 key of another length")
	}
	block, err := aes.NewCipher(key.Bytes())
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// associated is the data that AES-GCM authenticates beside the master key.
func associated(head, context []byte) []byte {
	return append(slices.Clip(head), context...)
}
