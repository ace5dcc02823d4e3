package inject

import (
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// Bounds of a package.
const (
	MaxKeys    = 100_000
	MaxTargets = 64

	maxHeader = MaxTargets*maxStanza + 4<<10
	maxStanza = 4 << 10
	maxSender = 1 << 10
	maxSealed = maxPlain + tagLen
)

const packageMagic = "ncrypt11 package 1\n"

// header is what comes before the keys.
type header struct {
	id            [16]byte
	made, expires time.Time
	count         int
	sender        []byte
	stanzas       []*stanza
}

// stanza is what one target finds the key by that its part of the package is under.
type stanza struct {
	suite      Suite
	target     [16]byte
	statement  [32]byte // the SHA-256 of the guard's statement, which has the public keys and the context
	shares     [][]byte // of each role: a ciphertext, or a public key
	credential []byte   // TPM2B_ID_OBJECT
	encrypted  []byte   // TPM2B_ENCRYPTED_SECRET
}

// encode gives the only encoding: what the transcript is made of.
func (h *header) encode() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddBytes(h.id[:])
	b.AddUint64(uint64(h.made.Unix()))
	b.AddUint64(uint64(h.expires.Unix()))
	b.AddUint32(uint32(h.count))
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(h.sender) })
	b.AddUint16(uint16(len(h.stanzas)))
	for _, s := range h.stanzas {
		b.AddUint16LengthPrefixed(s.encode)
	}
	return b.Bytes()
}

func (s *stanza) encode(b *cryptobyte.Builder) {
	b.AddBytes(s.target[:])
	b.AddBytes(s.statement[:])
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(s.suite)) })
	for _, share := range append(s.shares[:len(s.shares):len(s.shares)], s.credential, s.encrypted) {
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(share) })
	}
}

// decodeHeader reads what encode wrote, and nothing else. The result aliases in.
func decodeHeader(in []byte) (*header, error) {
	malformed := func(what string) (*header, error) {
		return nil, fmt.Errorf("%w package: its header %s", ErrMalformed, what)
	}
	s := cryptobyte.String(in)
	var h header
	var made, expires uint64
	var count uint32
	var sender cryptobyte.String
	var stanzas uint16
	if !s.CopyBytes(h.id[:]) || !s.ReadUint64(&made) || !s.ReadUint64(&expires) || !s.ReadUint32(&count) ||
		!s.ReadUint16LengthPrefixed(&sender) || !s.ReadUint16(&stanzas) {
		return malformed("ends early")
	}
	const farAway = 1 << 40 // seconds; beyond, times overflow
	switch {
	case made >= expires || expires > farAway:
		return malformed("has times that cannot be")
	case count == 0 || count > MaxKeys:
		return malformed(fmt.Sprintf("speaks of %d keys: 1 to %d", count, MaxKeys))
	case len(sender) > maxSender:
		return malformed("has a sender that is too long")
	case stanzas == 0 || stanzas > MaxTargets:
		return malformed(fmt.Sprintf("speaks of %d targets: 1 to %d", stanzas, MaxTargets))
	}
	h.made, h.expires, h.count, h.sender = unix(made), unix(expires), int(count), sender
	seen := map[[16]byte]bool{}
	for range stanzas {
		var encoded cryptobyte.String
		if !s.ReadUint16LengthPrefixed(&encoded) || len(encoded) > maxStanza {
			return malformed("has a target that is cut off, or too long")
		}
		one, err := decodeStanza(encoded)
		if err != nil {
			return nil, err
		}
		if seen[one.target] {
			return malformed("has a target twice")
		}
		seen[one.target] = true
		h.stanzas = append(h.stanzas, one)
	}
	if !s.Empty() {
		return malformed("goes on after its end")
	}
	return &h, nil
}

func decodeStanza(s cryptobyte.String) (*stanza, error) {
	var one stanza
	var suite cryptobyte.String
	if !s.CopyBytes(one.target[:]) || !s.CopyBytes(one.statement[:]) || !s.ReadUint8LengthPrefixed(&suite) {
		return nil, fmt.Errorf("%w package: what is for a target ends early", ErrMalformed)
	}
	one.suite = Suite(suite)
	roles := one.suite.Roles()
	if roles == nil {
		return nil, fmt.Errorf("%w package: suite %q is not known here", ErrMalformed, suite)
	}
	parts := make([][]byte, len(roles)+2)
	for i := range parts {
		if !s.ReadUint16LengthPrefixed((*cryptobyte.String)(&parts[i])) {
			return nil, fmt.Errorf("%w package: what is for a target ends early", ErrMalformed)
		}
	}
	if !s.Empty() {
		return nil, fmt.Errorf("%w package: what is for a target goes on after its end", ErrMalformed)
	}
	n := len(roles)
	one.shares, one.credential, one.encrypted = parts[:n:n], parts[n], parts[n+1]
	return &one, nil
}

// maxRecord is how long the record of a key may be.
func (h *header) maxRecord() int { return 4 + maxMeta + len(h.stanzas)*(4+maxSealed) }

func unix(seconds uint64) time.Time { return time.Unix(int64(seconds), 0).UTC() }
