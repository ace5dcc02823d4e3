package token

import (
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/seal"
)

// Attest has the guard state what it knows of private keys, and the TPM vouch for it, for somebody elsewhere to believe. Errors: those of guard.Keys.Attest;
// CKR_KEY_HANDLE_INVALID.
func (s *Session) Attest(keys []ck.ObjectHandle, asked *guard.Asked) (statement []byte, by *seal.Attestation, err error) {
	if err := s.lock(); err != nil {
		return nil, nil, err
	}
	defer s.mu.Unlock()
	engine, refs, err := s.loadAll(keys)
	if err != nil {
		return nil, nil, s.tok.noteLost(err)
	}
	statement, by, err = engine.Attest(refs, asked)
	return statement, by, s.tok.noteLost(err)
}

// loadAll loads private keys.
func (s *Session) loadAll(handles []ck.ObjectHandle) (guard.Keys, []guard.Ref, error) {
	t := s.tok
	t.mu.Lock()
	defer t.mu.Unlock()
	refs := make([]guard.Ref, len(handles))
	for i, h := range handles {
		o, err := s.object(h)
		if err != nil {
			return nil, nil, handleError(err, ck.CKR_KEY_HANDLE_INVALID)
		}
		key, err := t.usable(o)
		if err != nil {
			return nil, nil, handleError(err, ck.CKR_KEY_HANDLE_INVALID)
		}
		if key.policy.Class != ck.CKO_PRIVATE_KEY {
			return nil, nil, ck.Errorf(ck.CKR_KEY_TYPE_INCONSISTENT, "a statement is about private keys")
		}
		if refs[i], err = t.load(o); err != nil {
			return nil, nil, err
		}
	}
	engine, err := t.guard()
	return engine, refs, err
}

// Activate makes a secret key of what somebody elsewhere has encrypted for the token's TPM (TPM2_ActivateCredential). The template must be one for a generic
// secret that is sensitive, not extractable and for deriving only. Errors: those of guard.Keys.Activate.
func (s *Session) Activate(blob, encrypted []byte, t attr.Template) (ck.ObjectHandle, error) {
	if err := s.lock(); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	d, err := s.encapsulated(t)
	if err != nil {
		return 0, err
	}
	return s.makeKey(d, func(keys guard.Keys, vault guard.Vault) (*guard.Key, error) {
		return keys.Activate(vault, blob, encrypted, d.policy())
	})
}
