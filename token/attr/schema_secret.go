package attr

import "github.com/ncrypt11/ncrypt11/token/ck"

var (
	cipherUsages = []ck.AttributeType{ck.CKA_ENCRYPT, ck.CKA_DECRYPT, ck.CKA_SIGN, ck.CKA_VERIFY, ck.CKA_WRAP, ck.CKA_UNWRAP}
	macUsages    = []ck.AttributeType{ck.CKA_SIGN, ck.CKA_VERIFY}
)

// secretSchemas: AES, generic secrets and the key types of HMAC, which have the same attributes.
var secretSchemas = []schema{
	secretKey(ck.CKK_AES, cipherUsages),
	secretKey(ck.CKK_GENERIC_SECRET, macUsages),
	secretKey(ck.CKK_SHA_1_HMAC, macUsages),
	secretKey(ck.CKK_SHA224_HMAC, macUsages),
	secretKey(ck.CKK_SHA256_HMAC, macUsages),
	secretKey(ck.CKK_SHA384_HMAC, macUsages),
	secretKey(ck.CKK_SHA512_HMAC, macUsages),
	secretKey(ck.CKK_SHA512_224_HMAC, macUsages),
	secretKey(ck.CKK_SHA512_256_HMAC, macUsages),
	secretKey(ck.CKK_SHA3_224_HMAC, macUsages),
	secretKey(ck.CKK_SHA3_256_HMAC, macUsages),
	secretKey(ck.CKK_SHA3_384_HMAC, macUsages),
	secretKey(ck.CKK_SHA3_512_HMAC, macUsages),
}

func secretKey(keyType ck.KeyType, able []ck.AttributeType) schema {
	return schema{class: ck.CKO_SECRET_KEY, subtype: uint(keyType), rules: secretKeyRules, able: able}
}
