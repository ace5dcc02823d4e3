/* Creating, copying and destroying objects, and what the token says of them. */
#include "driver.h"

/* Of any class: identifiers are made by the token and never change. */
static void unique_id(void)
{
	CK_OBJECT_HANDLE made[6], found[2];
	CK_BYTE id[6][64], again[64];
	size_t length[6];
	CK_SESSION_HANDLE h = begin_user();

	made[0] = make_data(h, "a", no);
	made[1] = make_data(h, "a", yes);
	made[2] = make_aes(h, no, no);
	make_ec(h, yes, &made[3], &made[4]);
	NEED(p->C_CopyObject(h, made[1], NULL, 0, &made[5]));
	for (int i = 0; i < 6; i++) {
		length[i] = get_bytes(h, made[i], CKA_UNIQUE_ID, id[i], sizeof id[i]);
		CHECK(length[i] > 0);
		for (int j = 0; j < i; j++)
			CHECK(length[j] != length[i] || memcmp(id[j], id[i], length[i]) != 0);
		EQUAL(search(h, TEMPLATE({CKA_UNIQUE_ID, id[i], length[i]}), found, 2), 1);
		EQUAL(found[0], made[i]);
	}
	OK(p->C_SetAttributeValue(h, made[1], TEMPLATE(TEXT(CKA_LABEL, "b"))));
	EQUAL(get_bytes(h, made[1], CKA_UNIQUE_ID, again, sizeof again), length[1]);
	CHECK(memcmp(again, id[1], length[1]) == 0);
	IS(p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_DATA), TEXT(CKA_UNIQUE_ID, "mine")), found), CKR_ATTRIBUTE_READ_ONLY);
	IS(p->C_SetAttributeValue(h, made[0], TEMPLATE(TEXT(CKA_UNIQUE_ID, "mine"))), CKR_ATTRIBUTE_READ_ONLY);
}

static void generated(void)
{
	CK_OBJECT_HANDLE public_key, private_key;
	CK_SESSION_HANDLE h = begin_user();

	make_rsa(h, no, &public_key, &private_key);
	CK_OBJECT_HANDLE open = make_aes(h, no, yes), closed = make_aes(h, no, no);
	EQUAL(get_number(h, private_key, CKA_KEY_GEN_MECHANISM), CKM_RSA_PKCS_KEY_PAIR_GEN);
	EQUAL(get_number(h, public_key, CKA_KEY_GEN_MECHANISM), CKM_RSA_PKCS_KEY_PAIR_GEN);
	EQUAL(get_number(h, open, CKA_KEY_GEN_MECHANISM), CKM_AES_KEY_GEN);
	EQUAL(get_bool(h, private_key, CKA_LOCAL), CK_TRUE);
	EQUAL(get_bool(h, public_key, CKA_LOCAL), CK_TRUE);
	EQUAL(get_bool(h, private_key, CKA_ALWAYS_SENSITIVE), CK_TRUE);
	EQUAL(get_bool(h, private_key, CKA_NEVER_EXTRACTABLE), CK_TRUE);
	EQUAL(get_bool(h, closed, CKA_ALWAYS_SENSITIVE), CK_TRUE);
	EQUAL(get_bool(h, closed, CKA_NEVER_EXTRACTABLE), CK_TRUE);
	EQUAL(get_bool(h, open, CKA_ALWAYS_SENSITIVE), CK_FALSE);
	EQUAL(get_bool(h, open, CKA_NEVER_EXTRACTABLE), CK_FALSE);
	OK(p->C_SetAttributeValue(h, open, TEMPLATE(BOOLEAN(CKA_SENSITIVE, yes), BOOLEAN(CKA_EXTRACTABLE, no))));
	EQUAL(get_bool(h, open, CKA_ALWAYS_SENSITIVE), CK_FALSE);
	EQUAL(get_bool(h, open, CKA_NEVER_EXTRACTABLE), CK_FALSE);
}

static void created(void)
{
	static const CK_BYTE value[16] = "0123456789abcde";
	CK_SESSION_HANDLE h = begin_user();
	CK_OBJECT_HANDLE key, bad;

	NEED(p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_SECRET_KEY), NUMBER(CKA_KEY_TYPE, CKK_AES), BYTES(CKA_VALUE, value),
		BOOLEAN(CKA_SENSITIVE, yes), BOOLEAN(CKA_EXTRACTABLE, no)), &key));
	EQUAL(get_bool(h, key, CKA_LOCAL), CK_FALSE);
	EQUAL(get_number(h, key, CKA_KEY_GEN_MECHANISM), CK_UNAVAILABLE_INFORMATION);
	EQUAL(get_bool(h, key, CKA_ALWAYS_SENSITIVE), CK_FALSE);
	EQUAL(get_bool(h, key, CKA_NEVER_EXTRACTABLE), CK_FALSE);
	EQUAL(get_number(h, key, CKA_VALUE_LEN), 16);
	IS(p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_SECRET_KEY), NUMBER(CKA_KEY_TYPE, CKK_AES), BYTES(CKA_VALUE, value),
		BOOLEAN(CKA_LOCAL, yes)), &bad), CKR_ATTRIBUTE_READ_ONLY);
}

static void copies(void)
{
	CK_OBJECT_HANDLE copy, token;
	CK_SESSION_HANDLE h = begin_user();
	CK_SESSION_HANDLE ro = open_session(0);
	CK_BYTE text[16];

	CK_OBJECT_HANDLE object = make_data(h, "original", no);
	OK(p->C_CopyObject(h, object, TEMPLATE(BOOLEAN(CKA_TOKEN, yes), TEXT(CKA_LABEL, "copy")), &token));
	EQUAL(get_bool(h, token, CKA_TOKEN), CK_TRUE);
	EQUAL(get_bytes(h, token, CKA_LABEL, text, sizeof text), 4);
	EQUAL(get_bytes(h, token, CKA_VALUE, text, sizeof text), 5);
	IS(p->C_CopyObject(ro, object, TEMPLATE(BOOLEAN(CKA_TOKEN, yes)), &copy), CKR_SESSION_READ_ONLY);
	IS(p->C_CopyObject(h, object, TEMPLATE(NUMBER(CKA_CLASS, CKO_DATA)), &copy), CKR_ATTRIBUTE_READ_ONLY);
	IS(p->C_CopyObject(h, object, NULL, 1, &copy), CKR_ARGUMENTS_BAD);
	IS(p->C_CopyObject(h, object, NULL, 0, NULL), CKR_ARGUMENTS_BAD);
	IS(p->C_CopyObject(h, object + 1000, NULL, 0, &copy), CKR_OBJECT_HANDLE_INVALID);
	OK(p->C_CopyObject(h, object, TEMPLATE(TEXT(CKA_VALUE, "other")), &copy));
}

/* Programs that cache keys copy them into a session. */
static void copied_key(void)
{
	CK_OBJECT_HANDLE public_key, private_key, copy;
	CK_SESSION_HANDLE h = begin_user();
	CK_SESSION_HANDLE other = open_session(0);
	CK_BYTE digest[32] = {1}, signature[64];
	CK_ULONG length = sizeof signature;

	make_ec(h, yes, &public_key, &private_key);
	OK(p->C_CopyObject(other, private_key, TEMPLATE(BOOLEAN(CKA_TOKEN, no)), &copy));
	EQUAL(get_bool(h, copy, CKA_TOKEN), CK_FALSE);
	EQUAL(get_bool(h, copy, CKA_LOCAL), CK_TRUE);
	OK(p->C_SignInit(h, MECHANISM(CKM_ECDSA), copy));
	OK(p->C_Sign(h, digest, sizeof digest, signature, &length));
	OK(p->C_VerifyInit(h, MECHANISM(CKM_ECDSA), public_key));
	OK(p->C_Verify(h, digest, sizeof digest, signature, length));
	OK(p->C_CloseSession(other));
	IS(p->C_SignInit(h, MECHANISM(CKM_ECDSA), copy), CKR_KEY_HANDLE_INVALID);
	OK(p->C_SignInit(h, MECHANISM(CKM_ECDSA), private_key));
}

static void prohibited(void)
{
	CK_OBJECT_HANDLE object, copy;
	CK_SESSION_HANDLE h = begin_user();

	NEED(p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_DATA), BOOLEAN(CKA_MODIFIABLE, no), BOOLEAN(CKA_COPYABLE, no),
		BOOLEAN(CKA_DESTROYABLE, no)), &object));
	IS(p->C_SetAttributeValue(h, object, TEMPLATE(TEXT(CKA_LABEL, "x"))), CKR_ACTION_PROHIBITED);
	IS(p->C_CopyObject(h, object, NULL, 0, &copy), CKR_ACTION_PROHIBITED);
	IS(p->C_DestroyObject(h, object), CKR_ACTION_PROHIBITED);
}

static void destroyed(void)
{
	CK_SESSION_HANDLE h = begin_user();
	CK_SESSION_HANDLE ro = open_session(0);
	CK_OBJECT_HANDLE token = make_data(h, "gone", yes), session_object = make_data(h, "gone", no);
	CK_ULONG size = 0;

	IS(p->C_DestroyObject(ro, token), CKR_SESSION_READ_ONLY);
	OK(p->C_DestroyObject(ro, session_object));
	OK(p->C_GetObjectSize(h, token, &size));
	OK(p->C_DestroyObject(h, token));
	IS(p->C_DestroyObject(h, token), CKR_OBJECT_HANDLE_INVALID);
	IS(p->C_GetObjectSize(h, token, &size), CKR_OBJECT_HANDLE_INVALID);
	EQUAL(count_label(h, "gone"), 0);
}

/* PKCS #11 v3.2, section 5.6, the table of sessions and objects. */
static void who_may_write(void)
{
	CK_OBJECT_HANDLE object;

	begin();
	CK_SESSION_HANDLE ro = open_session(0), rw = open_session(CKF_RW_SESSION);
	CK_ATTRIBUTE private_object[] = {NUMBER(CKA_CLASS, CKO_DATA), BOOLEAN(CKA_PRIVATE, yes), BOOLEAN(CKA_TOKEN, no)};
	CK_ATTRIBUTE token_object[] = {NUMBER(CKA_CLASS, CKO_DATA), BOOLEAN(CKA_PRIVATE, no), BOOLEAN(CKA_TOKEN, yes)};
	IS(p->C_CreateObject(rw, private_object, 3, &object), CKR_USER_NOT_LOGGED_IN);
	IS(p->C_CreateObject(ro, token_object, 3, &object), CKR_SESSION_READ_ONLY);
	OK(p->C_CreateObject(rw, token_object, 3, &object));
	make_data(ro, "in a public read-only session", no);
	OK(p->C_Login(rw, CKU_USER, PIN(USER_PIN)));
	OK(p->C_CreateObject(ro, private_object, 3, &object));
	IS(p->C_CreateObject(ro, token_object, 3, &object), CKR_SESSION_READ_ONLY);
	OK(p->C_Logout(rw));
	OK(p->C_Login(rw, CKU_SO, PIN(SO_PIN)));
	OK(p->C_CreateObject(rw, token_object, 3, &object));
	IS(p->C_CreateObject(rw, private_object, 3, &object), CKR_USER_NOT_LOGGED_IN);
}

const struct test object_tests[] = {
	{"unique-id", "every object has a CKA_UNIQUE_ID of the token's making, and is found by it", unique_id},
	{"generated", "a generated key says how it was made, and what it always was", generated},
	{"created", "a created key is not local, and was not always sensitive", created},
	{"copies", "C_CopyObject makes token objects of session objects, and changes what may be changed", copies},
	{"copied-key", "a session copy of a private token key signs, and goes with its session", copied_key},
	{"prohibited", "objects that may not be modified, copied or destroyed are not", prohibited},
	{"destroyed", "a destroyed object is gone", destroyed},
	{"who-may-write", "which session may make which object, by who is logged in", who_may_write},
	{NULL, NULL, NULL},
};
