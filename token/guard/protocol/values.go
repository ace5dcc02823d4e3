package protocol

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

// Values that several messages have.

// noMechanism is the number of no mechanism: 0 is one.
const noMechanism = ck.MechanismType(ck.CK_UNAVAILABLE_INFORMATION)

// scheme codes a mechanism with its parameter. The row goes by its number, and both sides have it in their own table: what a mechanism
// means is not the client's to say. A number that is not in the reader's table gives a row that is not the table's, which a guard refuses.
func (c *coder) scheme(v **mech.Scheme) {
	s := *v
	if c.reading || s == nil {
		s = new(mech.Scheme)
	}
	typ := noMechanism
	if s.Row != nil {
		typ = s.Row.Type
	}
	number(c, &typ, 8)
	plain := plainScheme(s)
	if c.reading {
		*v = s
		if s.Row = mech.Lookup(typ); s.Row == nil {
			s.Row = &mech.Row{Type: typ}
		}
	}
	c.flag(&plain)
	if plain { // the common case: a mechanism without a parameter
		if c.reading {
			s.Hash = hashOf(s)
		}
		return
	}
	number(c, &s.Hash, 1)
	number(c, &s.MGFHash, 1)
	for _, n := range []*int{&s.SaltLen, &s.TagLen, &s.CounterBits, &s.MACLen, &s.AESLen} {
		c.count(n, 1<<31-1)
	}
	for _, b := range []*[]byte{&s.Label, &s.IV, &s.AAD, &s.Context, &s.SharedData, &s.Peer, &s.Salt, &s.Info} {
		c.bytes(b, maxAAD)
	}
	c.flag(&s.Prehash)
	c.flag(&s.Extract)
	c.flag(&s.Expand)
	c.flag(&s.Deterministic)
	number(c, &s.KDF, 8)
	number(c, &s.SaltKey, 8)
	number(c, &s.Ticket, 8)
	if c.reading && plainScheme(s) { // each scheme has one encoding
		c.fail()
	}
}

// maxAAD bounds a byte string of a mechanism's parameter; the additional data of AES-GCM is the longest.
const maxAAD = 4 << 20

// plainScheme says whether there is nothing to say beside the mechanism's number.
func plainScheme(s *mech.Scheme) bool {
	return s.Hash == hashOf(s) && s.MGFHash == 0 && s.SaltLen == 0 && s.TagLen == 0 && s.CounterBits == 0 && s.MACLen == 0 && s.AESLen == 0 &&
		len(s.Label) == 0 && len(s.IV) == 0 && len(s.AAD) == 0 && len(s.Context) == 0 && len(s.SharedData) == 0 && len(s.Peer) == 0 &&
		len(s.Salt) == 0 && len(s.Info) == 0 && !s.Prehash && !s.Extract && !s.Expand && !s.Deterministic && s.KDF == 0 && s.SaltKey == 0 && s.Ticket == 0
}

func hashOf(s *mech.Scheme) mech.Hash {
	if s.Row == nil {
		return 0
	}
	return s.Row.Hash
}

// policy codes a policy in its own encoding; one that is missing has no bytes.
func (c *coder) policy(v **guard.Policy) {
	var b []byte
	if !c.reading && *v != nil {
		if err := (*v).Valid(); err != nil {
			c.err = err
			return
		}
		b = (*v).Encode()
	}
	c.bytes(&b, maxSmall)
	if c.reading && len(b) > 0 {
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
	number(c, &s.ParameterSet, 8)
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
