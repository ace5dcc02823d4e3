package token

import (
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/mech"
)

// SignInit is C_SignInit.
func (s *Session) SignInit(m *ck.Mechanism, key ck.ObjectHandle) error {
	return s.begin(signing, m, key)
}

// Sign is C_Sign.
func (s *Session) Sign(data []byte, out Output) (int, error) {
	return s.carryOn(signing, single, true, &out, func(op *operation) (int, error) {
		if done, err := out.ask(op.signatureLen()); done {
			return op.signatureLen(), err
		}
		if op.hashesFirst() {
			var digest [mech.MaxDigest]byte
			return s.sign(op, op.scheme.Row.Hash.Sum(digest[:0], data), out)
		}
		return s.sign(op, data, out)
	})
}

// SignUpdate is C_SignUpdate.
func (s *Session) SignUpdate(part []byte) error {
	_, err := s.carryOn(signing, multi, false, nil, func(op *operation) (int, error) { return 0, s.feed(op, mech.OpSign, part) })
	return err
}

// SignFinal is C_SignFinal.
func (s *Session) SignFinal(out Output) (int, error) {
	return s.carryOn(signing, multi, true, &out, func(op *operation) (int, error) {
		if done, err := out.ask(op.signatureLen()); done {
			return op.signatureLen(), err
		}
		if err := s.feed(op, mech.OpSign, nil); err != nil { // no Update yet: the data is empty
			return 0, err
		}
		if op.stream != nil {
			mac, err := op.stream.Final(out.room())
			if err != nil {
				return 0, err
			}
			return out.put(mac)
		}
		return s.sign(op, op.gathered(), out)
	})
}

// sign has the guard sign the data or its digest.
func (s *Session) sign(op *operation, data []byte, out Output) (int, error) {
	signature, err := s.tok.keys.Sign(out.room(), op.ref, op.scheme, data)
	if err != nil {
		return 0, err
	}
	return out.put(signature)
}

// SignRecoverInit is C_SignRecoverInit.
func (s *Session) SignRecoverInit(m *ck.Mechanism, key ck.ObjectHandle) error {
	return s.begin(signRecovering, m, key)
}

// SignRecover is C_SignRecover.
func (s *Session) SignRecover(data []byte, out Output) (int, error) {
	return s.carryOn(signRecovering, single, true, &out, func(op *operation) (int, error) {
		if done, err := out.ask(op.signatureLen()); done {
			return op.signatureLen(), err
		}
		signature, err := s.tok.keys.SignRecover(out.room(), op.ref, op.scheme, data)
		if err != nil {
			return 0, err
		}
		return out.put(signature)
	})
}

// hashesFirst says whether the data is hashed above the seam and the guard signs the digest.
func (op *operation) hashesFirst() bool {
	return op.scheme.Row.Hash != 0 && !op.makesMAC()
}

// makesMAC says whether the operation makes or checks a message authentication code.
func (op *operation) makesMAC() bool {
	return op.scheme.Row.Primitive == mech.HMAC || op.scheme.Row.Primitive == mech.AESCMAC
}

// feed takes the next part of data that will be signed or verified: into a hash, a MAC, or where the primitive needs all of it at once, a buffer.
func (s *Session) feed(op *operation, use mech.Op, part []byte) error {
	switch {
	case op.hashesFirst():
		op.digest(part)
		return nil
	case !op.scheme.Row.MultiPart:
		return ck.Errorf(ck.CKR_FUNCTION_NOT_SUPPORTED, "%v takes its data in one part", op.scheme.Row.Type)
	case op.ref != 0 && op.makesMAC():
		return s.feedStream(op, use, part)
	}
	if len(op.parts)+len(part) > maxGathered {
		return ck.Errorf(ck.CKR_DATA_LEN_RANGE, "%v needs its data whole, at most %d bytes", op.scheme.Row.Type, maxGathered)
	}
	op.parts = append(op.parts, part...)
	return nil
}

// maxGathered bounds what is kept of a message that must be signed whole.
const maxGathered = 64 << 20

func (s *Session) feedStream(op *operation, use mech.Op, part []byte) error {
	if op.stream == nil {
		stream, err := s.tok.keys.Stream(op.ref, op.scheme, use)
		if err != nil {
			return err
		}
		op.stream = stream
	}
	_, err := op.stream.Update(nil, part)
	return err
}

// gathered gives what feed has taken: the digest, or the message.
func (op *operation) gathered() []byte {
	if op.hash != nil {
		return op.hash.Sum(nil)
	}
	return op.parts
}
