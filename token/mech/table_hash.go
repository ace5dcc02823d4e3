package mech

import "github.com/ncrypt11/ncrypt11/token/ck"

// MaxSecretLen bounds the bytes of a generic secret or HMAC key.
const MaxSecretLen = 64 << 10

// secretRows are the mechanisms of generic secret keys. The first alone counts its sizes in bits.
func secretRows() []Row {
	generic := types(ck.CKK_GENERIC_SECRET)
	return []Row{
		{Type: ck.CKM_GENERIC_SECRET_KEY_GEN, Primitive: GenerateSecret, KeyTypes: generic, Min: 8, Max: 8 * MaxSecretLen, Flags: ck.CKF_GENERATE},
		// The specification wants base keys as long as the hash. What agreements and TLS make is not, and nobody insists.
		{Type: ck.CKM_HKDF_DERIVE, Primitive: HKDF, Params: HKDFParams, KeyTypes: generic, Min: 1, Max: MaxSecretLen, Flags: ck.CKF_DERIVE},
	}
}

// hashFamily is the mechanisms that are built on one hash. 0: there is none.
type hashFamily struct {
	hash                      Hash
	hmac, hmacGeneral, keyGen ck.MechanismType
	keyType                   ck.KeyType // of HMAC keys
	pkcs1, pss, ecdsa         ck.MechanismType
}

var hashFamilies = []hashFamily{
	{MD5, ck.CKM_MD5_HMAC, ck.CKM_MD5_HMAC_GENERAL, 0, ck.CKK_MD5_HMAC,
		ck.CKM_MD5_RSA_PKCS, 0, 0},
	{SHA1, ck.CKM_SHA_1_HMAC, ck.CKM_SHA_1_HMAC_GENERAL, ck.CKM_SHA_1_KEY_GEN, ck.CKK_SHA_1_HMAC,
		ck.CKM_SHA1_RSA_PKCS, ck.CKM_SHA1_RSA_PKCS_PSS, ck.CKM_ECDSA_SHA1},
	{SHA224, ck.CKM_SHA224_HMAC, ck.CKM_SHA224_HMAC_GENERAL, ck.CKM_SHA224_KEY_GEN, ck.CKK_SHA224_HMAC,
		ck.CKM_SHA224_RSA_PKCS, ck.CKM_SHA224_RSA_PKCS_PSS, ck.CKM_ECDSA_SHA224},
	{SHA256, ck.CKM_SHA256_HMAC, ck.CKM_SHA256_HMAC_GENERAL, ck.CKM_SHA256_KEY_GEN, ck.CKK_SHA256_HMAC,
		ck.CKM_SHA256_RSA_PKCS, ck.CKM_SHA256_RSA_PKCS_PSS, ck.CKM_ECDSA_SHA256},
	{SHA384, ck.CKM_SHA384_HMAC, ck.CKM_SHA384_HMAC_GENERAL, ck.CKM_SHA384_KEY_GEN, ck.CKK_SHA384_HMAC,
		ck.CKM_SHA384_RSA_PKCS, ck.CKM_SHA384_RSA_PKCS_PSS, ck.CKM_ECDSA_SHA384},
	{SHA512, ck.CKM_SHA512_HMAC, ck.CKM_SHA512_HMAC_GENERAL, ck.CKM_SHA512_KEY_GEN, ck.CKK_SHA512_HMAC,
		ck.CKM_SHA512_RSA_PKCS, ck.CKM_SHA512_RSA_PKCS_PSS, ck.CKM_ECDSA_SHA512},
	{SHA512_224, ck.CKM_SHA512_224_HMAC, ck.CKM_SHA512_224_HMAC_GENERAL, ck.CKM_SHA512_224_KEY_GEN, ck.CKK_SHA512_224_HMAC, 0, 0, 0},
	{SHA512_256, ck.CKM_SHA512_256_HMAC, ck.CKM_SHA512_256_HMAC_GENERAL, ck.CKM_SHA512_256_KEY_GEN, ck.CKK_SHA512_256_HMAC, 0, 0, 0},
	{SHA3_224, ck.CKM_SHA3_224_HMAC, ck.CKM_SHA3_224_HMAC_GENERAL, ck.CKM_SHA3_224_KEY_GEN, ck.CKK_SHA3_224_HMAC,
		ck.CKM_SHA3_224_RSA_PKCS, ck.CKM_SHA3_224_RSA_PKCS_PSS, ck.CKM_ECDSA_SHA3_224},
	{SHA3_256, ck.CKM_SHA3_256_HMAC, ck.CKM_SHA3_256_HMAC_GENERAL, ck.CKM_SHA3_256_KEY_GEN, ck.CKK_SHA3_256_HMAC,
		ck.CKM_SHA3_256_RSA_PKCS, ck.CKM_SHA3_256_RSA_PKCS_PSS, ck.CKM_ECDSA_SHA3_256},
	{SHA3_384, ck.CKM_SHA3_384_HMAC, ck.CKM_SHA3_384_HMAC_GENERAL, ck.CKM_SHA3_384_KEY_GEN, ck.CKK_SHA3_384_HMAC,
		ck.CKM_SHA3_384_RSA_PKCS, ck.CKM_SHA3_384_RSA_PKCS_PSS, ck.CKM_ECDSA_SHA3_384},
	{SHA3_512, ck.CKM_SHA3_512_HMAC, ck.CKM_SHA3_512_HMAC_GENERAL, ck.CKM_SHA3_512_KEY_GEN, ck.CKK_SHA3_512_HMAC,
		ck.CKM_SHA3_512_RSA_PKCS, ck.CKM_SHA3_512_RSA_PKCS_PSS, ck.CKM_ECDSA_SHA3_512},
}

// hashRows are the digests and what is built on them.
func hashRows() []Row {
	var rows []Row
	for _, f := range hashFamilies {
		for _, row := range f.rows() {
			if row.Type != 0 {
				row.Hash, row.MultiPart = f.hash, row.Flags&ck.CKF_GENERATE == 0
				rows = append(rows, row)
			}
		}
	}
	return rows
}

func (f *hashFamily) rows() []Row {
	var (
		rsa        = types(ck.CKK_RSA)
		ec         = types(ck.CKK_EC)
		macKeys    = types(ck.CKK_GENERIC_SECRET, f.keyType)
		ecLo, ecHi = fieldBits(ec)
	)
	return []Row{
		{Type: f.hash.Mechanism(), Primitive: Digest, Flags: ck.CKF_DIGEST},
		{Type: f.hmac, Primitive: HMAC, KeyTypes: macKeys, Min: 1, Max: MaxSecretLen, Flags: signs},
		{Type: f.hmacGeneral, Primitive: HMAC, Params: ULongParams, KeyTypes: macKeys, Min: 1, Max: MaxSecretLen, Flags: signs},
		{Type: f.keyGen, Primitive: GenerateSecret, KeyTypes: types(f.keyType), Min: 1, Max: MaxSecretLen, Flags: ck.CKF_GENERATE},
		{Type: f.pkcs1, Primitive: RSAPKCS1, KeyTypes: rsa, Min: MinRSABits, Max: MaxRSABits, Flags: signs},
		{Type: f.pss, Primitive: RSAPSS, Params: PSSParams, KeyTypes: rsa, Min: MinRSABits, Max: MaxRSABits, Flags: signs},
		{Type: f.ecdsa, Primitive: ECDSA, KeyTypes: ec, Min: ecLo, Max: ecHi, Flags: signs | weierstrass},
	}
}
