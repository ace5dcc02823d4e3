package vectors_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/miekg/pkcs11"

	"github.com/ncrypt11/ncrypt11/token/ck"
)

// both checks a ciphertext: a valid one is made and opened, an invalid one is not opened.
func (tok *token) both(t *testing.T, v *vector, m ck.MechanismType, parameter func() any, ciphertext []byte) {
	t.Helper()
	key := tok.secret(t, pkcs11.CKK_AES, v.Key)
	defer tok.destroy(t, key)
	plain, err := tok.decrypt(tok.with(m, parameter()), key, ciphertext)
	if v.Result == "invalid" {
		if err == nil {
			t.Error("an invalid ciphertext was decrypted")
		}
		return
	}
	if v.Result == "acceptable" && err != nil {
		return
	}
	if err != nil || !bytes.Equal(plain, v.Msg) {
		t.Errorf("decrypted to %x, %v", plain, err)
	}
	made, err := tok.encrypt(tok.with(m, parameter()), key, v.Msg)
	if err != nil || !bytes.Equal(made, ciphertext) {
		t.Errorf("encrypted to %x, %v", made, err)
	}
}

func aesVectors(t *testing.T, tok *token) {
	each(t, "aes_cbc_pkcs5", func(t *testing.T, _ *group, v *vector) {
		if len(v.CT) > 0 {
			tok.both(t, v, ck.CKM_AES_CBC_PAD, func() any { return []byte(v.IV) }, v.CT)
		}
	})
	each(t, "aes_gcm", func(t *testing.T, g *group, v *vector) {
		if len(v.IV) == 0 {
			return // the interface has no IV of length 0
		}
		tok.both(t, v, ck.CKM_AES_GCM, func() any { return pkcs11.NewGCMParams(v.IV, v.AAD, g.TagSize) }, append(bytes.Clone(v.CT), v.Tag...))
	})
}

func wrapVectors(t *testing.T, tok *token) {
	for file, mechanisms := range map[string][]ck.MechanismType{
		"aes_wrap": {ck.CKM_AES_KEY_WRAP}, "aes_kwp": {ck.CKM_AES_KEY_WRAP_KWP, ck.CKM_AES_KEY_WRAP_PAD},
	} {
		for _, m := range mechanisms {
			each(t, file, func(t *testing.T, _ *group, v *vector) {
				tok.both(t, v, m, func() any { return nil }, v.CT)
				tok.unwraps(t, v, m)
			})
		}
	}
}

// unwraps makes a key of what is wrapped, and reads it.
func (tok *token) unwraps(t *testing.T, v *vector, m ck.MechanismType) {
	t.Helper()
	if len(v.CT) == 0 {
		return // the client cannot pass it
	}
	wrapping := tok.secret(t, pkcs11.CKK_AES, v.Key)
	defer tok.destroy(t, wrapping)
	key, err := tok.UnwrapKey(tok.h, tok.with(m, nil), wrapping, v.CT, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY), pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_GENERIC_SECRET),
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, false), pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, true),
	})
	if err != nil {
		if v.Result == "valid" && len(v.Msg) > 0 {
			t.Errorf("unwrapping: %v", err)
		}
		return
	}
	defer tok.destroy(t, key)
	if v.Result == "invalid" {
		t.Error("an invalid wrapped key became a key")
		return
	}
	value, err := tok.GetAttributeValue(tok.h, key, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil)})
	if err != nil || !bytes.Equal(value[0].Value, v.Msg) {
		t.Errorf("unwrapped something else, %v", err)
	}
}

func macVectors(t *testing.T, tok *token) {
	for file, m := range map[string][2]ck.MechanismType{
		"aes_cmac":  {ck.CKM_AES_CMAC, ck.CKM_AES_CMAC_GENERAL},
		"hmac_sha1": {ck.CKM_SHA_1_HMAC, ck.CKM_SHA_1_HMAC_GENERAL}, "hmac_sha224": {ck.CKM_SHA224_HMAC, ck.CKM_SHA224_HMAC_GENERAL},
		"hmac_sha256": {ck.CKM_SHA256_HMAC, ck.CKM_SHA256_HMAC_GENERAL}, "hmac_sha384": {ck.CKM_SHA384_HMAC, ck.CKM_SHA384_HMAC_GENERAL},
		"hmac_sha512": {ck.CKM_SHA512_HMAC, ck.CKM_SHA512_HMAC_GENERAL}, "hmac_sha512_224": {ck.CKM_SHA512_224_HMAC, ck.CKM_SHA512_224_HMAC_GENERAL},
		"hmac_sha512_256": {ck.CKM_SHA512_256_HMAC, ck.CKM_SHA512_256_HMAC_GENERAL},
		"hmac_sha3_224":   {ck.CKM_SHA3_224_HMAC, ck.CKM_SHA3_224_HMAC_GENERAL}, "hmac_sha3_256": {ck.CKM_SHA3_256_HMAC, ck.CKM_SHA3_256_HMAC_GENERAL},
		"hmac_sha3_384": {ck.CKM_SHA3_384_HMAC, ck.CKM_SHA3_384_HMAC_GENERAL}, "hmac_sha3_512": {ck.CKM_SHA3_512_HMAC, ck.CKM_SHA3_512_HMAC_GENERAL},
	} {
		each(t, file, func(t *testing.T, g *group, v *vector) { tok.mac(t, g, v, file == "aes_cmac", m[0], m[1]) })
	}
}

// mac tries a whole tag with the mechanism that gives whole ones, and any with the one that cuts.
func (tok *token) mac(t *testing.T, g *group, v *vector, aes bool, whole, general ck.MechanismType) {
	t.Helper()
	keyType := uint(pkcs11.CKK_GENERIC_SECRET)
	if aes {
		keyType = pkcs11.CKK_AES
	}
	key, err := tok.object(pkcs11.CKO_SECRET_KEY, keyType, append(uses(pkcs11.CKA_SIGN, pkcs11.CKA_VERIFY), pkcs11.NewAttribute(pkcs11.CKA_VALUE, []byte(v.Key)))...)
	if err != nil {
		if v.Result == "valid" {
			t.Error(err)
		}
		return
	}
	defer tok.destroy(t, key)
	size := binary.NativeEndian.AppendUint64(nil, uint64(g.TagSize/8))
	tok.oneMAC(t, v, key, func() []*pkcs11.Mechanism { return tok.with(general, size) })
	if signature, err := tok.sign(tok.with(whole, nil), key, v.Msg); err != nil {
		t.Error(err)
	} else if len(signature) == g.TagSize/8 {
		tok.oneMAC(t, v, key, func() []*pkcs11.Mechanism { return tok.with(whole, nil) })
	}
}

func (tok *token) oneMAC(t *testing.T, v *vector, key pkcs11.ObjectHandle, m func() []*pkcs11.Mechanism) {
	t.Helper()
	err := tok.verify(m(), key, v.Msg, v.Tag)
	if good := v.Result == "valid"; good != (err == nil) {
		t.Errorf("verification: %v, of a tag that is %s", err, v.Result)
	}
	if v.Result != "valid" {
		return
	}
	tag, err := tok.sign(m(), key, v.Msg)
	if err != nil || !bytes.Equal(tag, v.Tag) {
		t.Errorf("a tag %x, %v", tag, err)
	}
}
