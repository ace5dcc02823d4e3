/* C_WrapKeyAuthenticated and C_UnwrapKeyAuthenticated, and the forms that the parameter of AES-GCM has when it wraps. */
#include "driver.h"

static CK_SESSION_HANDLE h;
static CK_OBJECT_HANDLE aes, key;
static CK_BYTE wrapped[512], iv[12] = {1}, tag[16], data[] = "associated", value[32];
static CK_ULONG length;

#define SECRET_TEMPLATE TEMPLATE(NUMBER(CKA_CLASS, CKO_SECRET_KEY), NUMBER(CKA_KEY_TYPE, CKK_AES), BOOLEAN(CKA_SENSITIVE, no), BOOLEAN(CKA_EXTRACTABLE, yes))

static void keys(void)
{
	h = begin_user();
	aes = make_aes(h, no, no);
	memset(value, 0x42, sizeof value);
	key = import_secret(h, CKK_AES, value, sizeof value);
}

static CK_RV wrap(CK_MECHANISM_PTR m)
{
	length = sizeof wrapped;
	return p->C_WrapKeyAuthenticated(h, m, aes, key, data, sizeof data, wrapped, &length);
}

static CK_RV unwrap(CK_MECHANISM_PTR m, CK_BYTE_PTR with, CK_ULONG size)
{
	CK_OBJECT_HANDLE again = CK_INVALID_HANDLE;
	CK_BYTE back[64];
	CK_RV rv = p->C_UnwrapKeyAuthenticated(h, m, aes, wrapped, length, SECRET_TEMPLATE, with, size, &again);

	if (rv != CKR_OK)
		return rv;
	EQUAL(get_bytes(h, again, CKA_VALUE, back, sizeof back), sizeof value);
	CHECK(memcmp(back, value, sizeof value) == 0);
	EQUAL(get_bool(h, again, CKA_LOCAL), CK_FALSE);
	OK(p->C_DestroyObject(h, again));
	return rv;
}

static void data_beside(void)
{
	CK_GCM_PARAMS params = {iv, sizeof iv, 96, NULL, 0, 128};
	CK_MECHANISM_PTR m = MECHANISM_WITH(CKM_AES_GCM, params);

	keys();
	OK(p->C_WrapKeyAuthenticated(h, m, aes, key, data, sizeof data, NULL, &length));
	EQUAL(length, sizeof value + 16);
	length--;
	IS(p->C_WrapKeyAuthenticated(h, m, aes, key, data, sizeof data, wrapped, &length), CKR_BUFFER_TOO_SMALL);
	OK(wrap(m));
	EQUAL(length, sizeof value + 16);
	OK(unwrap(m, data, sizeof data));
	IS(unwrap(m, data, sizeof data - 1), CKR_WRAPPED_KEY_INVALID);
	IS(unwrap(m, NULL, 0), CKR_WRAPPED_KEY_INVALID);
	for (CK_ULONG i = 0; i < length; i++) {
		wrapped[i] ^= 4;
		IS(unwrap(m, data, sizeof data), CKR_WRAPPED_KEY_INVALID);
		wrapped[i] ^= 4;
	}
	length = 15;
	IS(unwrap(m, data, sizeof data), CKR_WRAPPED_KEY_LEN_RANGE);

	/* Associated data is the same whichever way it comes. */
	OK(wrap(m));
	CK_OBJECT_HANDLE again;
	params.pAAD = data, params.ulAADLen = sizeof data;
	OK(p->C_UnwrapKey(h, m, aes, wrapped, length, SECRET_TEMPLATE, &again));
	IS(wrap(m), CKR_MECHANISM_PARAM_INVALID); /* and not both ways */
	IS(unwrap(m, data, sizeof data), CKR_MECHANISM_PARAM_INVALID);
}

/* CK_GCM_MESSAGE_PARAMS has the tag apart, and CK_GCM_WRAP_PARAMS says, too, who makes the IV. */
static void parameters(void)
{
	CK_GCM_MESSAGE_PARAMS message = {iv, sizeof iv, 0, CKG_NO_GENERATE, tag, 128};
	CK_GCM_WRAP_PARAMS params = {iv, sizeof iv, 0, CKG_NO_GENERATE, NULL, 0, 128};
	CK_MECHANISM_PTR m = MECHANISM_WITH(CKM_AES_GCM, message), w = MECHANISM_WITH(CKM_AES_GCM, params);
	CK_BYTE before[12], whole[64];
	CK_OBJECT_HANDLE again;

	keys();
	OK(wrap(w));
	EQUAL(length, sizeof value + 16);
	memcpy(whole, wrapped, length);
	OK(unwrap(w, data, sizeof data));
	OK(p->C_WrapKeyAuthenticated(h, m, aes, key, data, sizeof data, NULL, &length));
	EQUAL(length, sizeof value);
	OK(wrap(m));
	EQUAL(length, sizeof value);
	CHECK(memcmp(wrapped, whole, sizeof value) == 0 && memcmp(tag, whole + sizeof value, 16) == 0);
	OK(unwrap(m, data, sizeof data));
	tag[3] ^= 1;
	IS(unwrap(m, data, sizeof data), CKR_WRAPPED_KEY_INVALID);
	length = 8;
	IS(p->C_WrapKeyAuthenticated(h, m, aes, key, data, sizeof data, wrapped, &length), CKR_BUFFER_TOO_SMALL);
	EQUAL(length, sizeof value);

	CK_GENERATOR_FUNCTION made[] = {CKG_GENERATE, CKG_GENERATE_RANDOM};
	for (int i = 0; i < 2; i++) {
		memcpy(before, iv, sizeof iv);
		message.ivGenerator = params.ivGenerator = made[i];
		OK(p->C_WrapKeyAuthenticated(h, m, aes, key, data, sizeof data, NULL, &length));
		CHECK(memcmp(before, iv, sizeof iv) == 0);
		OK(wrap(m));
		CHECK(memcmp(before, iv, sizeof iv) != 0);
		OK(unwrap(m, data, sizeof data));
		memcpy(before, iv, sizeof iv);
		OK(p->C_WrapKey(h, w, aes, key, NULL, &length));
		length = sizeof wrapped;
		OK(p->C_WrapKey(h, w, aes, key, wrapped, &length));
		CHECK(memcmp(before, iv, sizeof iv) != 0);
		OK(p->C_UnwrapKey(h, w, aes, wrapped, length, SECRET_TEMPLATE, &again));
	}
	message.ivGenerator = CKG_GENERATE_COUNTER;
	IS(wrap(m), CKR_MECHANISM_PARAM_INVALID);
	message.ivGenerator = CKG_GENERATE;
	message.ulIvFixedBits = 32; /* 64 bits at random are too few */
	IS(wrap(m), CKR_MECHANISM_PARAM_INVALID);
	message = (CK_GCM_MESSAGE_PARAMS){iv, ~0UL, 0, CKG_NO_GENERATE, tag, 128};
	IS(wrap(m), CKR_MECHANISM_PARAM_INVALID);
	message = (CK_GCM_MESSAGE_PARAMS){iv, sizeof iv, 0, CKG_NO_GENERATE, tag, 1UL << 40};
	IS(wrap(m), CKR_MECHANISM_PARAM_INVALID);
}

static void mistakes(void)
{
	CK_GCM_PARAMS params = {iv, sizeof iv, 96, NULL, 0, 128};
	CK_MECHANISM_PTR m = MECHANISM_WITH(CKM_AES_GCM, params);
	CK_OBJECT_HANDLE again;

	keys();
	NEED(wrap(m));
	IS(wrap(MECHANISM(CKM_AES_KEY_WRAP)), CKR_MECHANISM_INVALID);
	IS(wrap(MECHANISM(CKM_AES_GCM)), CKR_MECHANISM_PARAM_INVALID);
	IS(wrap(NULL), CKR_ARGUMENTS_BAD);
	length = sizeof wrapped;
	IS(p->C_WrapKeyAuthenticated(h, m, aes, key, NULL, 4, wrapped, &length), CKR_ARGUMENTS_BAD);
	IS(p->C_WrapKeyAuthenticated(h, m, 0x4444, key, NULL, 0, wrapped, &length), CKR_WRAPPING_KEY_HANDLE_INVALID);
	IS(p->C_WrapKeyAuthenticated(h, m, aes, 0x4444, NULL, 0, wrapped, &length), CKR_KEY_HANDLE_INVALID);
	IS(p->C_WrapKeyAuthenticated(h, m, aes, aes, NULL, 0, wrapped, &length), CKR_KEY_UNEXTRACTABLE);
	IS(p->C_WrapKeyAuthenticated(h, m, aes, key, NULL, 0, wrapped, NULL), CKR_ARGUMENTS_BAD);
	IS(p->C_WrapKeyAuthenticated(0x4444, m, aes, key, NULL, 0, wrapped, &length), CKR_SESSION_HANDLE_INVALID);
	IS(p->C_UnwrapKeyAuthenticated(h, m, 0x4444, wrapped, length, SECRET_TEMPLATE, NULL, 0, &again), CKR_UNWRAPPING_KEY_HANDLE_INVALID);
	IS(p->C_UnwrapKeyAuthenticated(h, m, aes, NULL, 0, SECRET_TEMPLATE, NULL, 0, &again), CKR_ARGUMENTS_BAD);
	IS(p->C_UnwrapKeyAuthenticated(h, m, aes, wrapped, length, SECRET_TEMPLATE, NULL, 4, &again), CKR_ARGUMENTS_BAD);
	IS(p->C_UnwrapKeyAuthenticated(h, m, aes, wrapped, length, SECRET_TEMPLATE, NULL, 0, NULL), CKR_ARGUMENTS_BAD);
	EQUAL(search(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_SECRET_KEY)), NULL, 0), 2);
}

const struct test authenticated_tests[] = {
	{"authenticated-data", "what is said beside a wrapped key is authenticated with it", data_beside},
	{"authenticated-parameters", "each form of AES-GCM's parameter does, and IVs are made for those who ask", parameters},
	{"authenticated-mistakes", "what cannot be wrapped or unwrapped leaves nothing", mistakes},
	{NULL, NULL, NULL},
};
