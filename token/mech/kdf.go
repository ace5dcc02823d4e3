package mech

import "github.com/ncrypt11/ncrypt11/token/ck"

var kdfHashes = map[uint]Hash{
	ck.CKD_SHA1_KDF: SHA1, ck.CKD_SHA224_KDF: SHA224, ck.CKD_SHA256_KDF: SHA256, ck.CKD_SHA384_KDF: SHA384, ck.CKD_SHA512_KDF: SHA512,
	ck.CKD_SHA3_224_KDF: SHA3_224, ck.CKD_SHA3_256_KDF: SHA3_256, ck.CKD_SHA3_384_KDF: SHA3_384, ck.CKD_SHA3_512_KDF: SHA3_512,
}

// KDFHash is the hash of an ECDH key derivation function of ANSI X9.63 (CKD_*_KDF). 0 for CKD_NULL and what is unknown.
func KDFHash(kdf uint) Hash { return kdfHashes[kdf] }
