package tpmseal

import (
	"encoding/binary"
	"errors"

	"github.com/ncrypt11/ncrypt11/token/seal"
)

// The flags of encoded terms.
const (
	flagPerBoot = 1 << iota
	flagMachine
	flagsKnown = flagPerBoot | flagMachine
)

var errTerms = errors.New("the terms cannot be sealed: too many principals, or one of an unknown kind")

// checkTerms says whether terms have an encoding.
func checkTerms(t *seal.Terms) error {
	owner := t.Access.Owner
	if len(t.Access.Allow) > seal.MaxAllowed || owner != (seal.Principal{}) && !known(owner) {
		return errTerms
	}
	for _, p := range t.Access.Allow {
		if !known(p) {
			return errTerms
		}
	}
	return nil
}

func known(p seal.Principal) bool { return p.Kind >= seal.User && p.Kind <= seal.VM }

// appendTerms encodes terms that checkTerms has let pass.
func appendTerms(dst []byte, t *seal.Terms) []byte {
	var flags byte
	if t.PerBoot {
		flags |= flagPerBoot
	}
	if t.Access.Machine {
		flags |= flagMachine
	}
	dst = appendPrincipal(append(dst, flags), t.Access.Owner)
	dst = append(dst, byte(len(t.Access.Allow)))
	for _, p := range t.Access.Allow {
		dst = appendPrincipal(dst, p)
	}
	return dst
}

func appendPrincipal(dst []byte, p seal.Principal) []byte {
	return binary.BigEndian.AppendUint32(append(dst, byte(p.Kind)), p.ID)
}

// terms decodes what appendTerms wrote.
func (r *reader) terms() *seal.Terms {
	flags := r.byte()
	t := &seal.Terms{PerBoot: flags&flagPerBoot != 0}
	t.Access.Machine = flags&flagMachine != 0
	t.Access.Owner = r.principal()
	count := int(r.byte())
	if flags&^flagsKnown != 0 || count > seal.MaxAllowed {
		r.bad = true
		return t
	}
	for range count {
		t.Access.Allow = append(t.Access.Allow, r.principal())
	}
	r.bad = r.bad || checkTerms(t) != nil
	return t
}

func (r *reader) principal() seal.Principal {
	return seal.Principal{Kind: seal.Kind(r.byte()), ID: binary.BigEndian.Uint32(r.take(4))}
}
