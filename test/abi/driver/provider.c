/* The calls of OpenSSL's provider pkcs11, with its arguments and in its order. */
#include "driver.h"

#include <sys/wait.h>
#include <unistd.h>

static int application; /* what callbacks are given; it is not touched */

static CK_RV notify(CK_SESSION_HANDLE session, CK_NOTIFICATION event, void *app)
{
	(void)session;
	(void)event;
	return app == &application ? CKR_OK : CKR_CANCEL;
}

static CK_SESSION_HANDLE session_with_callback(CK_FLAGS flags)
{
	CK_SESSION_HANDLE h = CK_INVALID_HANDLE;

	NEED(p->C_OpenSession(slot, CKF_SERIAL_SESSION | flags, &application, notify, &h));
	return h;
}

/* It asks EC keys for WRAP and UNWRAP, too, and does not give CKA_CLASS and CKA_KEY_TYPE. */
static void generate(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
	static const CK_BYTE id[16] = {1, 2, 3};

	NEED(p->C_GenerateKeyPair(h, MECHANISM(CKM_EC_KEY_PAIR_GEN),
		TEMPLATE(BOOLEAN(CKA_TOKEN, yes), BOOLEAN(CKA_DERIVE, yes), BOOLEAN(CKA_VERIFY, yes), BOOLEAN(CKA_WRAP, yes), BYTES(CKA_EC_PARAMS, p256),
			BYTES(CKA_ID, id), TEXT(CKA_LABEL, "made")),
		TEMPLATE(BOOLEAN(CKA_TOKEN, yes), BOOLEAN(CKA_PRIVATE, yes), BOOLEAN(CKA_SENSITIVE, yes), BOOLEAN(CKA_EXTRACTABLE, no),
			BOOLEAN(CKA_DERIVE, yes), BOOLEAN(CKA_SIGN, yes), BOOLEAN(CKA_UNWRAP, yes), BYTES(CKA_ID, id), TEXT(CKA_LABEL, "made")),
		public_key, private_key));
}

/* One call has the lengths of all attributes, the next one their values. Where a key does not have one of them, the others are served. */
static void bulk(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE key)
{
	CK_ATTRIBUTE all[] = {{CKA_ID, NULL, 0}, {CKA_MODULUS, NULL, 0}, {CKA_LABEL, NULL, 0}, {CKA_TOKEN, NULL, 0}, {CKA_COPYABLE, NULL, 0},
		{CKA_ALWAYS_AUTHENTICATE, NULL, 0}, {CKA_EC_PARAMS, NULL, 0}, {CKA_PUBLIC_KEY_INFO, NULL, 0}};
	static const CK_ULONG lengths[] = {16, CK_UNAVAILABLE_INFORMATION, 4, 1, 1, 1, 10, 91};
	CK_BYTE values[8][128];

	IS(p->C_GetAttributeValue(h, key, all, 8), CKR_ATTRIBUTE_TYPE_INVALID);
	for (int i = 0; i < 8; i++) {
		EQUAL(all[i].ulValueLen, lengths[i]);
		all[i].pValue = values[i];
	}
	all[1] = all[7];
	OK(p->C_GetAttributeValue(h, key, all, 7));
	CHECK(memcmp(values[2], "made", 4) == 0 && values[4][0] == CK_TRUE && values[5][0] == CK_FALSE);
	CHECK(memcmp(values[6], p256, sizeof p256) == 0);
	CK_ATTRIBUTE probe = {CKA_ALLOWED_MECHANISMS, NULL, 0};
	OK(p->C_GetAttributeValue(h, key, &probe, 1));
	EQUAL(probe.ulValueLen, 0);
}

/* It would like to sign the same beginning twice, and goes on where it is told that it cannot. */
static void sign(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE key, CK_BYTE signature[64])
{
	CK_BYTE state[1024];
	CK_ULONG length = sizeof state;

	NEED(p->C_SignInit(h, MECHANISM(CKM_ECDSA_SHA256), key));
	NEED(p->C_SignUpdate(h, (CK_BYTE *)"text", 4));
	IS(p->C_GetOperationState(h, NULL, &length), CKR_FUNCTION_NOT_SUPPORTED);
	length = 64;
	NEED(p->C_SignFinal(h, signature, &length));
	EQUAL(length, 64);
}

static bool verifies(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE key, CK_BYTE signature[64])
{
	return p->C_VerifyInit(h, MECHANISM(CKM_ECDSA_SHA256), key) == CKR_OK && p->C_Verify(h, (CK_BYTE *)"text", 4, signature, 64) == CKR_OK;
}

static CK_OBJECT_HANDLE find_made(CK_SESSION_HANDLE h, CK_OBJECT_CLASS class)
{
	CK_OBJECT_HANDLE found = CK_INVALID_HANDLE;

	EQUAL(search(h, TEMPLATE(NUMBER(CKA_CLASS, class), TEXT(CKA_LABEL, "made")), &found, 1), 1);
	return found;
}

/* A child ends what it has of its parent and begins anew. The module must be the same that it was. */
static bool child_signs(const CK_INFO *before)
{
	CK_BYTE signature[64];
	CK_INFO now;

	memset(&now, 0, sizeof now);
	p->C_Finalize(NULL);
	begin();
	if (p->C_GetInfo(&now) != CKR_OK || memcmp(&now, before, sizeof now) != 0)
		return false;
	CK_SESSION_HANDLE h = session_with_callback(0);
	NEED(p->C_Login(h, CKU_USER, PIN(USER_PIN)));
	sign(h, find_made(h, CKO_PRIVATE_KEY), signature);
	return verifies(h, find_made(h, CKO_PUBLIC_KEY), signature) && p->C_Finalize(NULL) == CKR_OK;
}

static void provider(void)
{
	CK_OBJECT_HANDLE public_key, private_key, copy;
	CK_BYTE signature[64];
	CK_INFO info;
	int status = -1;

	begin();
	memset(&info, 0, sizeof info);
	OK(p->C_GetInfo(&info));
	CK_SESSION_HANDLE login = session_with_callback(0), h = session_with_callback(CKF_RW_SESSION);
	NEED(p->C_Login(login, CKU_USER, PIN(USER_PIN)));
	generate(h, &public_key, &private_key);
	bulk(login, private_key);
	OK(p->C_CopyObject(login, private_key, TEMPLATE(BOOLEAN(CKA_TOKEN, no)), &copy)); /* its cache of keys */
	sign(h, copy, signature);
	CHECK(verifies(h, public_key, signature));
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		alarm(60);
		_exit(child_signs(&info) ? 0 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	sign(h, copy, signature); /* nothing has happened to the parent */
	CHECK(verifies(h, public_key, signature));
	OK(p->C_DestroyObject(login, copy));
	OK(p->C_Finalize(NULL));
}

const struct test provider_tests[] = {
	{"provider", "what OpenSSL's provider does is served: reading in bulk, copies as a cache, callbacks, a child that begins anew", provider},
	{NULL, NULL, NULL},
};
