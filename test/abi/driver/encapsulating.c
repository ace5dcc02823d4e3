/* C_EncapsulateKey and C_DecapsulateKey, with ML-KEM. */
#include "driver.h"

static CK_SESSION_HANDLE h;
static CK_BYTE ciphertext[2048], a[64], b[64];
static CK_ULONG length;

#define SHARED TEMPLATE(NUMBER(CKA_CLASS, CKO_SECRET_KEY), NUMBER(CKA_KEY_TYPE, CKK_AES), BOOLEAN(CKA_SENSITIVE, no), BOOLEAN(CKA_EXTRACTABLE, yes))

static void make_kem(CK_ULONG set, CK_BBOOL token, CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
	NEED(p->C_GenerateKeyPair(h, MECHANISM(CKM_ML_KEM_KEY_PAIR_GEN),
		TEMPLATE(NUMBER(CKA_PARAMETER_SET, set), BOOLEAN(CKA_TOKEN, token), BOOLEAN(CKA_ENCAPSULATE, yes)),
		TEMPLATE(BOOLEAN(CKA_TOKEN, token), BOOLEAN(CKA_DECAPSULATE, yes), BOOLEAN(CKA_SENSITIVE, no), BOOLEAN(CKA_EXTRACTABLE, yes)),
		public_key, private_key));
}

static void both_sides(void)
{
	const struct {CK_ULONG set, public_size, ciphertext_size;} sets[] = {{CKP_ML_KEM_768, 1184, 1088}, {CKP_ML_KEM_1024, 1568, 1568}};
	CK_MECHANISM_PTR m = MECHANISM(CKM_ML_KEM);
	CK_OBJECT_HANDLE public_key, private_key, ours = CK_INVALID_HANDLE, theirs = CK_INVALID_HANDLE, copy;
	CK_BYTE value[2048], info[2048], seed[64];

	h = begin_user();
	for (int i = 0; i < 4; i++) {
		ours = CK_INVALID_HANDLE;
		make_kem(sets[i % 2].set, i < 2 ? no : yes, &public_key, &private_key);
		EQUAL(get_number(h, public_key, CKA_PARAMETER_SET), sets[i % 2].set);
		EQUAL(get_number(h, private_key, CKA_PARAMETER_SET), sets[i % 2].set);
		EQUAL(get_number(h, public_key, CKA_KEY_TYPE), CKK_ML_KEM);
		EQUAL(get_bytes(h, public_key, CKA_VALUE, value, sizeof value), sets[i % 2].public_size);
		size_t n = get_bytes(h, public_key, CKA_PUBLIC_KEY_INFO, info, sizeof info);
		CHECK(n == sets[i % 2].public_size + 22 && memcmp(info + 22, value, n - 22) == 0);
		OK(p->C_EncapsulateKey(h, m, public_key, SHARED, NULL, &length, &ours));
		EQUAL(length, sets[i % 2].ciphertext_size);
		EQUAL(ours, CK_INVALID_HANDLE);
		length--;
		IS(p->C_EncapsulateKey(h, m, public_key, SHARED, ciphertext, &length, &ours), CKR_BUFFER_TOO_SMALL);
		EQUAL(length, sets[i % 2].ciphertext_size);
		EQUAL(search(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_SECRET_KEY)), NULL, 0), 0);
		OK(p->C_EncapsulateKey(h, m, public_key, SHARED, ciphertext, &length, &ours));
		OK(p->C_DecapsulateKey(h, m, private_key, SHARED, ciphertext, length, &theirs));
		EQUAL(get_bytes(h, ours, CKA_VALUE, a, sizeof a), 32);
		EQUAL(get_bytes(h, theirs, CKA_VALUE, b, sizeof b), 32);
		CHECK(memcmp(a, b, 32) == 0);
		EQUAL(get_bool(h, theirs, CKA_LOCAL), CK_FALSE);
		EQUAL(get_bool(h, ours, CKA_NEVER_EXTRACTABLE), CK_FALSE);
		EQUAL(get_bool(h, ours, CKA_ALWAYS_SENSITIVE), CK_FALSE);
		EQUAL(get_number(h, ours, CKA_KEY_GEN_MECHANISM), CK_UNAVAILABLE_INFORMATION);
		OK(p->C_DestroyObject(h, ours));
		OK(p->C_DestroyObject(h, theirs));

		/* The seed is the key, and the public half goes elsewhere by its value. */
		EQUAL(get_bytes(h, private_key, CKA_SEED, seed, sizeof seed), 64);
		OK(p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_PRIVATE_KEY), NUMBER(CKA_KEY_TYPE, CKK_ML_KEM),
			NUMBER(CKA_PARAMETER_SET, sets[i % 2].set), BYTES(CKA_SEED, seed), BOOLEAN(CKA_DECAPSULATE, yes)), &private_key));
		OK(p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_PUBLIC_KEY), NUMBER(CKA_KEY_TYPE, CKK_ML_KEM),
			NUMBER(CKA_PARAMETER_SET, sets[i % 2].set), {CKA_VALUE, value, sets[i % 2].public_size}, BOOLEAN(CKA_ENCAPSULATE, yes)), &copy));
		OK(p->C_EncapsulateKey(h, m, copy, TEMPLATE(NUMBER(CKA_VALUE_LEN, 32)), ciphertext, &length, &ours));
		EQUAL(get_number(h, ours, CKA_KEY_TYPE), CKK_GENERIC_SECRET);
		OK(p->C_DecapsulateKey(h, m, private_key, SHARED, ciphertext, length, &theirs));
		IS(read_one(h, private_key, CKA_SEED), CKR_ATTRIBUTE_SENSITIVE);
		OK(p->C_DestroyObject(h, ours));
		OK(p->C_DestroyObject(h, theirs));
	}
}

static void mistakes(void)
{
	CK_MECHANISM_PTR m = MECHANISM(CKM_ML_KEM);
	CK_OBJECT_HANDLE public_key, private_key, ec_public, ec_private, key;
	CK_ATTRIBUTE demanded[] = {BOOLEAN(CKA_EXTRACTABLE, no)};
	CK_BYTE seed[64] = {1};

	h = begin_user();
	make_kem(CKP_ML_KEM_768, no, &public_key, &private_key);
	make_ec(h, no, &ec_public, &ec_private);
	length = sizeof ciphertext;
	IS(p->C_EncapsulateKey(h, m, private_key, SHARED, ciphertext, &length, &key), CKR_KEY_TYPE_INCONSISTENT);
	IS(p->C_EncapsulateKey(h, m, ec_public, SHARED, ciphertext, &length, &key), CKR_KEY_TYPE_INCONSISTENT);
	IS(p->C_EncapsulateKey(h, m, 0x4444, SHARED, ciphertext, &length, &key), CKR_KEY_HANDLE_INVALID);
	IS(p->C_EncapsulateKey(h, MECHANISM(CKM_RSA_PKCS), public_key, SHARED, ciphertext, &length, &key), CKR_MECHANISM_INVALID);
	IS(p->C_EncapsulateKey(h, NULL, public_key, SHARED, ciphertext, &length, &key), CKR_ARGUMENTS_BAD);
	IS(p->C_EncapsulateKey(h, m, public_key, SHARED, ciphertext, NULL, &key), CKR_ARGUMENTS_BAD);
	IS(p->C_EncapsulateKey(h, m, public_key, SHARED, ciphertext, &length, NULL), CKR_ARGUMENTS_BAD);
	IS(p->C_EncapsulateKey(h, m, public_key, TEMPLATE(NUMBER(CKA_VALUE_LEN, 16)), ciphertext, &length, &key), CKR_KEY_SIZE_RANGE);
	IS(p->C_EncapsulateKey(h, m, public_key, TEMPLATE(NUMBER(CKA_CLASS, CKO_PRIVATE_KEY)), ciphertext, &length, &key), CKR_TEMPLATE_INCONSISTENT);
	IS(p->C_EncapsulateKey(h, m, public_key, TEMPLATE(BYTES(CKA_VALUE, seed)), ciphertext, &length, &key), CKR_ATTRIBUTE_READ_ONLY);
	length = sizeof ciphertext;
	NEED(p->C_EncapsulateKey(h, m, public_key, SHARED, ciphertext, &length, &key));
	OK(p->C_DestroyObject(h, key));
	IS(p->C_DecapsulateKey(h, m, private_key, SHARED, ciphertext, length - 1, &key), CKR_WRAPPED_KEY_LEN_RANGE);
	IS(p->C_DecapsulateKey(h, m, private_key, SHARED, NULL, 0, &key), CKR_ARGUMENTS_BAD);
	IS(p->C_DecapsulateKey(h, m, private_key, SHARED, ciphertext, length, NULL), CKR_ARGUMENTS_BAD);
	IS(p->C_DecapsulateKey(h, m, public_key, SHARED, ciphertext, length, &key), CKR_KEY_TYPE_INCONSISTENT);
	IS(p->C_DecapsulateKey(h, m, ec_private, SHARED, ciphertext, length, &key), CKR_KEY_TYPE_INCONSISTENT);
	IS(p->C_SignInit(h, MECHANISM(CKM_ECDSA), private_key), CKR_KEY_TYPE_INCONSISTENT);
	EQUAL(search(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_SECRET_KEY)), NULL, 0), 0);

	IS(p->C_GenerateKeyPair(h, MECHANISM(CKM_ML_KEM_KEY_PAIR_GEN), TEMPLATE(NUMBER(CKA_PARAMETER_SET, CKP_ML_KEM_512)), NULL, 0,
		&public_key, &private_key), CKR_PARAMETER_SET_NOT_SUPPORTED);
	IS(p->C_GenerateKeyPair(h, MECHANISM(CKM_ML_KEM_KEY_PAIR_GEN), NULL, 0, NULL, 0, &public_key, &private_key), CKR_TEMPLATE_INCOMPLETE);
	IS(p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_PUBLIC_KEY), NUMBER(CKA_KEY_TYPE, CKK_ML_KEM), NUMBER(CKA_PARAMETER_SET, CKP_ML_KEM_768),
		BYTES(CKA_VALUE, seed)), &key), CKR_ATTRIBUTE_VALUE_INVALID);
	IS(p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_PRIVATE_KEY), NUMBER(CKA_KEY_TYPE, CKK_ML_KEM),
		NUMBER(CKA_PARAMETER_SET, CKP_ML_KEM_768), {CKA_SEED, seed, 63}), &key), CKR_ATTRIBUTE_VALUE_INVALID);

	/* What the key's own template demands is so. */
	NEED(p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_PRIVATE_KEY), NUMBER(CKA_KEY_TYPE, CKK_ML_KEM),
		NUMBER(CKA_PARAMETER_SET, CKP_ML_KEM_768), BYTES(CKA_SEED, seed), {CKA_DECAPSULATE_TEMPLATE, demanded, sizeof demanded}), &private_key));
	IS(p->C_DecapsulateKey(h, m, private_key, SHARED, ciphertext, length, &key), CKR_TEMPLATE_INCONSISTENT);
	OK(p->C_DecapsulateKey(h, m, private_key, NULL, 0, ciphertext, length, &key));
	EQUAL(get_bool(h, key, CKA_EXTRACTABLE), CK_FALSE);
	OK(p->C_SetAttributeValue(h, private_key, TEMPLATE(BOOLEAN(CKA_DECAPSULATE, no))));
	IS(p->C_DecapsulateKey(h, m, private_key, NULL, 0, ciphertext, length, &key), CKR_KEY_FUNCTION_NOT_PERMITTED);
}

const struct test encapsulating_tests[] = {
	{"encapsulated", "two sides have one secret, by keys that are made here and by such that come from elsewhere", both_sides},
	{"encapsulating-mistakes", "wrong keys, lengths and templates leave nothing", mistakes},
	{NULL, NULL, NULL},
};
