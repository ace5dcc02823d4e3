package local

import (
	"crypto/rand"
	"encoding/binary"
	"slices"
	"sync"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// genuine refuses a scheme that mech.Parse would not give. A row of the caller's own could name one mechanism and compute another, and a
// field that the mechanism does not have could do so too: MACs of one byte, of a key that only verifies, tell the whole MAC byte by byte.
func genuine(s *mech.Scheme) error {
	switch {
	case s == nil || s.Row == nil || mech.Lookup(s.Row.Type) != s.Row:
		return ck.Errorf(ck.CKR_MECHANISM_INVALID, "a mechanism that is not in the table")
	case s.Row.Hash != 0 && s.Hash != s.Row.Hash:
		return ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "the hash is not the mechanism's")
	case s.MACLen != 0 && s.Row.Params != mech.ULongParams:
		return ck.Errorf(ck.CKR_MECHANISM_PARAM_INVALID, "the mechanism's MACs have one length")
	}
	return nil
}

// complete refuses a call that leaves out what it must say.
func complete(said ...bool) error {
	if slices.Contains(said, false) {
		return ck.Errorf(ck.CKR_ARGUMENTS_BAD, "a policy, a key or a key's description is missing")
	}
	return nil
}

// permit decides whether a key may be used. A ticket is spent last, and only if all else holds.
func (k *key) permit(op mech.Op, s *mech.Scheme) error {
	if err := genuine(s); err != nil {
		return err
	}
	if err := k.policy.Permits(op, s.Row); err != nil {
		return err
	}
	if k.policy.AlwaysAuthenticate && !k.tickets.spend(s.Ticket) {
		return ck.Errorf(ck.CKR_USER_NOT_LOGGED_IN, "the key has CKA_ALWAYS_AUTHENTICATE")
	}
	return nil
}

// use holds the key for op, if it may be used so. The caller releases it.
func (g *Keys) use(ref guard.Ref, op mech.Op, s *mech.Scheme) (*key, error) {
	k, err := g.table.hold(ref)
	if err != nil {
		return nil, err
	}
	if err := k.permit(op, s); err != nil {
		k.release()
		return nil, err
	}
	return k, nil
}

// maxTickets bounds the unspent tickets of one key: the oldest give way.
const maxTickets = 64

// tickets are permissions for one use each of a key with CKA_ALWAYS_AUTHENTICATE.
type tickets struct {
	mu     sync.Mutex
	issued []uint64
}

func (t *tickets) issue() uint64 {
	var b [8]byte
	var ticket uint64
	for ticket == 0 { // 0 means none
		rand.Read(b[:])
		ticket = binary.NativeEndian.Uint64(b[:])
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.issued) == maxTickets {
		t.issued = slices.Delete(t.issued, 0, 1)
	}
	t.issued = append(t.issued, ticket)
	return ticket
}

func (t *tickets) spend(ticket uint64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.Index(t.issued, ticket)
	if ticket == 0 || i < 0 {
		return false
	}
	t.issued = slices.Delete(t.issued, i, i+1)
	return true
}
