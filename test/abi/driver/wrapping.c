/* C_WrapKey and C_UnwrapKey. */
#include "driver.h"

static CK_SESSION_HANDLE h;
static CK_BYTE wrapped[4096], value[64], back[64];
static CK_ULONG length;

static void there_and_back(CK_MECHANISM_PTR m, CK_OBJECT_HANDLE with, CK_OBJECT_HANDLE unwrap_with, CK_ULONG size)
{
	CK_OBJECT_HANDLE key = import_secret(h, CKK_GENERIC_SECRET, value, size), again = CK_INVALID_HANDLE;

	OK(p->C_WrapKey(h, m, with, key, NULL, &length));
	length = sizeof wrapped;
	OK(p->C_WrapKey(h, m, with, key, wrapped, &length));
	OK(p->C_UnwrapKey(h, m, unwrap_with, wrapped, length, TEMPLATE(NUMBER(CKA_CLASS, CKO_SECRET_KEY), NUMBER(CKA_KEY_TYPE, CKK_GENERIC_SECRET),
		BOOLEAN(CKA_SENSITIVE, no), BOOLEAN(CKA_EXTRACTABLE, yes)), &again));
	EQUAL(get_bytes(h, again, CKA_VALUE, back, sizeof back), size);
	CHECK(memcmp(back, value, size) == 0);
	EQUAL(get_bool(h, again, CKA_LOCAL), CK_FALSE);
	EQUAL(get_number(h, again, CKA_KEY_GEN_MECHANISM), CK_UNAVAILABLE_INFORMATION);
	EQUAL(get_bool(h, again, CKA_ALWAYS_SENSITIVE), CK_FALSE);
	EQUAL(get_bool(h, again, CKA_NEVER_EXTRACTABLE), CK_FALSE);
	OK(p->C_DestroyObject(h, key));
	OK(p->C_DestroyObject(h, again));
}

static void secrets(void)
{
	CK_RSA_PKCS_OAEP_PARAMS oaep = {CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, NULL, 0};
	CK_OBJECT_HANDLE public_key, private_key;
	CK_BYTE iv[16] = {8};

	h = begin_user();
	memset(value, 0x42, sizeof value);
	CK_OBJECT_HANDLE aes = make_aes(h, no, no);
	make_rsa(h, no, &public_key, &private_key);
	there_and_back(MECHANISM(CKM_AES_KEY_WRAP), aes, aes, 32);
	for (CK_ULONG size = 1; size <= 40; size++)
		there_and_back(MECHANISM(CKM_AES_KEY_WRAP_KWP), aes, aes, size);
	there_and_back(MECHANISM_WITH(CKM_AES_CBC_PAD, iv), aes, aes, 33);
	there_and_back(MECHANISM(CKM_RSA_PKCS), public_key, private_key, 32);
	there_and_back(MECHANISM_WITH(CKM_RSA_PKCS_OAEP, oaep), public_key, private_key, 32);
	for (CK_ULONG bits = 128; bits <= 256; bits += 64) {
		CK_RSA_AES_KEY_WRAP_PARAMS params = {bits, &oaep};
		there_and_back(MECHANISM_WITH(CKM_RSA_AES_KEY_WRAP, params), public_key, private_key, bits / 4 - 1);
	}
}

/* A private key leaves and comes back as PKCS #8, and is the same key. */
static void private_keys(void)
{
	CK_OBJECT_HANDLE public_key, private_key, again;
	CK_BYTE digest[32] = {5}, signature[256];
	CK_BYTE iv[16] = {1};
	CK_MECHANISM_PTR ways[] = {MECHANISM(CKM_AES_KEY_WRAP_KWP), MECHANISM_WITH(CKM_AES_CBC_PAD, iv)};

	h = begin_user();
	CK_OBJECT_HANDLE aes = make_aes(h, no, no);
	for (int i = 0; i < 4; i++) {
		bool ec = i % 2;
		if (ec)
			NEED(p->C_GenerateKeyPair(h, MECHANISM(CKM_EC_KEY_PAIR_GEN), TEMPLATE(BYTES(CKA_EC_PARAMS, p256)),
				TEMPLATE(BOOLEAN(CKA_SIGN, yes), BOOLEAN(CKA_EXTRACTABLE, yes)), &public_key, &private_key));
		else
			NEED(p->C_GenerateKeyPair(h, MECHANISM(CKM_RSA_PKCS_KEY_PAIR_GEN), TEMPLATE(NUMBER(CKA_MODULUS_BITS, 2048)),
				TEMPLATE(BOOLEAN(CKA_SIGN, yes), BOOLEAN(CKA_EXTRACTABLE, yes)), &public_key, &private_key));
		length = sizeof wrapped;
		OK(p->C_WrapKey(h, ways[i / 2], aes, private_key, wrapped, &length));
		OK(p->C_UnwrapKey(h, ways[i / 2], aes, wrapped, length, TEMPLATE(NUMBER(CKA_CLASS, CKO_PRIVATE_KEY),
			NUMBER(CKA_KEY_TYPE, ec ? CKK_EC : CKK_RSA), BOOLEAN(CKA_SIGN, yes)), &again));
		CK_MECHANISM_PTR sign = MECHANISM(ec ? CKM_ECDSA : CKM_RSA_PKCS);
		CK_ULONG n = sizeof signature;
		OK(p->C_SignInit(h, sign, again));
		OK(p->C_Sign(h, digest, sizeof digest, signature, &n));
		OK(p->C_VerifyInit(h, sign, public_key));
		OK(p->C_Verify(h, digest, sizeof digest, signature, n));
	}
}

/* A private key under an RSA key, which OAEP alone has no room for. What
 * CKA_UNWRAP_TEMPLATE demands is so, and what is no such key leaves nothing. */
static void under_rsa(void)
{
	CK_OBJECT_HANDLE public_key, private_key, ec_public, ec_private, again;
	CK_RSA_PKCS_OAEP_PARAMS oaep = {CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, "label", 5};
	CK_RSA_AES_KEY_WRAP_PARAMS params = {256, &oaep};
	CK_MECHANISM_PTR m = MECHANISM_WITH(CKM_RSA_AES_KEY_WRAP, params);
	CK_ATTRIBUTE demanded[] = {BOOLEAN(CKA_EXTRACTABLE, no)};
	CK_ATTRIBUTE template[] = {NUMBER(CKA_CLASS, CKO_PRIVATE_KEY), NUMBER(CKA_KEY_TYPE, CKK_EC), BOOLEAN(CKA_SIGN, yes), BOOLEAN(CKA_EXTRACTABLE, yes)};
	CK_BYTE digest[32] = {5}, signature[64];

	h = begin_user();
	NEED(p->C_GenerateKeyPair(h, MECHANISM(CKM_RSA_PKCS_KEY_PAIR_GEN), TEMPLATE(NUMBER(CKA_MODULUS_BITS, 2048)),
		TEMPLATE({CKA_UNWRAP_TEMPLATE, demanded, sizeof demanded}), &public_key, &private_key));
	NEED(p->C_GenerateKeyPair(h, MECHANISM(CKM_EC_KEY_PAIR_GEN), TEMPLATE(BYTES(CKA_EC_PARAMS, p256)),
		TEMPLATE(BOOLEAN(CKA_SIGN, yes), BOOLEAN(CKA_EXTRACTABLE, yes)), &ec_public, &ec_private));
	OK(p->C_WrapKey(h, m, public_key, ec_private, NULL, &length));
	CK_ULONG asked = length;
	length = asked - 1;
	IS(p->C_WrapKey(h, m, public_key, ec_private, wrapped, &length), CKR_BUFFER_TOO_SMALL);
	OK(p->C_WrapKey(h, m, public_key, ec_private, wrapped, &length));
	EQUAL(length, asked);
	IS(p->C_UnwrapKey(h, m, private_key, wrapped, length, template, 4, &again), CKR_TEMPLATE_INCONSISTENT);
	OK(p->C_UnwrapKey(h, m, private_key, wrapped, length, template, 3, &again));
	EQUAL(get_bool(h, again, CKA_EXTRACTABLE), CK_FALSE);
	CK_ULONG n = sizeof signature;
	OK(p->C_SignInit(h, MECHANISM(CKM_ECDSA), again));
	OK(p->C_Sign(h, digest, sizeof digest, signature, &n));
	OK(p->C_VerifyInit(h, MECHANISM(CKM_ECDSA), ec_public));
	OK(p->C_Verify(h, digest, sizeof digest, signature, n));
	IS(p->C_WrapKey(h, m, public_key, again, wrapped, &length), CKR_KEY_UNEXTRACTABLE);

	IS(p->C_UnwrapKey(h, m, private_key, wrapped, length - 1, template, 3, &again), CKR_WRAPPED_KEY_LEN_RANGE);
	IS(p->C_UnwrapKey(h, m, private_key, wrapped, 256 + 8, template, 3, &again), CKR_WRAPPED_KEY_LEN_RANGE);
	IS(p->C_UnwrapKey(h, m, private_key, wrapped, 256, template, 3, &again), CKR_WRAPPED_KEY_LEN_RANGE);
	for (CK_ULONG i = 0; i < length; i += 37) {
		wrapped[i] ^= 0x10;
		IS(p->C_UnwrapKey(h, m, private_key, wrapped, length, template, 3, &again), CKR_WRAPPED_KEY_INVALID);
		wrapped[i] ^= 0x10;
	}
	IS(p->C_UnwrapKey(h, m, ec_private, wrapped, length, template, 3, &again), CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT);
	IS(p->C_WrapKey(h, m, ec_public, ec_private, wrapped, &length), CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
	params.pOAEPParams = NULL;
	IS(p->C_UnwrapKey(h, m, private_key, wrapped, length, template, 3, &again), CKR_MECHANISM_PARAM_INVALID);
	params = (CK_RSA_AES_KEY_WRAP_PARAMS){129, &oaep};
	IS(p->C_WrapKey(h, m, public_key, ec_private, wrapped, &length), CKR_MECHANISM_PARAM_INVALID);
	params.ulAESKeyBits = 256;
	oaep.ulSourceDataLen = ~0UL;
	IS(p->C_WrapKey(h, m, public_key, ec_private, wrapped, &length), CKR_MECHANISM_PARAM_INVALID);
	IS(p->C_WrapKey(h, MECHANISM(CKM_RSA_AES_KEY_WRAP), public_key, ec_private, wrapped, &length), CKR_MECHANISM_PARAM_INVALID);
	EQUAL(search(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_PRIVATE_KEY)), NULL, 0), 3);
}

/* The same under a key that only agrees. */
static void under_ec(void)
{
	static const CK_BYTE x25519[] = {0x06, 0x03, 0x2b, 0x65, 0x6e};
	CK_OBJECT_HANDLE public_key, private_key, again;
	CK_ECDH_AES_KEY_WRAP_PARAMS params = {256, CKD_SHA256_KDF, 4, (CK_BYTE_PTR) "info"};
	CK_MECHANISM_PTR m = MECHANISM_WITH(CKM_ECDH_AES_KEY_WRAP, params);
	CK_ATTRIBUTE template[] = {NUMBER(CKA_CLASS, CKO_SECRET_KEY), NUMBER(CKA_KEY_TYPE, CKK_GENERIC_SECRET)};

	h = begin_user();
	memset(value, 0x42, sizeof value);
	for (int i = 0; i < 2; i++) {
		NEED(p->C_GenerateKeyPair(h, MECHANISM(i ? CKM_EC_MONTGOMERY_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN),
			TEMPLATE({CKA_EC_PARAMS, (void *)(i ? x25519 : p256), i ? sizeof x25519 : sizeof p256}, BOOLEAN(CKA_WRAP, yes)),
			TEMPLATE(BOOLEAN(CKA_UNWRAP, yes)), &public_key, &private_key));
		for (CK_ULONG size = 1; size < 40; size += 7)
			there_and_back(m, public_key, private_key, size);
		CK_OBJECT_HANDLE key = import_secret(h, CKK_GENERIC_SECRET, value, 20);
		length = sizeof wrapped;
		OK(p->C_WrapKey(h, m, public_key, key, wrapped, &length));
		EQUAL(length, (i ? 32 : 65) + 8 + 24);
		IS(p->C_UnwrapKey(h, m, private_key, wrapped, length - 1, template, 2, &again), CKR_WRAPPED_KEY_LEN_RANGE);
		wrapped[40] ^= 1;
		IS(p->C_UnwrapKey(h, m, private_key, wrapped, length, template, 2, &again), CKR_WRAPPED_KEY_INVALID);
		OK(p->C_DestroyObject(h, key));
	}
	params.ulSharedDataLen = ~0UL;
	IS(p->C_UnwrapKey(h, m, private_key, wrapped, length, template, 2, &again), CKR_MECHANISM_PARAM_INVALID);
	EQUAL(search(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_SECRET_KEY)), NULL, 0), 0);
}

static void mistakes(void)
{
	CK_OBJECT_HANDLE key;

	h = begin_user();
	CK_OBJECT_HANDLE aes = make_aes(h, no, no), plain = make_aes(h, no, yes), other = make_aes(h, no, no);
	CK_ATTRIBUTE template[] = {NUMBER(CKA_CLASS, CKO_SECRET_KEY), NUMBER(CKA_KEY_TYPE, CKK_AES)};
	CK_MECHANISM_PTR kwp = MECHANISM(CKM_AES_KEY_WRAP_KWP);
	length = sizeof wrapped;
	NEED(p->C_WrapKey(h, kwp, aes, plain, wrapped, &length));
	FAILS(p->C_UnwrapKey(h, kwp, other, wrapped, length, template, 2, &key));
	ONE_OF(p->C_UnwrapKey(h, kwp, aes, wrapped, length - 1, template, 2, &key), CKR_WRAPPED_KEY_LEN_RANGE, CKR_WRAPPED_KEY_INVALID);
	ONE_OF(p->C_UnwrapKey(h, kwp, aes, wrapped, 0, template, 2, &key), CKR_WRAPPED_KEY_LEN_RANGE, CKR_WRAPPED_KEY_INVALID);
	for (CK_ULONG i = 0; i < length; i++) {
		wrapped[i] ^= 0x10;
		IS(p->C_UnwrapKey(h, kwp, aes, wrapped, length, template, 2, &key), CKR_WRAPPED_KEY_INVALID);
		wrapped[i] ^= 0x10;
	}
	IS(p->C_UnwrapKey(h, kwp, 0x4444, wrapped, length, template, 2, &key), CKR_UNWRAPPING_KEY_HANDLE_INVALID);
	IS(p->C_WrapKey(h, kwp, 0x4444, plain, wrapped, &length), CKR_WRAPPING_KEY_HANDLE_INVALID);
	IS(p->C_WrapKey(h, kwp, aes, 0x4444, wrapped, &length), CKR_KEY_HANDLE_INVALID);
	IS(p->C_WrapKey(h, MECHANISM(CKM_RSA_PKCS), aes, plain, wrapped, &length), CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
	IS(p->C_WrapKey(h, MECHANISM(CKM_SHA256), aes, plain, wrapped, &length), CKR_MECHANISM_INVALID);
	EQUAL(search(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_SECRET_KEY)), NULL, 0), 3);
}

const struct test wrapping_tests[] = {
	{"wrapped-secrets", "secret keys come back as they went, by each mechanism that wraps", secrets},
	{"wrapped-private-keys", "private keys come back as they went", private_keys},
	{"wrapped-under-rsa", "keys of any kind go under an RSA key and come back, as its template demands", under_rsa},
	{"wrapped-under-ec", "keys go under what is agreed on with an EC key, and come back", under_ec},
	{"wrapping-mistakes", "no changed byte, wrong key, wrong length or wrong handle is taken", mistakes},
	{NULL, NULL, NULL},
};
