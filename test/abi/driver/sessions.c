/* Sessions and what lives in them. */
#include "driver.h"

static CK_RV notify(CK_SESSION_HANDLE h, CK_NOTIFICATION event, CK_VOID_PTR application)
{
	(void)h, (void)event, (void)application;
	return CKR_OK;
}

static void flags(void)
{
	CK_SESSION_HANDLE h = 0;

	begin();
	IS(p->C_OpenSession(slot, CKF_RW_SESSION, NULL, NULL, &h), CKR_SESSION_PARALLEL_NOT_SUPPORTED);
	IS(p->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_ASYNC_SESSION, NULL, NULL, &h), CKR_SESSION_ASYNC_NOT_SUPPORTED);
	IS(p->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, NULL), CKR_ARGUMENTS_BAD);
	OK(p->C_OpenSession(slot, CKF_SERIAL_SESSION, &h, notify, &h));
	CHECK(h != CK_INVALID_HANDLE);
}

static void information(void)
{
	CK_SESSION_INFO info;

	begin();
	CK_SESSION_HANDLE h = open_session(CKF_RW_SESSION);
	OK(p->C_GetSessionInfo(h, &info));
	EQUAL(info.slotID, slot);
	EQUAL(info.state, CKS_RW_PUBLIC_SESSION);
	EQUAL(info.flags, CKF_RW_SESSION | CKF_SERIAL_SESSION);
	IS(p->C_GetSessionInfo(h, NULL), CKR_ARGUMENTS_BAD);
	IS(p->C_GetSessionInfo(h + 1, &info), CKR_SESSION_HANDLE_INVALID);
	IS(p->C_GetSessionInfo(0, &info), CKR_SESSION_HANDLE_INVALID);
	IS(p->C_GetSessionInfo(~0UL, &info), CKR_SESSION_HANDLE_INVALID);
}

static void many(void)
{
	CK_SESSION_HANDLE h[200];
	CK_TOKEN_INFO info;

	begin();
	for (int i = 0; i < 200; i++)
		h[i] = open_session(i % 2 ? CKF_RW_SESSION : 0);
	OK(p->C_GetTokenInfo(slot, &info));
	CHECK(info.ulMaxSessionCount == 0 || info.ulMaxSessionCount > 200);
	CHECK(info.ulMaxRwSessionCount == 0 || info.ulMaxRwSessionCount > 100);
	EQUAL(info.ulSessionCount, 200);
	EQUAL(info.ulRwSessionCount, 100);
	for (int i = 0; i < 200; i++) {
		CK_BYTE random[16];
		OK(p->C_GenerateRandom(h[i], random, sizeof random));
	}
}

static void open_and_close(void)
{
	CK_BYTE digest[32];

	begin();
	CK_SESSION_HANDLE keeper = open_session(0);
	for (int i = 0; i < 10000; i++) {
		CK_SESSION_HANDLE h = open_session(0);
		CK_ULONG length = sizeof digest;
		CK_SESSION_INFO info;
		OK(p->C_DigestInit(h, MECHANISM(CKM_SHA256)));
		OK(p->C_Digest(h, (CK_BYTE *)"data", 4, digest, &length));
		OK(p->C_CloseSession(h));
		IS(p->C_GetSessionInfo(h, &info), CKR_SESSION_HANDLE_INVALID);
	}
	OK(p->C_CloseSession(keeper));
}

static void close_all(void)
{
	begin();
	CK_SESSION_HANDLE h = open_session(0);
	OK(p->C_CloseSession(h));
	IS(p->C_CloseSession(h), CKR_SESSION_HANDLE_INVALID);
	OK(p->C_CloseAllSessions(slot));
	OK(p->C_CloseAllSessions(slot));
	h = open_session(0);
	OK(p->C_CloseAllSessions(slot));
	IS(p->C_CloseSession(h), CKR_SESSION_HANDLE_INVALID);
}

static void session_objects(void)
{
	CK_SESSION_HANDLE a = begin_user();
	CK_SESSION_HANDLE b = open_session(0);
	CK_ULONG size;

	CK_OBJECT_HANDLE session_object = make_data(a, "session", no);
	make_data(a, "token", yes);
	EQUAL(count_label(b, "session"), 1);
	OK(p->C_GetObjectSize(b, session_object, &size));
	OK(p->C_CloseSession(a));
	EQUAL(count_label(b, "session"), 0);
	EQUAL(count_label(b, "token"), 1);
	IS(p->C_GetObjectSize(b, session_object, &size), CKR_OBJECT_HANDLE_INVALID);
}

/* PKCS #11 v3.2, section 5.6 C_Logout: handles of private objects are dead for
 * good, even where the same user logs in again. */
static void logout(void)
{
	CK_OBJECT_HANDLE public_key, private_key, found[2];
	CK_SESSION_HANDLE h = begin_user();
	CK_BYTE id[4] = {1, 2, 3, 4};

	CK_OBJECT_HANDLE session_key = make_aes(h, no, no);
	make_ec(h, yes, &public_key, &private_key);
	OK(p->C_SetAttributeValue(h, private_key, TEMPLATE(BYTES(CKA_ID, id))));
	OK(p->C_SignInit(h, MECHANISM(CKM_ECDSA), private_key));
	OK(p->C_Logout(h));
	CK_BYTE signature[64];
	CK_ULONG length = sizeof signature;
	FAILS(p->C_Sign(h, (CK_BYTE *)"0123456789abcdef0123456789abcdef", 32, signature, &length));
	IS(read_one(h, private_key, CKA_ID), CKR_OBJECT_HANDLE_INVALID);
	IS(p->C_SignInit(h, MECHANISM(CKM_ECDSA), private_key), CKR_KEY_HANDLE_INVALID);
	OK(read_one(h, public_key, CKA_ID));
	OK(p->C_Login(h, CKU_USER, PIN(USER_PIN)));
	IS(read_one(h, private_key, CKA_ID), CKR_OBJECT_HANDLE_INVALID);
	IS(read_one(h, session_key, CKA_ID), CKR_OBJECT_HANDLE_INVALID);
	EQUAL(search(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_PRIVATE_KEY), BYTES(CKA_ID, id)), found, 2), 1);
	OK(p->C_SignInit(h, MECHANISM(CKM_ECDSA), found[0]));
}

static void random_numbers(void)
{
	CK_BYTE a[32] = {0}, b[32] = {0};

	begin();
	CK_SESSION_HANDLE h = open_session(0);
	OK(p->C_GenerateRandom(h, a, sizeof a));
	OK(p->C_GenerateRandom(h, b, sizeof b));
	CHECK(memcmp(a, b, sizeof a) != 0);
	OK(p->C_GenerateRandom(h, a, 0));
	IS(p->C_GenerateRandom(h, NULL, 32), CKR_ARGUMENTS_BAD);
	ONE_OF(p->C_SeedRandom(h, a, sizeof a), CKR_OK, CKR_RANDOM_SEED_NOT_SUPPORTED);
	IS(p->C_SeedRandom(h, NULL, 32), CKR_ARGUMENTS_BAD);
}

const struct test session_tests[] = {
	{"session-flags", "C_OpenSession wants a serial session, refuses an asynchronous one, and takes callbacks", flags},
	{"session-info", "C_GetSessionInfo tells slot, state and flags; unknown handles are refused", information},
	{"many-sessions", "two hundred sessions are counted and all work", many},
	{"open-and-close", "ten thousand sessions, each for one operation; none of their handles is good twice", open_and_close},
	{"close-all", "C_CloseAllSessions may be called with none open", close_all},
	{"session-objects", "session objects go with the session that made them, token objects stay", session_objects},
	{"logout", "a logout ends operations with private keys and their handles for good", logout},
	{"random", "C_GenerateRandom and C_SeedRandom", random_numbers},
	{NULL, NULL, NULL},
};
