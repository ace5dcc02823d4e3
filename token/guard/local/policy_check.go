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

// permit decides whether a key may be used. A ticket is spent last, and only if all else holds.
func (k *key) permit(op mech.Op, s *mech.Scheme) error {
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
