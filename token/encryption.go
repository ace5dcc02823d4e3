package token

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// EncryptInit is C_EncryptInit.
func (s *Session) EncryptInit(m *ck.Mechanism, key ck.ObjectHandle) error {
	return s.begin(encrypting, m, key)
}

// DecryptInit is C_DecryptInit.
func (s *Session) DecryptInit(m *ck.Mechanism, key ck.ObjectHandle) error {
	return s.begin(decrypting, m, key)
}

// Encrypt is C_Encrypt.
func (s *Session) Encrypt(data []byte, out Output) (int, error) {
	return s.carryOn(encrypting, single, true, &out, func(op *operation) (int, error) {
		n := op.ciphertextLen(len(data))
		if done, err := out.ask(n); done {
			return n, err
		}
		var result []byte
		var err error
		if op.public != nil {
			result, err = op.public.Encrypt(out.room(), op.scheme, data)
		} else {
			result, err = s.tok.keys.Encrypt(out.room(), op.ref, op.scheme, data)
		}
		if err != nil {
			return 0, err
		}
		return out.put(result)
	})
}

// Decrypt is C_Decrypt. The plaintext's length is known only afterwards where there is padding: a buffer that is too small for the largest
// possible plaintext is tried all the same, unless trying would use up a context-specific login.
func (s *Session) Decrypt(data []byte, out Output) (int, error) {
	return s.carryOn(decrypting, single, true, &out, func(op *operation) (int, error) {
		most := op.plaintextLen(len(data))
		if out.Null {
			return most, nil
		}
		if op.scheme.Ticket != 0 {
			if done, err := out.ask(most); done {
				return most, err
			}
		}
		result, err := s.tok.keys.Decrypt(out.room(), op.ref, op.scheme, data)
		if err != nil {
			return 0, err
		}
		return out.put(result)
	})
}

// ciphertextLen is exactly what encrypting n bytes gives.
func (op *operation) ciphertextLen(n int) int {
	switch op.scheme.Row.Primitive {
	case mech.RSAPKCS1, mech.RSAOAEP, mech.RSARaw:
		return op.size
	case mech.AESCBCPad:
		return n/16*16 + 16
	case mech.AESGCM:
		return n + op.scheme.TagLen
	case mech.AESKeyWrap:
		return n + 8
	case mech.AESKeyWrapPad:
		return (n+7)/8*8 + 8
	}
	return n
}

// plaintextLen is the most that decrypting n bytes gives.
func (op *operation) plaintextLen(n int) int {
	switch op.scheme.Row.Primitive {
	case mech.RSAPKCS1, mech.RSAOAEP, mech.RSARaw:
		return op.size
	case mech.AESGCM:
		return max(0, n-op.scheme.TagLen)
	case mech.AESKeyWrap, mech.AESKeyWrapPad:
		return max(0, n-8)
	}
	return n
}

// EncryptUpdate is C_EncryptUpdate.
func (s *Session) EncryptUpdate(part []byte, out Output) (int, error) {
	return s.update(encrypting, part, out, nil)
}

// EncryptFinal is C_EncryptFinal.
func (s *Session) EncryptFinal(out Output) (int, error) { return s.final(encrypting, out) }

// DecryptUpdate is C_DecryptUpdate.
func (s *Session) DecryptUpdate(part []byte, out Output) (int, error) {
	return s.update(decrypting, part, out, nil)
}

// DecryptFinal is C_DecryptFinal.
func (s *Session) DecryptFinal(out Output) (int, error) { return s.final(decrypting, out) }

// update takes the next part of a multi-part operation. other, where there is one, sees the plaintext, but only when the output was made: a call that fails must not
// have fed it (section 5.17).
func (s *Session) update(kind operationKind, part []byte, out Output, other *beside) (int, error) {
	return s.carryOn(kind, multi, false, &out, func(op *operation) (int, error) {
		if err := s.openStream(kind, op); err != nil {
			return 0, err
		}
		n := op.stream.Shape().UpdateLen(len(part))
		if done, err := out.ask(n); done {
			return n, err
		}
		if other == nil {
			return op.update(part, out)
		}
		if err := other.ready(); err != nil {
			return 0, err
		}
		n, err := op.update(part, out)
		if err != nil {
			return 0, err
		}
		if kind == decrypting {
			part = out.Buf[:n]
		}
		return n, other.take(part)
	})
}

func (op *operation) update(part []byte, out Output) (int, error) {
	result, err := op.stream.Update(out.room(), part)
	if err != nil {
		return 0, err
	}
	return out.put(result)
}

func (s *Session) final(kind operationKind, out Output) (int, error) {
	return s.carryOn(kind, multi, true, &out, func(op *operation) (int, error) {
		if err := s.openStream(kind, op); err != nil {
			return 0, err
		}
		if done, err := out.ask(op.stream.FinalLen()); done {
			return op.stream.FinalLen(), err
		}
		result, err := op.stream.Final(out.room())
		if err != nil {
			return 0, err
		}
		return out.put(result)
	})
}

func (s *Session) openStream(kind operationKind, op *operation) error {
	if op.stream != nil {
		return nil
	}
	if !op.scheme.Row.MultiPart || op.ref == 0 {
		return ck.Errorf(ck.CKR_FUNCTION_NOT_SUPPORTED, "%v takes its data in one part", op.scheme.Row.Type)
	}
	stream, err := s.tok.keys.Stream(op.ref, op.scheme, operationOps[kind])
	op.stream = stream
	return err
}
