package local

import (
	"crypto/subtle"
	"slices"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Sign signs data or its digest, or computes a MAC.
func (g *Keys) Sign(dst []byte, ref guard.Ref, s *mech.Scheme, data []byte) ([]byte, error) {
	return g.sign(dst, ref, mech.OpSign, s, data)
}

// SignRecover signs data so that the signature gives it back.
func (g *Keys) SignRecover(dst []byte, ref guard.Ref, s *mech.Scheme, data []byte) ([]byte, error) {
	return g.sign(dst, ref, mech.OpSignRecover, s, data)
}

func (g *Keys) sign(dst []byte, ref guard.Ref, op mech.Op, s *mech.Scheme, data []byte) ([]byte, error) {
	k, err := g.use(ref, op, s)
	if err != nil {
		return nil, err
	}
	defer k.release()
	m, ok := k.material.(signer)
	if !ok {
		return nil, ck.CKR_KEY_TYPE_INCONSISTENT
	}
	return m.sign(dst, s, data)
}

// Verify checks a MAC.
func (g *Keys) Verify(ref guard.Ref, s *mech.Scheme, data, mac []byte) error {
	k, err := g.use(ref, mech.OpVerify, s)
	if err != nil {
		return err
	}
	defer k.release()
	m, ok := k.material.(*secretKey)
	if !ok {
		return ck.CKR_KEY_TYPE_INCONSISTENT
	}
	want, err := m.sign(nil, s, data)
	if err != nil {
		return err
	}
	defer secret.Wipe(want)
	if len(mac) != len(want) {
		return ck.CKR_SIGNATURE_LEN_RANGE
	}
	if subtle.ConstantTimeCompare(mac, want) != 1 {
		return ck.CKR_SIGNATURE_INVALID
	}
	return nil
}

// Encrypt encrypts with a secret key.
func (g *Keys) Encrypt(dst []byte, ref guard.Ref, s *mech.Scheme, data []byte) ([]byte, error) {
	k, err := g.use(ref, mech.OpEncrypt, s)
	if err != nil {
		return nil, err
	}
	defer k.release()
	m, ok := k.material.(encrypter)
	if !ok {
		return nil, ck.CKR_KEY_TYPE_INCONSISTENT
	}
	return m.encrypt(dst, s, data)
}

// Decrypt decrypts with a secret or private key.
func (g *Keys) Decrypt(dst []byte, ref guard.Ref, s *mech.Scheme, data []byte) ([]byte, error) {
	k, err := g.use(ref, mech.OpDecrypt, s)
	if err != nil {
		return nil, err
	}
	defer k.release()
	m, ok := k.material.(decrypter)
	if !ok {
		return nil, ck.CKR_KEY_TYPE_INCONSISTENT
	}
	return m.decrypt(dst, s, data)
}

// streamed are the operations that have parts. With another, whose right the key may have, the modes would do what they do for encryption.
var streamed = []mech.Op{mech.OpEncrypt, mech.OpDecrypt, mech.OpSign, mech.OpVerify}

// Stream starts a multi-part use of a secret key. It holds the key until Close.
func (g *Keys) Stream(ref guard.Ref, s *mech.Scheme, op mech.Op) (guard.Stream, error) {
	if !slices.Contains(streamed, op) {
		return nil, ck.Errorf(ck.CKR_MECHANISM_INVALID, "the operation has no parts")
	}
	k, err := g.use(ref, op, s)
	if err != nil {
		return nil, err
	}
	m, ok := k.material.(streamer)
	if !ok {
		k.release()
		return nil, ck.CKR_KEY_TYPE_INCONSISTENT
	}
	st, err := m.stream(s, op)
	if err != nil {
		k.release()
		return nil, err
	}
	return &stream{key: k, state: st}, nil
}
