package server

import (
	"encoding/binary"

	"github.com/ncrypt11/ncrypt11/token/seal"
)

// The terms of a master key inside a ticket: flags(1) | owner(5) | number of those allowed(1) | each of them(5). A principal is its kind(1) and
// its id(4). What follows is the token's serial number.

const (
	principalLen = 5
	maxTerms     = 1 + principalLen + 1 + seal.MaxAllowed*principalLen

	flagPerBoot = 1
	flagMachine = 2
)

func appendTerms(b []byte, t *seal.Terms, serial string) []byte {
	var flags byte
	if t.PerBoot {
		flags |= flagPerBoot
	}
	if t.Access.Machine {
		flags |= flagMachine
	}
	b = appendPrincipal(append(b, flags), t.Access.Owner)
	b = append(b, byte(len(t.Access.Allow)))
	for _, p := range t.Access.Allow {
		b = appendPrincipal(b, p)
	}
	return append(b, serial...)
}

func appendPrincipal(b []byte, p seal.Principal) []byte {
	return binary.BigEndian.AppendUint32(append(b, byte(p.Kind)), p.ID)
}

// parseTerms reads what a guard wrote: nobody else could have. A guard of another version may have written something else.
func parseTerms(b []byte) (*seal.Terms, string, error) {
	if len(b) < 1+principalLen+1 || b[0]&^(flagPerBoot|flagMachine) != 0 {
		return nil, "", errTicket
	}
	t := &seal.Terms{PerBoot: b[0]&flagPerBoot != 0}
	t.Access.Machine = b[0]&flagMachine != 0
	t.Access.Owner, b = principal(b[1:]), b[1+principalLen:]
	count := int(b[0])
	if b = b[1:]; count > seal.MaxAllowed || len(b) < count*principalLen || len(b)-count*principalLen > maxSerial {
		return nil, "", errTicket
	}
	for range count {
		t.Access.Allow = append(t.Access.Allow, principal(b))
		b = b[principalLen:]
	}
	return t, string(b), nil
}

func principal(b []byte) seal.Principal {
	return seal.Principal{Kind: seal.Kind(b[0]), ID: binary.BigEndian.Uint32(b[1:])}
}
