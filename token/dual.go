package token

import "github.com/ncrypt11/ncrypt11/token/ck"

// The dual-function operations of section 5.15: each part goes through two operations that were started before.

// DigestEncryptUpdate is C_DigestEncryptUpdate.
func (s *Session) DigestEncryptUpdate(part []byte, out Output) (int, error) {
	return s.dual(encrypting, digesting, part, out)
}

// DecryptDigestUpdate is C_DecryptDigestUpdate.
func (s *Session) DecryptDigestUpdate(part []byte, out Output) (int, error) {
	return s.dual(decrypting, digesting, part, out)
}

// SignEncryptUpdate is C_SignEncryptUpdate.
func (s *Session) SignEncryptUpdate(part []byte, out Output) (int, error) {
	return s.dual(encrypting, signing, part, out)
}

// DecryptVerifyUpdate is C_DecryptVerifyUpdate.
func (s *Session) DecryptVerifyUpdate(part []byte, out Output) (int, error) {
	return s.dual(decrypting, verifying, part, out)
}

// dual puts a part through a cipher, and its plaintext through the other operation.
func (s *Session) dual(cipher, other operationKind, part []byte, out Output) (int, error) {
	return s.update(cipher, part, out, &beside{s, other})
}

// beside is the other half of a dual operation. The session's lock is held while it is used.
type beside struct {
	s    *Session
	kind operationKind
}

// ready says whether the other operation can take a part.
func (b *beside) ready() error {
	op := b.s.active(b.kind)
	switch {
	case op == nil:
		return ck.CKR_OPERATION_NOT_INITIALIZED
	case op.style == single:
		return ck.CKR_OPERATION_ACTIVE
	}
	op.style = multi
	return nil
}

// take feeds the other operation, which an error ends as it does the first.
func (b *beside) take(plaintext []byte) error {
	op := b.s.ops[b.kind]
	if b.kind == digesting {
		op.digest(plaintext)
		return nil
	}
	err := b.s.feed(op, operationOps[b.kind], plaintext)
	if err != nil {
		b.s.end(b.kind)
	}
	return err
}
