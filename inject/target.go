package inject

import (
	"crypto/sha256"
	"fmt"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"

	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

// About is what a target says of itself that its guard does not know. The guard's statement has its hash (Context).
type About struct {
	Suite  Suite
	ID     [16]byte // random
	Label  string   // of the token
	Serial string   // of the token
	Sender []byte   // SHA-256 of the SubjectPublicKeyInfo of the only server whose packages are accepted; nil: anyone's are
}

// Target is what packages are sealed to: keys in a guard, and a TPM's word for them. What it says is to be believed after Check only.
type Target struct {
	About
	Statement   []byte            // of the guard: keys, their policies, when it was made, until when it holds, a nonce
	Stated      *guard.Statement  // the same, decoded
	Attestation *seal.Attestation // of Statement

	checked bool
}

// Bounds of what is said in words.
const (
	maxLabel  = 255
	maxSerial = 64
	senderLen = sha256.Size
)

// Context is what the guard states of the rest: the SHA-256 of its only encoding.
func (a *About) Context() []byte {
	var b cryptobyte.Builder
	b.AddBytes([]byte("ncrypt11 inject v1 target\x00"))
	for _, field := range [][]byte{[]byte(a.Suite), a.ID[:], []byte(a.Label), []byte(a.Serial), a.Sender} {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(field) })
	}
	sum := sha256.Sum256(b.BytesOrPanic())
	return sum[:]
}

// Digest is the SHA-256 of the statement, which has the keys and, by the context, all else: who knows it to be right, knows which target it is of all that a machine has.
func (t *Target) Digest() [sha256.Size]byte { return sha256.Sum256(t.Statement) }

// Asked is what the guard is to be asked to state, for a server that gave a nonce (nil: none did), until a time in whole seconds.
func (a *About) Asked(nonce []byte, expires time.Time) *guard.Asked {
	return &guard.Asked{Nonce: nonce, Expires: expires, Context: a.Context()}
}

func (a *About) valid() error {
	switch {
	case a.Suite.Roles() == nil:
		return fmt.Errorf("%w target: suite %q is not known here", ErrMalformed, a.Suite)
	case len(a.Label) > maxLabel || !utf8.ValidString(a.Label):
		return fmt.Errorf("%w target: its label is longer than %d bytes, or no text", ErrMalformed, maxLabel)
	case len(a.Serial) > maxSerial || !utf8.ValidString(a.Serial):
		return fmt.Errorf("%w target: its serial number is longer than %d bytes, or no text", ErrMalformed, maxSerial)
	case len(a.Sender) != 0 && len(a.Sender) != senderLen:
		return fmt.Errorf("%w target: the sender is named by %d bytes: the SHA-256 of his public key has %d", ErrMalformed, len(a.Sender), senderLen)
	}
	return nil
}

// NewTarget puts a target together from what its guard and its TPM say. It does not check whether that holds.
func NewTarget(about About, statement []byte, a *seal.Attestation) (*Target, error) {
	if err := about.valid(); err != nil {
		return nil, err
	}
	stated, err := guard.DecodeStatement(statement)
	if err != nil {
		return nil, fmt.Errorf("%w target: %w", ErrMalformed, err)
	}
	if n := len(about.Suite.Roles()); len(stated.Keys) != n {
		return nil, fmt.Errorf("%w target: its guard speaks of %d keys, %s has %d", ErrMalformed, len(stated.Keys), about.Suite, n)
	}
	return &Target{About: about, Statement: statement, Stated: stated, Attestation: a}, nil
}
