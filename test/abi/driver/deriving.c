/* C_DeriveKey with ECDH. */
#include "driver.h"

static CK_SESSION_HANDLE h;

static size_t derive(CK_OBJECT_HANDLE base, CK_EC_KDF_TYPE kdf, CK_BYTE *point, CK_ULONG size, CK_ULONG want, CK_BYTE *value)
{
	CK_ECDH1_DERIVE_PARAMS params = {kdf, 0, NULL, size, point};
	CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
	CK_ATTRIBUTE template[] = {NUMBER(CKA_CLASS, CKO_SECRET_KEY), NUMBER(CKA_KEY_TYPE, CKK_GENERIC_SECRET), BOOLEAN(CKA_SENSITIVE, no),
		BOOLEAN(CKA_EXTRACTABLE, yes), NUMBER(CKA_VALUE_LEN, want)};

	OK(p->C_DeriveKey(h, MECHANISM_WITH(CKM_ECDH1_DERIVE, params), base, template, want == 0 ? 4 : 5, &key));
	EQUAL(get_bool(h, key, CKA_LOCAL), CK_FALSE);
	EQUAL(get_bool(h, key, CKA_ALWAYS_SENSITIVE), CK_FALSE);
	return get_bytes(h, key, CKA_VALUE, value, 64);
}

static void ecdh(void)
{
	CK_OBJECT_HANDLE public_a, private_a, public_b, private_b;
	CK_BYTE a[128], b[128], x[64], y[64];

	h = begin_user();
	make_ec(h, no, &public_a, &private_a);
	make_ec(h, no, &public_b, &private_b);
	size_t n = get_bytes(h, public_a, CKA_EC_POINT, a, sizeof a);
	EQUAL(get_bytes(h, public_b, CKA_EC_POINT, b, sizeof b), n);
	EQUAL(derive(private_a, CKD_NULL, b, n, 0, x), 32);
	EQUAL(derive(private_b, CKD_NULL, a + 2, n - 2, 32, y), 32);
	CHECK(memcmp(x, y, 32) == 0);
	EQUAL(derive(private_b, CKD_NULL, a, n, 16, y), 16);
	CHECK(memcmp(x + 16, y, 16) == 0); /* what is cut off is the front */
	EQUAL(derive(private_a, CKD_SHA256_KDF, b, n, 48, x), 48);
	EQUAL(derive(private_b, CKD_SHA256_KDF, a, n, 48, y), 48);
	CHECK(memcmp(x, y, 48) == 0);
}

static void mistakes(void)
{
	CK_OBJECT_HANDLE public_key, private_key, key;
	CK_BYTE point[128];
	CK_ATTRIBUTE template[] = {NUMBER(CKA_CLASS, CKO_SECRET_KEY), NUMBER(CKA_KEY_TYPE, CKK_GENERIC_SECRET), NUMBER(CKA_VALUE_LEN, 33)};

	h = begin_user();
	make_ec(h, no, &public_key, &private_key);
	CK_ULONG n = get_bytes(h, public_key, CKA_EC_POINT, point, sizeof point);
	CK_ECDH1_DERIVE_PARAMS params = {CKD_NULL, 0, NULL, n, point};
	FAILS(p->C_DeriveKey(h, MECHANISM_WITH(CKM_ECDH1_DERIVE, params), private_key, template, 3, &key));
	point[20] ^= 1; /* off the curve */
	FAILS(p->C_DeriveKey(h, MECHANISM_WITH(CKM_ECDH1_DERIVE, params), private_key, template, 2, &key));
	params.ulPublicDataLen = 0;
	FAILS(p->C_DeriveKey(h, MECHANISM_WITH(CKM_ECDH1_DERIVE, params), private_key, template, 2, &key));
	params = (CK_ECDH1_DERIVE_PARAMS){CKD_NULL, ~0UL, NULL, n, point};
	FAILS(p->C_DeriveKey(h, MECHANISM_WITH(CKM_ECDH1_DERIVE, params), private_key, template, 2, &key));
	params = (CK_ECDH1_DERIVE_PARAMS){0x777, 0, NULL, n, point};
	FAILS(p->C_DeriveKey(h, MECHANISM_WITH(CKM_ECDH1_DERIVE, params), private_key, template, 2, &key));
	FAILS(p->C_DeriveKey(h, MECHANISM(CKM_ECDH1_DERIVE), private_key, template, 2, &key));
	EQUAL(search(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_SECRET_KEY)), NULL, 0), 0);
}

/* The secret is the token's to keep: what is derived is not sensitive only if
 * the template says so. */
static void inherited(void)
{
	CK_OBJECT_HANDLE public_key, private_key, key;
	CK_BYTE point[128];

	h = begin_user();
	make_ec(h, no, &public_key, &private_key);
	CK_ULONG n = get_bytes(h, public_key, CKA_EC_POINT, point, sizeof point);
	CK_ECDH1_DERIVE_PARAMS params = {CKD_NULL, 0, NULL, n, point};
	NEED(p->C_DeriveKey(h, MECHANISM_WITH(CKM_ECDH1_DERIVE, params), private_key, TEMPLATE(NUMBER(CKA_CLASS, CKO_SECRET_KEY),
		NUMBER(CKA_KEY_TYPE, CKK_AES), NUMBER(CKA_VALUE_LEN, 16), BOOLEAN(CKA_SENSITIVE, yes), BOOLEAN(CKA_EXTRACTABLE, no)), &key));
	EQUAL(get_bool(h, key, CKA_SENSITIVE), CK_TRUE);
	EQUAL(get_bool(h, key, CKA_ALWAYS_SENSITIVE), CK_TRUE);
	EQUAL(get_bool(h, key, CKA_NEVER_EXTRACTABLE), CK_TRUE);
	IS(read_one(h, key, CKA_VALUE), CKR_ATTRIBUTE_SENSITIVE);
}

/* HKDF makes of one secret as many keys as there are names for them. */
static void hkdf(void)
{
	CK_BYTE secret[22], value[64], want[] = {0x3c, 0xb2, 0x5f, 0x25, 0xfa, 0xac, 0xd5, 0x7a, 0x90, 0x43, 0x4f, 0x64, 0xd0, 0x36, 0x2f, 0x2a};
	CK_BYTE salt[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, info[] = {0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9};
	CK_HKDF_PARAMS params = {CK_TRUE, CK_TRUE, CKM_SHA256, CKF_HKDF_SALT_DATA, salt, sizeof salt, CK_INVALID_HANDLE, info, sizeof info};
	CK_MECHANISM_PTR m = MECHANISM_WITH(CKM_HKDF_DERIVE, params);
	CK_OBJECT_HANDLE base, key;
	CK_ATTRIBUTE template[] = {NUMBER(CKA_CLASS, CKO_SECRET_KEY), NUMBER(CKA_KEY_TYPE, CKK_AES), NUMBER(CKA_VALUE_LEN, 16), BOOLEAN(CKA_SENSITIVE, no),
		BOOLEAN(CKA_EXTRACTABLE, yes)};

	h = begin_user();
	memset(secret, 0x0b, sizeof secret);
	NEED(p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_SECRET_KEY), NUMBER(CKA_KEY_TYPE, CKK_GENERIC_SECRET), BYTES(CKA_VALUE, secret),
		BOOLEAN(CKA_DERIVE, yes)), &base));
	OK(p->C_DeriveKey(h, m, base, template, 5, &key));
	EQUAL(get_bytes(h, key, CKA_VALUE, value, sizeof value), 16);
	CHECK(memcmp(value, want, 16) == 0); /* RFC 5869, appendix A.1 */
	OK(p->C_DestroyObject(h, key));
	IS(p->C_DeriveKey(h, m, base, template, 2, &key), CKR_TEMPLATE_INCOMPLETE);
	params.ulSaltType = CKF_HKDF_SALT_KEY;
	IS(p->C_DeriveKey(h, m, base, template, 5, &key), CKR_MECHANISM_PARAM_INVALID);
	params.hSaltKey = base;
	OK(p->C_DeriveKey(h, m, base, template, 5, &key));
	OK(p->C_DestroyObject(h, key));
	params.ulSaltType = CKF_HKDF_SALT_NULL, params.ulInfoLen = ~0UL;
	IS(p->C_DeriveKey(h, m, base, template, 5, &key), CKR_MECHANISM_PARAM_INVALID);
	params.ulInfoLen = 0, params.bExtract = params.bExpand = CK_FALSE;
	IS(p->C_DeriveKey(h, m, base, template, 5, &key), CKR_MECHANISM_PARAM_INVALID);
	IS(p->C_DeriveKey(h, MECHANISM(CKM_HKDF_DERIVE), base, template, 5, &key), CKR_MECHANISM_PARAM_INVALID);
	EQUAL(search(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_SECRET_KEY)), NULL, 0), 1);
}

const struct test deriving_tests[] = {
	{"ecdh", "both sides derive the same, from raw and from DER points, of any length, with a KDF", ecdh},
	{"ecdh-mistakes", "points off the curve and parameters that cannot be are refused", mistakes},
	{"hkdf", "keys by HKDF are those of RFC 5869, and need what it needs", hkdf},
	{"ecdh-inherited", "a derived key was always sensitive if its base and itself are", inherited},
	{NULL, NULL, NULL},
};
