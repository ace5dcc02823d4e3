package token

import (
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// DigestInit is C_DigestInit.
func (s *Session) DigestInit(m *ck.Mechanism) error { return s.begin(digesting, m, 0) }

// Digest is C_Digest.
func (s *Session) Digest(data []byte, out Output) (int, error) {
	return s.carryOn(digesting, single, true, &out, func(op *operation) (int, error) {
		hash := op.scheme.Row.Hash
		if done, err := out.ask(hash.Size()); done {
			return hash.Size(), err
		}
		return out.put(hash.Sum(out.room(), data))
	})
}

// DigestAtOnce is C_DigestInit and C_Digest in one, for an operation that the boundary has claimed (Board). The output has room.
func (s *Session) DigestAtOnce(typ ck.MechanismType, data []byte, out Output) (int, error) {
	if err := s.lock(); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	if s.active(digesting) == nil { // else another thread has begun one in the meantime, as if this one had ended
		s.board.Idle(s.handle)
	}
	row := mech.Lookup(typ)
	if row == nil {
		return 0, ck.CKR_MECHANISM_INVALID
	}
	return out.put(row.Hash.Sum(out.room(), data))
}

// DigestUpdate is C_DigestUpdate.
func (s *Session) DigestUpdate(part []byte) error {
	_, err := s.carryOn(digesting, multi, false, nil, func(op *operation) (int, error) {
		op.digest(part)
		return 0, nil
	})
	return err
}

// digest feeds the operation's hash, which the first part starts.
func (op *operation) digest(part []byte) {
	if op.hash == nil {
		op.hash = op.scheme.Row.Hash.New()
	}
	op.hash.Write(part)
}

// DigestKey is C_DigestKey. Only a secret key whose value may be read can be digested: the digest would tell of it.
func (s *Session) DigestKey(h ck.ObjectHandle) error {
	_, err := s.carryOn(digesting, multi, false, nil, func(op *operation) (int, error) {
		set, ref, err := s.snapshot(h)
		if err != nil {
			return 0, handleError(err, ck.CKR_KEY_HANDLE_INVALID)
		}
		if classOf(set) != ck.CKO_SECRET_KEY || readable(set, ck.CKA_VALUE) != attr.Secret {
			return 0, ck.CKR_KEY_INDIGESTIBLE
		}
		revealed, err := s.tok.keys.Reveal(ref)
		if err != nil {
			return 0, err
		}
		defer revealed.Close()
		value, err := revealedPart(revealed, ck.CKA_VALUE)
		if err == nil {
			op.digest(value)
		}
		return 0, err
	})
	return err
}

// DigestFinal is C_DigestFinal.
func (s *Session) DigestFinal(out Output) (int, error) {
	return s.carryOn(digesting, multi, true, &out, func(op *operation) (int, error) {
		if done, err := out.ask(op.scheme.Row.Hash.Size()); done {
			return op.scheme.Row.Hash.Size(), err
		}
		op.digest(nil)
		return out.put(op.hash.Sum(out.room()))
	})
}
