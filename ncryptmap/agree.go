package ncryptmap

import (
	"slices"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// agreed is a secret that two keys agree on (NCRYPT_SECRET_HANDLE).
type agreed struct {
	value        *secret.Bytes
	littleEndian bool // as RFC 7748 has it for curve25519; else big-endian
}

func (a *agreed) close() { a.value.Close() }

// SecretAgreement is NCryptSecretAgreement. Errors: NTE_INVALID_HANDLE; NTE_BAD_FLAGS; NTE_BAD_KEY_STATE; NTE_PERM; NTE_BAD_TYPE for keys that do not agree
// on anything, or not with each other.
func (k *KSP) SecretAgreement(privateKey, publicKey Handle, flags uint32) (Handle, error) {
	point, curve, err := k.pointOf(publicKey)
	if err != nil {
		return 0, err
	}
	private, err := k.finished(privateKey)
	if err != nil {
		return 0, err
	}
	defer private.mu.Unlock()
	if err := private.mayUse(callAgree, flags, plan.NCRYPT_ALLOW_KEY_AGREEMENT_FLAG, point); err != nil {
		return 0, err
	}
	if private.algorithm.group != "ECDH" || private.curve.Name != curve {
		return 0, nte.Errorf(nte.NTE_BAD_TYPE, "%s and a key on %s do not agree", private.algorithm.name, curve)
	}
	value, err := agree(private.session, private.object, point)
	if err != nil {
		return 0, status(err)
	}
	return k.handles.add(&agreed{value, private.algorithm.keyType == ck.CKK_EC_MONTGOMERY}), nil
}

// pointOf gives a key's public point and its curve.
func (k *KSP) pointOf(handle Handle) ([]byte, string, error) {
	public, err := k.finished(handle)
	if err != nil {
		return nil, "", err
	}
	defer public.mu.Unlock()
	if public.curve == nil {
		return nil, "", nte.Errorf(nte.NTE_BAD_TYPE, "%s keys do not agree on secrets", public.algorithm.name)
	}
	set, err := attributes(public.session, public.object, ck.CKA_EC_POINT)
	if err != nil {
		return nil, "", status(err)
	}
	point, _ := set.Get(ck.CKA_EC_POINT)
	return point, public.curve.Name, nil
}

// agree has the guard compute the secret, which the program gets: that is what an agreement is for.
func agree(s *token.Session, private ck.ObjectHandle, point []byte) (*secret.Bytes, error) {
	mechanism := ck.Mechanism{Type: ck.CKM_ECDH1_DERIVE, Params: ck.ECDH1Params{KDF: ck.CKD_NULL, PublicData: point}}
	object, err := s.DeriveKey(mechanism, private, attr.Template{
		{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_SECRET_KEY))}, {Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(ck.CKK_GENERIC_SECRET))},
		boolean(ck.CKA_TOKEN, false), boolean(ck.CKA_SENSITIVE, false), boolean(ck.CKA_EXTRACTABLE, true),
	})
	if err != nil {
		return nil, err
	}
	return takeValue(s, object)
}

// takeValue reads the value of a secret that was there to be read, and destroys the object.
func takeValue(s *token.Session, object ck.ObjectHandle) (*secret.Bytes, error) {
	defer func() { _ = s.DestroyObject(object) }() // it goes with its session at the latest
	readings := []token.Reading{{Type: ck.CKA_VALUE}}
	var value *secret.Bytes
	err := s.GetAttributes(object, readings, func() {
		if readings[0].Err == nil {
			value = secret.Copy(readings[0].Value)
		}
	})
	if err == nil {
		err = readings[0].Err
	}
	return value, err
}

// truncate is the little-endian form of a secret, which BCRYPT_KDF_RAW_SECRET gives and CKD_NULL does not.
func truncate(value []byte) []byte {
	out := slices.Clone(value)
	slices.Reverse(out)
	return out
}
