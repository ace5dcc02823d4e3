package protocol

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

// Values that several messages have.

// scheme codes a mechanism with its parameter. The row goes by its number, and both sides have it in their own table: what a mechanism
// means is not the client's to say.
func (c *coder) scheme(v **mech.Scheme) {
	s := *v
	var typ ck.MechanismType
	if c.reading {
		s = new(mech.Scheme)
		*v = s
	} else if s != nil && s.Row != nil {
		typ = s.Row.Type
	} else {
		s = new(mech.Scheme)
	}
	number(c, &typ, 8)
	plain := plainScheme(s)
	if c.reading {
		s.Row = mech.Lookup(typ)
	}
	c.flag(&plain)
	if plain { // the common case: a mechanism without a parameter
		if c.reading && s.Row != nil {
			s.Hash = s.Row.Hash
		}
		return
	}
	number(c, &s.Hash, 1)
	number(c, &s.MGFHash, 1)
	for _, n := range []*int{&s.SaltLen, &s.TagLen, &s.CounterBits, &s.MACLen} {
		c.count(n, 1<<31-1)
	}
	for _, b := range []*[]byte{&s.Label, &s.IV, &s.AAD, &s.Context, &s.SharedData, &s.Peer} {
		c.bytes(b, maxAAD)
	}
	c.flag(&s.Prehash)
	number(c, &s.KDF, 8)
	number(c, &s.Ticket, 8)
}

// maxAAD bounds a byte string of a mechanism's parameter; the additional data of AES-GCM is the longest.
const maxAAD = 4 << 20

// plainScheme says whether there is nothing to say beside the mechanism's number.
func plainScheme(s *mech.Scheme) bool {
	return s.Row != nil && s.Hash == s.Row.Hash && s.MGFHash == 0 && s.SaltLen == 0 && s.TagLen == 0 && s.CounterBits == 0 && s.MACLen == 0 &&
		len(s.Label) == 0 && len(s.IV) == 0 && len(s.AAD) == 0 && len(s.Context) == 0 && len(s.SharedData) == 0 && len(s.Peer) == 0 &&
		!s.Prehash && s.KDF == 0 && s.Ticket == 0
}

// policy codes a policy in its own encoding.
func (c *coder) policy(v **guard.Policy) {
	var b []byte
	if !c.reading && *v != nil {
		if (*v).Valid() != nil {
			c.err = errMalformed
			return
		}
		b = (*v).Encode()
	}
	c.bytes(&b, maxSmall)
	if c.reading && c.err == nil {
		p, err := guard.DecodePolicy(b)
		if err != nil {
			c.fail()
		}
		*v = p
	}
}

func (c *coder) spec(v **guard.KeySpec) {
	if *v == nil {
		*v = new(guard.KeySpec)
	}
	s := *v
	number(c, &s.KeyType, 8)
	c.count(&s.Bits, 1<<31-1)
	c.bytes(&s.PublicExponent, maxSmall)
	c.bytes(&s.ECParams, maxSmall)
	c.count(&s.ValueLen, 1<<31-1)
}

func (c *coder) part(v *guard.Part) {
	number(c, &v.Type, 8)
	c.bytes(&v.Value, MaxData)
}

func (c *coder) parts(v *[]guard.Part) { list(c, v, maxParts, (*coder).part) }

func (c *coder) principal(v *seal.Principal) {
	number(c, &v.Kind, 1)
	number(c, &v.ID, 4)
}

// terms codes what is promised of a master key, less its owner, whom the guard knows better.
func (c *coder) terms(v **seal.Terms) {
	if *v == nil {
		*v = new(seal.Terms)
	}
	c.flag(&(*v).PerBoot)
	c.flag(&(*v).Access.Machine)
	list(c, &(*v).Access.Allow, seal.MaxAllowed, (*coder).principal)
}
