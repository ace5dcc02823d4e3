package token

import (
	"hash"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/publickey"
)

// operationKind is a place for one active operation in a session. The kinds may be active side by side (section 5.9 and following).
type operationKind byte

const (
	encrypting operationKind = iota
	decrypting
	digesting
	signing
	signRecovering
	verifying
	verifyRecovering
	operationKinds int = iota
)

// operationFlags are the flags of C_SessionCancel, by kind.
var operationFlags = [operationKinds]ck.Flags{
	ck.CKF_ENCRYPT, ck.CKF_DECRYPT, ck.CKF_DIGEST, ck.CKF_SIGN, ck.CKF_SIGN_RECOVER, ck.CKF_VERIFY, ck.CKF_VERIFY_RECOVER,
}

// operationOps are what an operation does with its key, by kind.
var operationOps = [operationKinds]mech.Op{
	mech.OpEncrypt, mech.OpDecrypt, mech.OpDigest, mech.OpSign, mech.OpSignRecover, mech.OpVerify, mech.OpVerifyRecover,
}

// operation is an operation between its Init and its end.
type operation struct {
	scheme *mech.Scheme // own, or one that all uses of the mechanism share
	own    mech.Scheme
	style  style
	key    *object       // nil when digesting
	size   int           // of an asymmetric key: the bytes of a signature, or of a modulus
	ref    guard.Ref     // for keys in the guard
	public publickey.Key // for public keys
	hash   hash.Hash     // multi-part digests, and signatures over one
	stream guard.Stream  // multi-part use of a secret key
	parts  []byte        // multi-part data of mechanisms that need it whole (EdDSA)

	needsLogin bool   // CKA_ALWAYS_AUTHENTICATE, and C_Login(CKU_CONTEXT_SPECIFIC) has not been called
	signature  []byte // C_VerifySignatureInit: the signature that was given at the start
}

// style is how an operation is carried on. The first call, a length query too, decides it.
type style byte

const (
	fresh style = iota
	single
	multi
)

// begin starts an operation with a key. With a nil mechanism it ends the active one instead (v3.0, section 5.1.2).
func (s *Session) begin(kind operationKind, m *ck.Mechanism, h ck.ObjectHandle) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	return s.beginLocked(kind, m, h)
}

func (s *Session) beginLocked(kind operationKind, m *ck.Mechanism, h ck.ObjectHandle) error {
	if m == nil {
		s.end(kind)
		return nil
	}
	if s.active(kind) != nil {
		return ck.CKR_OPERATION_ACTIVE
	}
	op := &s.room[kind]
	scheme, err := mech.ParseInto(&op.own, *m, operationOps[kind])
	if err != nil {
		return err
	}
	op.scheme = scheme
	if kind != digesting {
		err = s.bindKey(op, operationOps[kind], h)
	} else if !s.board.Claim(s.handle) {
		err = ck.CKR_OPERATION_ACTIVE
	}
	if err != nil {
		return err
	}
	if op.key != nil {
		op.key.operations.Add(1)
	}
	s.ops[kind] = op
	return nil
}

// bindKey finds the operation's key and checks that it may be used so.
func (s *Session) bindKey(op *operation, use mech.Op, h ck.ObjectHandle) error {
	t := s.tok
	t.mu.Lock()
	defer t.mu.Unlock()
	o, err := s.object(h)
	if err != nil {
		return handleError(err, ck.CKR_KEY_HANDLE_INVALID)
	}
	key, err := t.usable(o)
	if err != nil {
		return handleError(err, ck.CKR_KEY_HANDLE_INVALID)
	}
	if err := key.policy.Permits(use, op.scheme.Row); err != nil {
		return err
	}
	op.key, op.size, op.public, op.needsLogin = o, key.size, key.public, key.alwaysAuthenticate
	if key.public == nil {
		op.ref, err = t.load(o)
	}
	return err
}

// active gives the operation of a kind. One whose key has died, in a logout or by destruction, has ended.
func (s *Session) active(kind operationKind) *operation {
	op := s.ops[kind]
	if op != nil && op.key != nil && op.key.dead.Load() {
		s.end(kind)
		return nil
	}
	return op
}

// end ends an operation, if there is one, and wipes what it held.
func (s *Session) end(kind operationKind) {
	op := s.ops[kind]
	if op == nil {
		return
	}
	s.ops[kind] = nil
	if op.key != nil {
		op.key.operations.Add(-1)
	}
	if op.stream != nil {
		op.stream.Close()
	}
	clear(op.parts)
	*op = operation{}
	if kind == digesting {
		s.board.Idle(s.handle)
	}
}

// carryOn is the one place for the rules of a running operation (sections 5.1.2 and 5.2): whether there is one, that one-shot and multi-part calls are not
// mixed, that a context-specific login has happened, and when it ends. last says that the call ends the operation if it succeeds.
//
// A call that asks for a length, or whose buffer is too small, leaves the operation as it was. So does one that lacks the context-specific login, which
// GnuTLS makes and then calls again, or whose login was forgotten by a guard that ended. Any other error ends it.
func (s *Session) carryOn(kind operationKind, as style, last bool, out *Output, step func(*operation) (int, error)) (int, error) {
	if err := s.lock(); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	op := s.active(kind)
	if op == nil {
		return 0, ck.CKR_OPERATION_NOT_INITIALIZED
	}
	if op.style != fresh && op.style != as {
		s.end(kind)
		return 0, ck.CKR_OPERATION_ACTIVE
	}
	op.style = as
	if op.needsLogin && (out == nil || !out.Null) {
		return 0, ck.Errorf(ck.CKR_USER_NOT_LOGGED_IN, "the key wants C_Login(CKU_CONTEXT_SPECIFIC) for each operation")
	}
	n, err := step(op)
	if ck.Code(err) == ck.CKR_KEY_HANDLE_INVALID && s.rebind(op, operationOps[kind]) {
		n, err = step(op)
	}
	err = s.tok.noteLost(err)
	switch ck.Code(err) {
	case ck.CKR_OK:
		if last && (out == nil || !out.Null) {
			s.end(kind)
		}
	case ck.CKR_BUFFER_TOO_SMALL:
	default:
		if !op.lostPermission(err) {
			s.end(kind)
		}
	}
	return n, err
}

// lostPermission says that the context-specific login is gone, with the guard that had given it: there must be another.
func (op *operation) lostPermission(err error) bool {
	if ck.Code(err) != ck.CKR_USER_NOT_LOGGED_IN || op.scheme.Ticket == 0 || op.stream != nil {
		return false
	}
	op.needsLogin = true
	return true
}

// rebind finds the operation's key again where it was sealed anew meanwhile, for another policy that still permits the operation. A permission for one use
// (CKA_ALWAYS_AUTHENTICATE) and what a stream has taken are gone with the old one.
func (s *Session) rebind(op *operation, use mech.Op) bool {
	if op.ref == 0 || op.stream != nil || op.scheme.Ticket != 0 {
		return false
	}
	t := s.tok
	t.mu.Lock()
	defer t.mu.Unlock()
	o, err := s.object(op.key.handle)
	if err != nil {
		return false
	}
	key, err := t.usable(o)
	if err != nil || key.policy.Permits(use, op.scheme.Row) != nil {
		return false
	}
	old := op.ref
	op.ref, err = t.load(o)
	return err == nil && op.ref != old
}
