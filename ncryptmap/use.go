package ncryptmap

import (
	"crypto"

	"github.com/ncrypt11/ncrypt11/ncryptmap/nte"
	"github.com/ncrypt11/ncrypt11/ncryptmap/plan"
	"github.com/ncrypt11/ncrypt11/token"
	"github.com/ncrypt11/ncrypt11/token/ck"
)

// Padding is what a padding flag comes with: BCRYPT_PKCS1_PADDING_INFO, BCRYPT_PSS_PADDING_INFO, BCRYPT_OAEP_PADDING_INFO, BCRYPT_PQDSA_PADDING_INFO or, for AES,
// the cipher's.
type Padding struct {
	Hash    string // pszAlgId, pszPrehashAlgId: BCRYPT_SHA256_ALGORITHM, ...; empty: none
	Salt    uint32 // cbSalt, bytes
	Label   []byte
	Context []byte // of ML-DSA
	IV      []byte
}

// hashes are the hash algorithms by CNG's names.
var hashes = map[string]struct {
	hash      crypto.Hash
	mechanism ck.MechanismType
	mgf       uint
	prefix    []byte // of DigestInfo (RFC 8017, section 9.2, note 1)
}{
	"SHA1":   {crypto.SHA1, ck.CKM_SHA_1, ck.CKG_MGF1_SHA1, []byte{0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14}},
	"SHA256": {crypto.SHA256, ck.CKM_SHA256, ck.CKG_MGF1_SHA256, digestInfo(1, 32)},
	"SHA384": {crypto.SHA384, ck.CKM_SHA384, ck.CKG_MGF1_SHA384, digestInfo(2, 48)},
	"SHA512": {crypto.SHA512, ck.CKM_SHA512, ck.CKG_MGF1_SHA512, digestInfo(3, 64)},
}

// digestInfo is the prefix for one of the SHA-2 family, 2.16.840.1.101.3.4.2.ARC.
func digestInfo(arc, size byte) []byte {
	return []byte{0x30, 0x11 + size, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, arc, 0x05, 0x00, 0x04, size}
}

// signing gives the mechanism for a signature over a hash, and the bytes that it signs.
func (k *key) signing(padding *Padding, hash []byte, flags uint32) (ck.Mechanism, []byte, error) {
	switch {
	case flags&NCRYPT_PAD_PQDSA_FLAG != 0 && k.algorithm.keyType != ck.CKK_ML_DSA:
		return ck.Mechanism{}, nil, nte.Errorf(nte.NTE_BAD_FLAGS, "NCRYPT_PAD_PQDSA_FLAG is not for %s", k.algorithm.name)
	case k.algorithm.usages&plan.NCRYPT_ALLOW_SIGNING_FLAG == 0:
		return ck.Mechanism{}, nil, nte.Errorf(nte.NTE_NOT_SUPPORTED, "%s keys do not sign", k.algorithm.name)
	case k.algorithm.keyType == ck.CKK_EC:
		return ck.Mechanism{Type: ck.CKM_ECDSA}, hash, nil
	case k.algorithm.keyType == ck.CKK_ML_DSA:
		return k.messageSigning(padding, hash, flags)
	}
	if padding == nil || flags&(NCRYPT_PAD_PKCS1_FLAG|NCRYPT_PAD_PSS_FLAG) == 0 {
		return ck.Mechanism{}, nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "a signature with RSA needs padding information")
	}
	if flags&NCRYPT_PAD_PKCS1_FLAG != 0 && padding.Hash == "" {
		return ck.Mechanism{Type: ck.CKM_RSA_PKCS}, hash, nil
	}
	h, ok := hashes[padding.Hash]
	if !ok {
		return ck.Mechanism{}, nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "hash algorithm %q is not supported", padding.Hash)
	}
	if len(hash) != h.hash.Size() {
		return ck.Mechanism{}, nil, nte.Errorf(nte.NTE_INVALID_PARAMETER, "a hash of %s has %d bytes, not %d", padding.Hash, h.hash.Size(), len(hash))
	}
	if flags&NCRYPT_PAD_PSS_FLAG != 0 {
		return ck.Mechanism{Type: ck.CKM_RSA_PKCS_PSS, Params: ck.PSSParams{Hash: h.mechanism, MGF: h.mgf, SaltLen: uint(padding.Salt)}}, hash, nil
	}
	return ck.Mechanism{Type: ck.CKM_RSA_PKCS}, append(append([]byte{}, h.prefix...), hash...), nil
}

// SignHash is NCryptSignHash. Errors: NTE_INVALID_HANDLE; NTE_BAD_FLAGS; NTE_BAD_KEY_STATE; NTE_PERM where the key's usage does not allow it;
// NTE_INVALID_PARAMETER; NTE_VBS_CANNOT_DECRYPT_KEY for a key whose boot is over, or whose TPM is another.
func (k *KSP) SignHash(handle Handle, padding *Padding, hash []byte, flags uint32) ([]byte, error) {
	key, data, err := k.beginSign(handle, padding, hash, flags)
	if err != nil {
		return nil, err
	}
	defer key.mu.Unlock()
	signature, err := whole(func(out token.Output) (int, error) { return key.session.Sign(data, out) })
	return signature, status(err)
}

// beginSign gives the key, locked and with an operation begun, and what it is to sign.
func (k *KSP) beginSign(handle Handle, padding *Padding, hash []byte, flags uint32) (*key, []byte, error) {
	key, err := k.finished(handle)
	if err != nil {
		return nil, nil, err
	}
	data, err := key.signInit(padding, hash, flags)
	if err != nil {
		key.mu.Unlock()
		return nil, nil, err
	}
	return key, data, nil
}

func (k *key) signInit(padding *Padding, hash []byte, flags uint32) ([]byte, error) {
	if err := k.mayUse(callSign, flags, plan.NCRYPT_ALLOW_SIGNING_FLAG, hash); err != nil {
		return nil, err
	}
	mechanism, data, err := k.signing(padding, hash, flags)
	if err != nil {
		return nil, err
	}
	return data, status(k.session.SignInit(&mechanism, k.object))
}

// mayUse checks what every use of a private or secret key does.
func (k *key) mayUse(c call, flags, usage uint32, data []byte) error {
	if err := checkFlags(c, flags); err != nil {
		return err
	}
	switch {
	case data == nil:
		return nte.Errorf(nte.RPC_X_NULL_REF_POINTER, "there is no data")
	case k.class == ck.CKO_PUBLIC_KEY:
		return nte.Errorf(nte.NTE_BAD_TYPE, "this needs a private key")
	}
	return k.permits(usage)
}

// whole gives all that an operation puts out.
func whole(do func(token.Output) (int, error)) ([]byte, error) {
	n, err := do(token.Output{Null: true})
	if err != nil {
		return nil, err
	}
	out := make([]byte, n)
	n, err = do(token.Output{Buf: out})
	if err != nil {
		return nil, err
	}
	return out[:n], nil
}

// VerifySignature is NCryptVerifySignature. Errors: NTE_BAD_SIGNATURE; else as SignHash.
func (k *KSP) VerifySignature(handle Handle, padding *Padding, hash, signature []byte, flags uint32) error {
	key, err := k.finished(handle)
	if err != nil {
		return err
	}
	defer key.mu.Unlock()
	if err := checkFlags(callVerify, flags); err != nil {
		return err
	}
	if hash == nil || signature == nil {
		return nte.Errorf(nte.RPC_X_NULL_REF_POINTER, "there is no hash or no signature")
	}
	mechanism, data, err := key.signing(padding, hash, flags)
	if err != nil {
		return err
	}
	public, err := key.publicObject()
	if err == nil {
		err = key.session.VerifyInit(&mechanism, public)
	}
	if err == nil {
		err = key.session.Verify(data, signature)
	}
	return status(err)
}

// ciphers gives the mechanism of an encryption.
func (k *key) ciphers(padding *Padding, flags uint32) (ck.Mechanism, error) {
	if k.algorithm.keyType == ck.CKK_AES {
		return k.aes(padding, flags)
	}
	switch {
	case k.algorithm.keyType != ck.CKK_RSA:
		return ck.Mechanism{}, nte.Errorf(nte.NTE_NOT_SUPPORTED, "%s keys do not encrypt", k.algorithm.name)
	case flags&NCRYPT_NO_PADDING_FLAG != 0:
		return ck.Mechanism{Type: ck.CKM_RSA_X_509}, nil
	case flags&NCRYPT_PAD_PKCS1_FLAG != 0:
		return ck.Mechanism{Type: ck.CKM_RSA_PKCS}, nil
	case flags&NCRYPT_PAD_OAEP_FLAG == 0 || padding == nil:
		return ck.Mechanism{}, nte.Errorf(nte.NTE_INVALID_PARAMETER, "an encryption with RSA needs padding information")
	}
	h, ok := hashes[padding.Hash]
	if !ok {
		return ck.Mechanism{}, nte.Errorf(nte.NTE_INVALID_PARAMETER, "hash algorithm %q is not supported", padding.Hash)
	}
	return ck.Mechanism{Type: ck.CKM_RSA_PKCS_OAEP, Params: ck.OAEPParams{Hash: h.mechanism, MGF: h.mgf, Source: ck.CKZ_DATA_SPECIFIED, Label: padding.Label}}, nil
}

// aes is CBC with the IV of the padding information, the block padding where the flag asks for it.
func (k *key) aes(padding *Padding, flags uint32) (ck.Mechanism, error) {
	iv := k.transient[NCRYPT_INITIALIZATION_VECTOR]
	if padding != nil && padding.IV != nil {
		iv = padding.IV
	}
	if len(iv) != 16 {
		return ck.Mechanism{}, nte.Errorf(nte.NTE_INVALID_PARAMETER, "AES in CBC mode needs an IV of 16 bytes")
	}
	if flags&NCRYPT_PAD_CIPHER_FLAG != 0 {
		return ck.Mechanism{Type: ck.CKM_AES_CBC_PAD, Params: ck.RawParams(iv)}, nil
	}
	return ck.Mechanism{Type: ck.CKM_AES_CBC, Params: ck.RawParams(iv)}, nil
}

// Encrypt is NCryptEncrypt. Errors: as SignHash.
func (k *KSP) Encrypt(handle Handle, padding *Padding, data []byte, flags uint32) ([]byte, error) {
	key, err := k.beginEncrypt(handle, padding, data, flags, false)
	if err != nil {
		return nil, err
	}
	defer key.mu.Unlock()
	out, err := whole(func(out token.Output) (int, error) { return key.session.Encrypt(data, out) })
	return out, status(err)
}

// beginEncrypt gives the key, locked and with an operation begun. For who wants to know the length only, data need not be what can be encrypted.
func (k *KSP) beginEncrypt(handle Handle, padding *Padding, data []byte, flags uint32, lengthOnly bool) (*key, error) {
	key, err := k.finished(handle)
	if err != nil {
		return nil, err
	}
	if err := key.encryptInit(padding, data, flags, lengthOnly); err != nil {
		key.mu.Unlock()
		return nil, err
	}
	return key, nil
}

func (k *key) encryptInit(padding *Padding, data []byte, flags uint32, lengthOnly bool) error {
	if err := checkFlags(callEncrypt, flags); err != nil {
		return err
	}
	mechanism, err := k.ciphers(padding, flags)
	if err != nil {
		return err
	}
	if mechanism.Type == ck.CKM_RSA_X_509 && !lengthOnly && len(data) != int(k.blockLength()) {
		return nte.Errorf(nte.NTE_INVALID_PARAMETER, "without padding the data must have %d bytes", k.blockLength())
	}
	object := k.object
	if k.class != ck.CKO_SECRET_KEY {
		if object, err = k.publicObject(); err != nil {
			return status(err)
		}
	}
	return status(k.session.EncryptInit(&mechanism, object))
}

// Decrypt is NCryptDecrypt. The caller wipes what it gives. Errors: as SignHash.
func (k *KSP) Decrypt(handle Handle, padding *Padding, data []byte, flags uint32) ([]byte, error) {
	key, err := k.beginDecrypt(handle, padding, data, flags)
	if err != nil {
		return nil, err
	}
	defer key.mu.Unlock()
	out, err := whole(func(out token.Output) (int, error) { return key.session.Decrypt(data, out) })
	return out, status(err)
}

// beginDecrypt gives the key, locked and with an operation begun.
func (k *KSP) beginDecrypt(handle Handle, padding *Padding, data []byte, flags uint32) (*key, error) {
	key, err := k.finished(handle)
	if err != nil {
		return nil, err
	}
	if err := key.decryptInit(padding, data, flags); err != nil {
		key.mu.Unlock()
		return nil, err
	}
	return key, nil
}

func (k *key) decryptInit(padding *Padding, data []byte, flags uint32) error {
	if err := k.mayUse(callDecrypt, flags, plan.NCRYPT_ALLOW_DECRYPT_FLAG, data); err != nil {
		return err
	}
	mechanism, err := k.ciphers(padding, flags)
	if err != nil {
		return err
	}
	if k.algorithm.keyType == ck.CKK_RSA && len(data) != int(k.blockLength()) {
		return nte.Errorf(nte.NTE_INVALID_PARAMETER, "what RSA decrypts has %d bytes, not %d", k.blockLength(), len(data))
	}
	return status(k.session.DecryptInit(&mechanism, k.object))
}
