/* CKM_ML_DSA: keys that are seeds, contexts, hedging, and signatures of several kilobytes. */
#include "driver.h"

static CK_SESSION_HANDLE h;
static CK_OBJECT_HANDLE public_key, private_key;
static CK_BYTE signature[4627], again[4627];
static CK_ULONG length;

static const struct {
	CK_ULONG set, public_size, signature_size;
} sets[] = {{CKP_ML_DSA_44, 1312, 2420}, {CKP_ML_DSA_65, 1952, 3309}, {CKP_ML_DSA_87, 2592, 4627}};

static void make_mldsa(CK_ULONG set, CK_BBOOL token)
{
	NEED(p->C_GenerateKeyPair(h, MECHANISM(CKM_ML_DSA_KEY_PAIR_GEN), TEMPLATE(NUMBER(CKA_PARAMETER_SET, set), BOOLEAN(CKA_TOKEN, token)),
		TEMPLATE(BOOLEAN(CKA_TOKEN, token), BOOLEAN(CKA_SENSITIVE, no), BOOLEAN(CKA_EXTRACTABLE, yes)), &public_key, &private_key));
}

static void sign(CK_MECHANISM_PTR m, CK_BYTE *text, CK_ULONG n, CK_BYTE *out, CK_ULONG want)
{
	length = want;
	OK(p->C_SignInit(h, m, private_key));
	OK(p->C_Sign(h, text, n, out, &length));
	EQUAL(length, want);
}

static CK_RV verify(CK_MECHANISM_PTR m, CK_BYTE *text, CK_ULONG n, CK_ULONG size)
{
	OK(p->C_VerifyInit(h, m, public_key));
	return p->C_Verify(h, text, n, signature, size);
}

static void signs(void)
{
	CK_BYTE text[] = "a message", context[255] = "context", value[4096], info[4096], seed[64];
	CK_SIGN_ADDITIONAL_CONTEXT zero = {0}, hedged = {CKH_HEDGE_REQUIRED, context, sizeof context}, same = {CKH_DETERMINISTIC_REQUIRED, NULL, 0};

	h = begin_user();
	for (int i = 0; i < 6; i++) {
		CK_ULONG size = sets[i / 2].signature_size;
		make_mldsa(sets[i / 2].set, i % 2 ? yes : no);
		EQUAL(get_number(h, private_key, CKA_PARAMETER_SET), sets[i / 2].set);
		EQUAL(get_number(h, public_key, CKA_KEY_TYPE), CKK_ML_DSA);
		EQUAL(get_bytes(h, public_key, CKA_VALUE, value, sizeof value), sets[i / 2].public_size);
		size_t n = get_bytes(h, public_key, CKA_PUBLIC_KEY_INFO, info, sizeof info);
		CHECK(n == sets[i / 2].public_size + 22 && memcmp(info + 22, value, n - 22) == 0);
		EQUAL(get_bytes(h, private_key, CKA_PUBLIC_KEY_INFO, value, sizeof value), n);

		OK(p->C_SignInit(h, MECHANISM(CKM_ML_DSA), private_key));
		OK(p->C_Sign(h, text, sizeof text, NULL, &length));
		EQUAL(length, size);
		length--;
		IS(p->C_Sign(h, text, sizeof text, signature, &length), CKR_BUFFER_TOO_SMALL);
		EQUAL(length, size);
		OK(p->C_Sign(h, text, sizeof text, signature, &length));
		OK(verify(MECHANISM(CKM_ML_DSA), text, sizeof text, size));
		OK(verify(MECHANISM_WITH(CKM_ML_DSA, zero), text, sizeof text, size));
		OK(verify(MECHANISM_WITH(CKM_ML_DSA, same), text, sizeof text, size)); /* how it was made, nobody sees */
		IS(verify(MECHANISM(CKM_ML_DSA), text, sizeof text - 1, size), CKR_SIGNATURE_INVALID);
		IS(verify(MECHANISM(CKM_ML_DSA), text, sizeof text, size - 1), CKR_SIGNATURE_LEN_RANGE);
		IS(verify(MECHANISM_WITH(CKM_ML_DSA, hedged), text, sizeof text, size), CKR_SIGNATURE_INVALID);
		sign(MECHANISM_WITH(CKM_ML_DSA, hedged), text, sizeof text, signature, size);
		OK(verify(MECHANISM_WITH(CKM_ML_DSA, hedged), text, sizeof text, size));
		IS(verify(MECHANISM(CKM_ML_DSA), text, sizeof text, size), CKR_SIGNATURE_INVALID);
		sign(MECHANISM_WITH(CKM_ML_DSA, hedged), text, sizeof text, again, size);
		CHECK(memcmp(signature, again, size) != 0);
		sign(MECHANISM_WITH(CKM_ML_DSA, same), text, sizeof text, signature, size);

		/* The seed is the key. */
		EQUAL(get_bytes(h, private_key, CKA_SEED, seed, sizeof seed), 32);
		OK(p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_PRIVATE_KEY), NUMBER(CKA_KEY_TYPE, CKK_ML_DSA),
			NUMBER(CKA_PARAMETER_SET, sets[i / 2].set), {CKA_SEED, seed, 32}), &private_key));
		sign(MECHANISM_WITH(CKM_ML_DSA, same), text, sizeof text, again, size);
		CHECK(memcmp(signature, again, size) == 0);
		IS(read_one(h, private_key, CKA_SEED), CKR_ATTRIBUTE_SENSITIVE);
	}
}

/* The message in parts, and the signature before it. */
static void parts(void)
{
	CK_SIGN_ADDITIONAL_CONTEXT same = {CKH_DETERMINISTIC_REQUIRED, NULL, 0};
	CK_BYTE text[1000];

	h = begin_user();
	memset(text, 'p', sizeof text);
	make_mldsa(CKP_ML_DSA_44, no);
	sign(MECHANISM_WITH(CKM_ML_DSA, same), text, sizeof text, signature, 2420);
	OK(p->C_SignInit(h, MECHANISM_WITH(CKM_ML_DSA, same), private_key));
	OK(p->C_SignUpdate(h, text, 1));
	OK(p->C_SignUpdate(h, text + 1, 999));
	OK(p->C_SignFinal(h, again, &length));
	CHECK(memcmp(signature, again, 2420) == 0);
	OK(p->C_VerifyInit(h, MECHANISM(CKM_ML_DSA), public_key));
	OK(p->C_VerifyUpdate(h, text, 999));
	OK(p->C_VerifyUpdate(h, text + 999, 1));
	OK(p->C_VerifyFinal(h, signature, 2420));
	OK(p->C_VerifySignatureInit(h, MECHANISM(CKM_ML_DSA), public_key, signature, 2420));
	OK(p->C_VerifySignatureUpdate(h, text, 500));
	OK(p->C_VerifySignatureUpdate(h, text + 500, 500));
	OK(p->C_VerifySignatureFinal(h));
}

static void mistakes(void)
{
	CK_BYTE context[256] = "context", seed[32] = {1}, text[8] = {0};
	CK_SIGN_ADDITIONAL_CONTEXT longer = {CKH_HEDGE_PREFERRED, context, sizeof context}, strange = {3, NULL, 0}, nowhere = {0, NULL, 5};
	CK_OBJECT_HANDLE ec_public, ec_private, key;

	h = begin_user();
	make_mldsa(CKP_ML_DSA_65, no);
	make_ec(h, no, &ec_public, &ec_private);
	IS(p->C_SignInit(h, MECHANISM_WITH(CKM_ML_DSA, longer), private_key), CKR_MECHANISM_PARAM_INVALID);
	IS(p->C_SignInit(h, MECHANISM_WITH(CKM_ML_DSA, strange), private_key), CKR_MECHANISM_PARAM_INVALID);
	IS(p->C_SignInit(h, MECHANISM_WITH(CKM_ML_DSA, nowhere), private_key), CKR_MECHANISM_PARAM_INVALID);
	IS(p->C_SignInit(h, (&(CK_MECHANISM){CKM_ML_DSA, &longer, sizeof longer - 1}), private_key), CKR_MECHANISM_PARAM_INVALID);
	IS(p->C_SignInit(h, MECHANISM(CKM_HASH_ML_DSA_SHA256), private_key), CKR_MECHANISM_INVALID);
	IS(p->C_SignInit(h, MECHANISM(CKM_ML_DSA), ec_private), CKR_KEY_TYPE_INCONSISTENT);
	IS(p->C_SignInit(h, MECHANISM(CKM_ML_DSA), public_key), CKR_KEY_TYPE_INCONSISTENT);
	IS(p->C_SignInit(h, MECHANISM(CKM_ECDSA), private_key), CKR_KEY_TYPE_INCONSISTENT);
	IS(p->C_VerifyInit(h, MECHANISM(CKM_ML_DSA), private_key), CKR_KEY_TYPE_INCONSISTENT);
	IS(p->C_SignRecoverInit(h, MECHANISM(CKM_ML_DSA), private_key), CKR_MECHANISM_INVALID);
	OK(p->C_SetAttributeValue(h, private_key, TEMPLATE(BOOLEAN(CKA_SIGN, no))));
	IS(p->C_SignInit(h, MECHANISM(CKM_ML_DSA), private_key), CKR_KEY_FUNCTION_NOT_PERMITTED);

	IS(p->C_GenerateKeyPair(h, MECHANISM(CKM_ML_DSA_KEY_PAIR_GEN), TEMPLATE(NUMBER(CKA_PARAMETER_SET, 4)), NULL, 0, &public_key, &key),
		CKR_PARAMETER_SET_NOT_SUPPORTED);
	IS(p->C_GenerateKeyPair(h, MECHANISM(CKM_ML_DSA_KEY_PAIR_GEN), NULL, 0, NULL, 0, &public_key, &key), CKR_TEMPLATE_INCOMPLETE);
	IS(p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_PUBLIC_KEY), NUMBER(CKA_KEY_TYPE, CKK_ML_DSA), NUMBER(CKA_PARAMETER_SET, CKP_ML_DSA_44),
		BYTES(CKA_VALUE, seed)), &key), CKR_ATTRIBUTE_VALUE_INVALID);
	IS(p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_PRIVATE_KEY), NUMBER(CKA_KEY_TYPE, CKK_ML_DSA),
		NUMBER(CKA_PARAMETER_SET, CKP_ML_DSA_44), {CKA_SEED, seed, 31}), &key), CKR_ATTRIBUTE_VALUE_INVALID);
	IS(p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_PRIVATE_KEY), NUMBER(CKA_KEY_TYPE, CKK_ML_DSA),
		NUMBER(CKA_PARAMETER_SET, CKP_ML_DSA_44), BYTES(CKA_VALUE, seed)), &key), CKR_TEMPLATE_INCOMPLETE);
	IS(p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_PRIVATE_KEY), NUMBER(CKA_KEY_TYPE, CKK_ML_DSA),
		BYTES(CKA_SEED, seed)), &key), CKR_TEMPLATE_INCOMPLETE);
	IS(p->C_Sign(h, text, sizeof text, signature, &length), CKR_OPERATION_NOT_INITIALIZED);
}

const struct test mldsa_tests[] = {
	{"mldsa", "CKM_ML_DSA with and without a context, hedged and deterministic, by keys that are made here and by their seeds", signs},
	{"mldsa-parts", "messages of ML-DSA in parts, and signatures before their message", parts},
	{"mldsa-mistakes", "wrong contexts, keys and templates", mistakes},
	{NULL, NULL, NULL},
};
