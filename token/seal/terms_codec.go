package seal

import (
	"encoding/binary"
	"errors"
)

// The encoding of terms, which sealed master keys and tickets have in them:
//
//	terms     = flags(1) | owner: principal | number of those allowed(1) | each of them: principal
//	principal = kind(1) | number(4, big-endian)
//
// No owner is all zeros. Terms have one encoding.
const (
	principalLen = 1 + 4
	// MaxTermsLen is the length of the longest.
	MaxTermsLen = 1 + principalLen + 1 + MaxAllowed*principalLen
)

// The flags.
const (
	flagPerBoot = 1 << iota
	flagMachine
	flagApart
	flagsKnown = flagPerBoot | flagMachine | flagApart
)

var errNoTerms = errors.New("terms with too many principals, or one of an unknown kind, or no terms at all")

// Check says whether terms have an encoding.
func (t *Terms) Check() error {
	if len(t.Access.Allow) > MaxAllowed || t.Access.Owner != (Principal{}) && !t.Access.Owner.known() {
		return errNoTerms
	}
	for _, p := range t.Access.Allow {
		if !p.known() {
			return errNoTerms
		}
	}
	return nil
}

func (p Principal) known() bool { return kinds[p.Kind] != "" }

// Append encodes terms that Check has let pass.
func (t *Terms) Append(dst []byte) []byte {
	var flags byte
	if t.PerBoot {
		flags |= flagPerBoot
	}
	if t.Access.Machine {
		flags |= flagMachine
	}
	if t.Apart {
		flags |= flagApart
	}
	dst = t.Access.Owner.append(append(dst, flags))
	dst = append(dst, byte(len(t.Access.Allow)))
	for _, p := range t.Access.Allow {
		dst = p.append(dst)
	}
	return dst
}

func (p Principal) append(dst []byte) []byte {
	return binary.BigEndian.AppendUint32(append(dst, byte(p.Kind)), p.ID)
}

// CutTerms decodes what Append wrote at the front of b, and gives what follows it.
func CutTerms(b []byte) (t *Terms, rest []byte, err error) {
	const fixed = 1 + principalLen + 1
	if len(b) < fixed || b[0]&^flagsKnown != 0 {
		return nil, nil, errNoTerms
	}
	count := int(b[fixed-1])
	if count > MaxAllowed || len(b) < fixed+count*principalLen {
		return nil, nil, errNoTerms
	}
	t = &Terms{PerBoot: b[0]&flagPerBoot != 0, Apart: b[0]&flagApart != 0}
	t.Access.Machine, t.Access.Owner = b[0]&flagMachine != 0, principalOf(b[1:])
	for b = b[fixed:]; count > 0; count-- {
		t.Access.Allow, b = append(t.Access.Allow, principalOf(b)), b[principalLen:]
	}
	return t, b, t.Check()
}

func principalOf(b []byte) Principal {
	return Principal{Kind: Kind(b[0]), ID: binary.BigEndian.Uint32(b[1:])}
}
