package ncryptmap

import (
	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/attr"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// Encapsulate is NCryptEncapsulate: a fresh secret, which the caller closes, and what the owner of the key finds it by. The key may be a public one. Errors:
// NTE_INVALID_HANDLE; NTE_BAD_FLAGS; NTE_BAD_KEY_STATE; NTE_NOT_SUPPORTED for keys of other algorithms than ML-KEM.
func (k *KSP) Encapsulate(handle Handle, flags uint32) (*secret.Bytes, []byte, error) {
	key, err := k.kem(handle, flags)
	if err != nil {
		return nil, nil, err
	}
	defer key.mu.Unlock()
	public, err := key.publicObject()
	if err != nil {
		return nil, nil, status(err)
	}
	ciphertext := make([]byte, key.set.ciphertext)
	_, object, err := key.session.EncapsulateKey(ck.Mechanism{Type: ck.CKM_ML_KEM}, public, sharedTemplate(), token.Output{Buf: ciphertext})
	if err != nil {
		return nil, nil, status(err)
	}
	value, err := takeValue(key.session, object)
	return value, ciphertext, status(err)
}

// Decapsulate is NCryptDecapsulate: the secret that a ciphertext is for, which the caller closes. A ciphertext that was altered gives another secret, and no
// error. Errors: as Encapsulate; NTE_PERM; NTE_BAD_TYPE for a public key; NTE_INVALID_PARAMETER for a ciphertext of another length.
func (k *KSP) Decapsulate(handle Handle, ciphertext []byte, flags uint32) (*secret.Bytes, error) {
	key, err := k.kem(handle, flags)
	if err != nil {
		return nil, err
	}
	defer key.mu.Unlock()
	if err := key.mayUse(callDecapsulate, flags, plan.NCRYPT_ALLOW_KEY_AGREEMENT_FLAG, ciphertext); err != nil {
		return nil, err
	}
	if len(ciphertext) != key.set.ciphertext {
		return nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "a ciphertext of %s-%s has %d bytes, not %d", key.algorithm.name, key.set.name, key.set.ciphertext, len(ciphertext))
	}
	object, err := key.session.DecapsulateKey(ck.Mechanism{Type: ck.CKM_ML_KEM}, key.object, sharedTemplate(), ciphertext)
	if err != nil {
		return nil, status(err)
	}
	value, err := takeValue(key.session, object)
	return value, status(err)
}

// kem gives a key of ML-KEM, locked.
func (k *KSP) kem(handle Handle, flags uint32) (*key, error) {
	key, err := k.finished(handle)
	if err != nil {
		return nil, err
	}
	if err = checkFlags(callDecapsulate, flags); err == nil && key.algorithm.keyType != ck.CKK_ML_KEM {
		err = nte.Errorf(nte.NTE_NOT_SUPPORTED, "%s keys do not encapsulate", key.algorithm.name)
	}
	if err != nil {
		key.mu.Unlock()
		return nil, err
	}
	return key, nil
}

// sharedTemplate is for a secret that the program gets.
func sharedTemplate() attr.Template {
	return attr.Template{
		{Type: ck.CKA_CLASS, Value: attr.ULong(uint(ck.CKO_SECRET_KEY))}, {Type: ck.CKA_KEY_TYPE, Value: attr.ULong(uint(ck.CKK_GENERIC_SECRET))},
		boolean(ck.CKA_TOKEN, false), boolean(ck.CKA_SENSITIVE, false), boolean(ck.CKA_EXTRACTABLE, true),
	}
}

// EncapsulateTo is Encapsulate into two buffers. Where one of them is not there, or too small, nothing is made.
func (k *KSP) EncapsulateTo(value, ciphertext token.Output, handle Handle, flags uint32) (valueLen, ciphertextLen int, err error) {
	key, err := k.kem(handle, flags)
	if err != nil {
		return 0, 0, err
	}
	valueLen, ciphertextLen = kemSecret, key.set.ciphertext
	key.mu.Unlock()
	switch {
	case value.Null || ciphertext.Null:
		return valueLen, ciphertextLen, nil
	case len(value.Buf) < valueLen:
		return valueLen, ciphertextLen, tooSmall(valueLen)
	case len(ciphertext.Buf) < ciphertextLen:
		return valueLen, ciphertextLen, tooSmall(ciphertextLen)
	}
	shared, made, err := k.Encapsulate(handle, flags)
	if err != nil {
		return 0, 0, err
	}
	defer shared.Close()
	return copy(value.Buf, shared.Bytes()), copy(ciphertext.Buf, made), nil
}

// DecapsulateTo is Decapsulate into a buffer.
func (k *KSP) DecapsulateTo(out token.Output, handle Handle, ciphertext []byte, flags uint32) (int, error) {
	if out.Null || len(out.Buf) < kemSecret {
		key, err := k.kem(handle, flags)
		if err != nil {
			return 0, err
		}
		key.mu.Unlock()
		if out.Null {
			return kemSecret, nil
		}
		return kemSecret, tooSmall(kemSecret)
	}
	shared, err := k.Decapsulate(handle, ciphertext, flags)
	if err != nil {
		return 0, err
	}
	defer shared.Close()
	return fill(out, shared.Bytes())
}
