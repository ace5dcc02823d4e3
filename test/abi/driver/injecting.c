/* C_UnwrapKey with the mechanisms of secure key injection. */
#include "driver.h"

static CK_SESSION_HANDLE h;
static CK_BYTE iv[16] = {1, 2, 3};

/* A KeyDataBlob with an AES key of 32 bytes. */
static const CK_BYTE key_data[44] = {'K', 'D', 'B', 'M', 1, 0, 0, 0, 32, 0, 0, 0, 's', '1'};

/* CARD_IMPORT_KEYPAIR with a BCRYPT_ECCPRIVATE_BLOB: container 5, the user's PIN, AT_ECDSA_P256, 256 bits, 104 bytes; the base point of P-256, and 1. */
static const CK_BYTE key_pair[24 + 8 + 3 * 32] = {7, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0, 1, 0, 0, 104, 0, 0, 0, 'E', 'C', 'S', '2', 32, 0, 0, 0,
	0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39,
	0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31,
	0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5, [24 + 8 + 95] = 1};

static CK_MECHANISM_TYPE session_only[] = {CKM_NCRYPT_SKI_SESSION}, pairs_only[] = {CKM_NCRYPT_SKI_IMPORT_KEYPAIR};

static CK_ATTRIBUTE session_key[] = {NUMBER(CKA_CLASS, CKO_SECRET_KEY), NUMBER(CKA_KEY_TYPE, CKK_AES), BOOLEAN(CKA_SENSITIVE, yes), BOOLEAN(CKA_EXTRACTABLE, no),
	BOOLEAN(CKA_UNWRAP, yes), BOOLEAN(CKA_ENCRYPT, no), BOOLEAN(CKA_DECRYPT, no), BOOLEAN(CKA_SIGN, no), BOOLEAN(CKA_VERIFY, no), BOOLEAN(CKA_WRAP, no),
	BYTES(CKA_ALLOWED_MECHANISMS, pairs_only)};

static CK_ATTRIBUTE private_key[] = {NUMBER(CKA_CLASS, CKO_PRIVATE_KEY), NUMBER(CKA_KEY_TYPE, CKK_EC), BOOLEAN(CKA_SENSITIVE, yes), BOOLEAN(CKA_EXTRACTABLE, no)};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void make_k1(CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_half)
{
	CK_ATTRIBUTE public_template[] = {NUMBER(CKA_MODULUS_BITS, 2048), BOOLEAN(CKA_WRAP, yes)};
	CK_ATTRIBUTE private_template[] = {BOOLEAN(CKA_SENSITIVE, yes), BOOLEAN(CKA_EXTRACTABLE, no), BOOLEAN(CKA_UNWRAP, yes), BOOLEAN(CKA_DECRYPT, no), BOOLEAN(CKA_SIGN, no),
		BOOLEAN(CKA_SIGN_RECOVER, no), BYTES(CKA_ALLOWED_MECHANISMS, session_only)};

	NEED(p->C_GenerateKeyPair(h, MECHANISM(CKM_RSA_PKCS_KEY_PAIR_GEN), public_template, COUNT(public_template), private_template, COUNT(private_template), public_key,
		private_half));
}

/* What a server sends: S1 under K1, and K2 under S1. */
static CK_ULONG encrypted_session(CK_OBJECT_HANDLE k1, CK_MECHANISM *padding, CK_BYTE *out)
{
	CK_ULONG n = 256;

	NEED(p->C_WrapKey(h, padding, k1, import_secret(h, CKK_GENERIC_SECRET, key_data, sizeof key_data), out, &n));
	return n;
}

static CK_ULONG encrypted_pair(CK_BYTE *out)
{
	CK_ULONG n = 256;

	NEED(p->C_EncryptInit(h, MECHANISM_WITH(CKM_AES_CBC_PAD, iv), import_secret(h, CKK_AES, key_data + 12, 32)));
	NEED(p->C_Encrypt(h, (CK_BYTE *)key_pair, sizeof key_pair, out, &n));
	return n;
}

static void steps(void)
{
	CK_OBJECT_HANDLE k1_public, k1, s1, k2;
	CK_BYTE wrapped[256], pair[256], signature[64];
	CK_ULONG n = sizeof signature;
	CK_RSA_PKCS_OAEP_PARAMS oaep = {CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, NULL, 0};
	CK_NCRYPT_SKI_SESSION_PARAMS by_oaep = {CKM_RSA_PKCS_OAEP, &oaep}, by_pkcs = {CKM_RSA_PKCS, NULL};

	h = begin_user();
	make_k1(&k1_public, &k1);
	CK_ULONG length = encrypted_session(k1_public, MECHANISM(CKM_RSA_PKCS), wrapped);
	OK(p->C_UnwrapKey(h, MECHANISM_WITH(CKM_NCRYPT_SKI_SESSION, by_pkcs), k1, wrapped, length, session_key, COUNT(session_key), &s1));
	length = encrypted_session(k1_public, MECHANISM_WITH(CKM_RSA_PKCS_OAEP, oaep), wrapped);
	OK(p->C_UnwrapKey(h, MECHANISM_WITH(CKM_NCRYPT_SKI_SESSION, by_oaep), k1, wrapped, length, session_key, COUNT(session_key), &s1));
	length = encrypted_pair(pair);
	OK(p->C_UnwrapKey(h, MECHANISM_WITH(CKM_NCRYPT_SKI_IMPORT_KEYPAIR, iv), s1, pair, length, private_key, COUNT(private_key), &k2));
	EQUAL(get_number(h, k2, CKA_NCRYPT_CONTAINER), 5);
	EQUAL(get_number(h, k2, CKA_NCRYPT_KEY_SPEC), 3);
	EQUAL(get_bool(h, k2, CKA_LOCAL), CK_FALSE);
	OK(p->C_SignInit(h, MECHANISM(CKM_ECDSA_SHA256), k2));
	OK(p->C_Sign(h, iv, sizeof iv, signature, &n));
	EQUAL(n, 64);
}

static void mistakes(void)
{
	CK_OBJECT_HANDLE k1_public, k1, s1, key;
	CK_BYTE wrapped[256], pair[256];
	CK_RSA_PKCS_OAEP_PARAMS oaep = {CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, NULL, 0};
	CK_NCRYPT_SKI_SESSION_PARAMS params = {CKM_RSA_PKCS_OAEP, &oaep};

	h = begin_user();
	make_k1(&k1_public, &k1);
	CK_ULONG length = encrypted_session(k1_public, MECHANISM_WITH(CKM_RSA_PKCS_OAEP, oaep), wrapped);
	OK(p->C_UnwrapKey(h, MECHANISM_WITH(CKM_NCRYPT_SKI_SESSION, params), k1, wrapped, length, session_key, COUNT(session_key), &s1));
	CK_ULONG before = search(h, NULL, 0, NULL, 0);

	IS(p->C_UnwrapKey(h, MECHANISM(CKM_NCRYPT_SKI_SESSION), k1, wrapped, length, session_key, COUNT(session_key), &key), CKR_MECHANISM_PARAM_INVALID);
	params.pOAEPParams = NULL;
	IS(p->C_UnwrapKey(h, MECHANISM_WITH(CKM_NCRYPT_SKI_SESSION, params), k1, wrapped, length, session_key, COUNT(session_key), &key), CKR_MECHANISM_PARAM_INVALID);
	params.padding = CKM_RSA_X_509;
	IS(p->C_UnwrapKey(h, MECHANISM_WITH(CKM_NCRYPT_SKI_SESSION, params), k1, wrapped, length, session_key, COUNT(session_key), &key), CKR_MECHANISM_PARAM_INVALID);
	params.padding = CKM_RSA_PKCS; /* which it is not */
	IS(p->C_UnwrapKey(h, MECHANISM_WITH(CKM_NCRYPT_SKI_SESSION, params), k1, wrapped, length, session_key, COUNT(session_key), &key), CKR_WRAPPED_KEY_INVALID);
	params = (CK_NCRYPT_SKI_SESSION_PARAMS){CKM_RSA_PKCS_OAEP, &oaep};
	IS(p->C_UnwrapKey(h, MECHANISM_WITH(CKM_NCRYPT_SKI_SESSION, params), k1, wrapped, length, session_key, 2, &key), CKR_TEMPLATE_INCONSISTENT);
	IS(p->C_UnwrapKey(h, MECHANISM_WITH(CKM_RSA_PKCS_OAEP, oaep), k1, wrapped, length, session_key, 2, &key), CKR_MECHANISM_INVALID);

	length = encrypted_pair(pair);
	IS(p->C_UnwrapKey(h, MECHANISM(CKM_NCRYPT_SKI_IMPORT_KEYPAIR), s1, pair, length, private_key, COUNT(private_key), &key), CKR_MECHANISM_PARAM_INVALID);
	IS(p->C_UnwrapKey(h, MECHANISM_WITH(CKM_AES_CBC_PAD, iv), s1, pair, length, private_key, COUNT(private_key), &key), CKR_MECHANISM_INVALID);
	IS(p->C_DecryptInit(h, MECHANISM_WITH(CKM_AES_CBC_PAD, iv), s1), CKR_KEY_FUNCTION_NOT_PERMITTED);
	for (CK_ULONG i = 0; i < length; i++) {
		pair[i] ^= 1;
		IS(p->C_UnwrapKey(h, MECHANISM_WITH(CKM_NCRYPT_SKI_IMPORT_KEYPAIR, iv), s1, pair, length, private_key, COUNT(private_key), &key), CKR_WRAPPED_KEY_INVALID);
		pair[i] ^= 1;
	}
	IS(p->C_UnwrapKey(h, MECHANISM_WITH(CKM_NCRYPT_SKI_IMPORT_KEYPAIR, iv), s1, pair, length - 1, private_key, COUNT(private_key), &key), CKR_WRAPPED_KEY_LEN_RANGE);
	EQUAL(search(h, NULL, 0, NULL, 0), before + 1); /* the server's own copy of S1 */
}

const struct test injecting_tests[] = {
	{"injection", "a session key comes in under a key pair of the token, and a private key under that", steps},
	{"injection-mistakes", "keys and parameters that are not for it are refused, and what was changed leaves nothing", mistakes},
	{NULL, NULL, NULL},
};
