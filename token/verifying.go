package token

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// VerifyInit is C_VerifyInit.
func (s *Session) VerifyInit(m *ck.Mechanism, key ck.ObjectHandle) error {
	return s.begin(verifying, m, key)
}

// Verify is C_Verify. Errors: CKR_SIGNATURE_LEN_RANGE, CKR_SIGNATURE_INVALID.
func (s *Session) Verify(data, signature []byte) error {
	_, err := s.carryOn(verifying, single, true, nil, func(op *operation) (int, error) {
		if op.signature != nil {
			return 0, errOtherInit
		}
		return 0, s.verifyWhole(op, data, signature)
	})
	return err
}

// errOtherInit is for C_Verify where C_VerifySignatureInit has begun, and the other way round: which signature is meant is said once.
var errOtherInit = ck.Errorf(ck.CKR_OPERATION_NOT_INITIALIZED, "the operation was begun by another function")

func (s *Session) verifyWhole(op *operation, data, signature []byte) error {
	if op.hashesFirst() {
		var digest [mech.MaxDigest]byte
		data = op.scheme.Row.Hash.Sum(digest[:0], data)
	}
	return s.verify(op, data, signature)
}

// VerifyUpdate is C_VerifyUpdate.
func (s *Session) VerifyUpdate(part []byte) error {
	_, err := s.carryOn(verifying, multi, false, nil, func(op *operation) (int, error) { return 0, s.feed(op, mech.OpVerify, part) })
	return err
}

// VerifyFinal is C_VerifyFinal.
func (s *Session) VerifyFinal(signature []byte) error {
	_, err := s.carryOn(verifying, multi, true, nil, func(op *operation) (int, error) {
		if op.signature != nil {
			return 0, errOtherInit
		}
		return 0, s.verifyGathered(op, signature)
	})
	return err
}

func (s *Session) verifyGathered(op *operation, signature []byte) error {
	if err := s.feed(op, mech.OpVerify, nil); err != nil { // no Update yet: the data is empty
		return err
	}
	if op.stream == nil {
		return s.verify(op, op.gathered(), signature)
	}
	return op.stream.Verify(signature)
}

// verify checks a signature with a public key here, a MAC in the guard.
func (s *Session) verify(op *operation, data, signature []byte) error {
	if op.public != nil {
		return op.public.Verify(op.scheme, data, signature)
	}
	if len(signature) != op.signatureLen() {
		return ck.CKR_SIGNATURE_LEN_RANGE
	}
	return s.tok.keys.Verify(op.ref, op.scheme, data, signature)
}

// VerifyRecoverInit is C_VerifyRecoverInit.
func (s *Session) VerifyRecoverInit(m *ck.Mechanism, key ck.ObjectHandle) error {
	return s.begin(verifyRecovering, m, key)
}

// VerifyRecover is C_VerifyRecover. A bad signature is said before a small buffer is (section 5.14.2).
func (s *Session) VerifyRecover(signature []byte, out Output) (int, error) {
	return s.carryOn(verifyRecovering, single, true, &out, func(op *operation) (int, error) {
		data, err := op.public.VerifyRecover(out.room(), op.scheme, signature)
		if err != nil {
			return 0, err
		}
		return out.put(data)
	})
}

// VerifySignatureInit is C_VerifySignatureInit (v3.2): the signature comes first, the data after it.
func (s *Session) VerifySignatureInit(m *ck.Mechanism, key ck.ObjectHandle, signature []byte) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if err := s.beginLocked(verifying, m, key); err != nil || m == nil {
		return err
	}
	s.ops[verifying].signature = append([]byte{}, signature...)
	return nil
}

// VerifySignature is C_VerifySignature.
func (s *Session) VerifySignature(data []byte) error {
	_, err := s.carryOn(verifying, single, true, nil, func(op *operation) (int, error) {
		if op.signature == nil {
			return 0, errOtherInit
		}
		return 0, s.verifyWhole(op, data, op.signature)
	})
	return err
}

// VerifySignatureUpdate is C_VerifySignatureUpdate.
func (s *Session) VerifySignatureUpdate(part []byte) error { return s.VerifyUpdate(part) }

// VerifySignatureFinal is C_VerifySignatureFinal.
func (s *Session) VerifySignatureFinal() error {
	_, err := s.carryOn(verifying, multi, true, nil, func(op *operation) (int, error) {
		if op.signature == nil {
			return 0, errOtherInit
		}
		return 0, s.verifyGathered(op, op.signature)
	})
	return err
}
