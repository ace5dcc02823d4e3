package local

import (
	"crypto"
	"crypto/ecdh"
	"crypto/rand"

	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/guard"
	"github.com/ncrypt11/ncrypt11/token/mech"
	"github.com/ncrypt11/ncrypt11/token/pubkey"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// wrapECDHAES is CKM_ECDH_AES_KEY_WRAP: the raw point of a fresh key pair, and the key under what is agreed on with it.
func wrapECDHAES(dst []byte, public crypto.PublicKey, s *mech.Scheme, plain []byte) ([]byte, error) {
	curve, raw := pubkey.Point(public)
	if curve == nil || curve.ECDH() == nil {
		return nil, ck.CKR_KEY_TYPE_INCONSISTENT
	}
	own, err := curve.ECDH().GenerateKey(rand.Reader)
	if err != nil {
		return nil, ck.Errorf(ck.CKR_FUNCTION_FAILED, "a fresh key on %s: %w", curve.Name, err)
	}
	aes, err := agreedAES(own, curve, raw, s)
	if err != nil {
		return nil, err
	}
	defer aes.Close()
	return wrapUnder(append(dst, own.PublicKey().Bytes()...), aes, plain)
}

// agreedAES is the AES key that both sides find.
func agreedAES(own *ecdh.PrivateKey, curve *pubkey.Curve, point []byte, s *mech.Scheme) (*secret.Bytes, error) {
	if err := checkAESLen(s); err != nil {
		return nil, err
	}
	shared, err := agreeWith(own, curve, point)
	if err != nil {
		return nil, err
	}
	defer shared.Close()
	return deriveValue(shared, s, &guard.KeySpec{ValueLen: s.AESLen})
}

func findECDH(own *ecdh.PrivateKey, curve *pubkey.Curve, s *mech.Scheme, wrapped []byte) (*secret.Bytes, []byte, error) {
	if s.Row.Primitive != mech.ECDHAESKeyWrap {
		return nil, nil, ck.CKR_KEY_TYPE_INCONSISTENT
	}
	point, rest, err := split(wrapped, curve.PointLen())
	if err != nil {
		return nil, nil, err
	}
	aes, err := agreedAES(own, curve, point, s)
	if ck.Code(err) == ck.CKR_PUBLIC_KEY_INVALID { // the point is a part of the wrapped key
		return nil, nil, ck.CKR_ENCRYPTED_DATA_INVALID
	}
	return aes, rest, err
}

func (k *ecKey) find(s *mech.Scheme, wrapped []byte) (*secret.Bytes, []byte, error) {
	return findECDH(k.dh, k.curve, s, wrapped)
}

func (k *xKey) find(s *mech.Scheme, wrapped []byte) (*secret.Bytes, []byte, error) {
	return findECDH(k.key, pubkey.X25519, s, wrapped)
}
