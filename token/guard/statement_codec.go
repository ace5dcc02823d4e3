package guard

import (
	"encoding/binary"
	"time"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// The encoding of a statement: STATEMENT.md has the bytes. What is signed is these bytes, so there is one encoding of each statement.
const (
	statementMagic   = "N11S"
	statementVersion = 1
	statementFixed   = len(statementMagic) + 1 + 1 + 8 + 8 + 1 + contextLen + 1

	contextLen      = 32
	maxNonce        = 64
	maxStatedKeys   = 8
	maxStatedPublic = 16 << 10
)

// Valid refuses what cannot be stated. Error: CKR_ARGUMENTS_BAD.
func (s *Statement) Valid() error {
	switch life := s.Asked.Expires.Sub(s.Made); {
	case s.Level < Process || s.Level > VM:
		return ck.Errorf(ck.CKR_ARGUMENTS_BAD, "a statement about keys that are not isolated")
	case len(s.Asked.Nonce) > maxNonce:
		return ck.Errorf(ck.CKR_ARGUMENTS_BAD, "a nonce of %d bytes: at most %d are stated", len(s.Asked.Nonce), maxNonce)
	case len(s.Asked.Context) != contextLen:
		return ck.Errorf(ck.CKR_ARGUMENTS_BAD, "a context of %d bytes: it is a SHA-256", len(s.Asked.Context))
	case life <= 0 || life > MaxStated:
		return ck.Errorf(ck.CKR_ARGUMENTS_BAD, "a statement that is to hold for %v: at most %v", life, MaxStated)
	case len(s.Keys) == 0 || len(s.Keys) > maxStatedKeys:
		return ck.Errorf(ck.CKR_ARGUMENTS_BAD, "a statement about %d keys: 1 to %d", len(s.Keys), maxStatedKeys)
	}
	for _, k := range s.Keys {
		if len(k.Public) == 0 || len(k.Public) > maxStatedPublic {
			return ck.Errorf(ck.CKR_ARGUMENTS_BAD, "a public key of %d bytes", len(k.Public))
		}
		if err := k.Policy.Valid(); err != nil {
			return ck.Errorf(ck.CKR_ARGUMENTS_BAD, "a policy that cannot be: %w", err)
		}
	}
	return nil
}

// Encode gives the statement's only encoding. The statement must be Valid.
func (s *Statement) Encode() []byte {
	b := append([]byte(statementMagic), statementVersion, byte(s.Level))
	b = binary.BigEndian.AppendUint64(b, uint64(s.Made.Unix()))
	b = binary.BigEndian.AppendUint64(b, uint64(s.Asked.Expires.Unix()))
	b = append(append(b, byte(len(s.Asked.Nonce))), s.Asked.Nonce...)
	b = append(b, s.Asked.Context...)
	b = append(b, byte(len(s.Keys)))
	for _, k := range s.Keys {
		b = appendCounted(b, k.Public)
		b = appendCounted(b, k.Policy.Encode())
	}
	return b
}

func appendCounted(b, field []byte) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(field))), field...)
}

// DecodeStatement reads what Encode wrote, and nothing else. What it gives aliases b. Error: CKR_DATA_INVALID.
func DecodeStatement(b []byte) (*Statement, error) {
	malformed := func(what string) (*Statement, error) {
		return nil, ck.Errorf(ck.CKR_DATA_INVALID, "malformed statement: %s", what)
	}
	if len(b) < statementFixed || string(b[:len(statementMagic)]) != statementMagic {
		return malformed("it does not begin like one")
	}
	b = b[len(statementMagic):]
	if b[0] != statementVersion {
		return nil, ck.Errorf(ck.CKR_DATA_INVALID, "statement version %d is not known here", b[0])
	}
	s := &Statement{Level: Level(b[1]), Made: unix(b[2:]), Asked: Asked{Expires: unix(b[10:])}}
	nonce := int(b[18])
	if b = b[19:]; len(b) < nonce+contextLen+1 {
		return malformed("it ends early")
	}
	s.Asked.Nonce, b = b[:nonce:nonce], b[nonce:]
	s.Asked.Context, b = b[:contextLen:contextLen], b[contextLen:]
	count, b := int(b[0]), b[1:]
	if count > maxStatedKeys {
		return malformed("too many keys")
	}
	for range count {
		public, rest := takeCounted(b)
		policy, rest := takeCounted(rest)
		if policy == nil {
			return malformed("it ends early")
		}
		decoded, err := DecodePolicy(policy)
		if err != nil {
			return malformed(err.Error())
		}
		s.Keys = append(s.Keys, StatedKey{Public: public, Policy: decoded})
		b = rest
	}
	if len(b) != 0 {
		return malformed("it goes on after its end")
	}
	if err := s.Valid(); err != nil {
		return malformed(err.Error())
	}
	return s, nil
}

func unix(b []byte) time.Time { return time.Unix(int64(binary.BigEndian.Uint64(b)), 0).UTC() }

// takeCounted gives a field and what comes after it; nil where there is not as much.
func takeCounted(b []byte) (field, rest []byte) {
	if len(b) < 2 {
		return nil, nil
	}
	n := int(binary.BigEndian.Uint16(b))
	if b = b[2:]; len(b) < n {
		return nil, nil
	}
	return b[:n:n], b[n:]
}
