package token

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
	"github.com/ncrypt11/ncrypt11/token/store"
)

// authorizeOperation is C_Login(CKU_CONTEXT_SPECIFIC): it permits the operations of this session that wait for it, each once (CKA_ALWAYS_AUTHENTICATE,
// section 4.9). The session's lock is held.
func (s *Session) authorizeOperation(pin *secret.Bytes) error {
	waiting := false
	for kind := range s.ops {
		op := s.active(operationKind(kind))
		if op == nil || !op.needsLogin {
			continue
		}
		waiting = true
		if err := s.authorize(op, pin); err != nil {
			return err
		}
	}
	if !waiting {
		return ck.CKR_OPERATION_NOT_INITIALIZED
	}
	return nil
}

// authorize asks the guard for a ticket; the try counts like a login's.
func (s *Session) authorize(op *operation, pin *secret.Bytes) error {
	t := s.tok
	t.mu.Lock()
	defer t.mu.Unlock()
	h, err := t.st.Header()
	if err != nil {
		return err
	}
	ticket, err := t.ticket(h, op, pin)
	if err != nil {
		return t.dropLost(err)
	}
	scheme := *op.scheme
	scheme.Ticket = ticket
	op.scheme, op.needsLogin = &scheme, false
	return nil
}

func (t *Token) ticket(h *store.Header, op *operation, pin *secret.Bytes) (uint64, error) {
	if h.Login == store.LoginNone { // no PIN: the call itself is the authorization
		if op.key.attrs != nil && t.perBootKey(op.key.attrs) {
			return t.keys.Authorize(op.ref, h.Sealed.Boot, nil, sealContext(h.Serial, bootRole))
		}
		return t.keys.Authorize(op.ref, h.Sealed.Open, nil, sealContext(h.Serial, openRole))
	}
	var ticket uint64
	keys := t.keys
	err := t.tryPIN(roles[user], keys, func() (err error) {
		ticket, err = keys.Authorize(op.ref, h.Sealed.User, pin, sealContext(h.Serial, roles[user].name))
		return err
	})
	return ticket, err
}
