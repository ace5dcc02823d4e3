/* Slots and tokens. */
#include "driver.h"

static void make_token(void)
{
	CK_SESSION_HANDLE h;

	initialize();
	slot = empty_slot();
	NEED(p->C_InitToken(slot, PIN(SO_PIN), (CK_UTF8CHAR *)TOKEN_LABEL "                          "));
	h = open_session(CKF_RW_SESSION);
	NEED(p->C_Login(h, CKU_SO, PIN(SO_PIN)));
	NEED(p->C_InitPIN(h, PIN(USER_PIN)));
	NEED(p->C_Finalize(NULL));
}

static void slot_list(void)
{
	CK_SLOT_ID list[64];
	CK_ULONG count = 0, room;

	begin();
	IS(p->C_GetSlotList(CK_FALSE, list, NULL), CKR_ARGUMENTS_BAD);
	OK(p->C_GetSlotList(CK_FALSE, NULL, &count));
	CHECK(count >= 2 && count < 64);
	room = count - 1;
	IS(p->C_GetSlotList(CK_FALSE, list, &room), CKR_BUFFER_TOO_SMALL);
	EQUAL(room, count);
	room = 64;
	OK(p->C_GetSlotList(CK_FALSE, list, &room));
	EQUAL(room, count);
	for (CK_ULONG i = 0; i < count; i++)
		for (CK_ULONG j = i + 1; j < count; j++)
			CHECK(list[i] != list[j]);
}

static void texts(void)
{
	CK_INFO info;
	CK_SLOT_INFO slot_info;
	CK_TOKEN_INFO token;

	begin();
	OK(p->C_GetInfo(&info));
	CHECK(padded(info.manufacturerID, sizeof info.manufacturerID, NULL));
	CHECK(padded(info.libraryDescription, sizeof info.libraryDescription, NULL));
	EQUAL(info.cryptokiVersion.major, 3);
	EQUAL(info.flags, 0);
	OK(p->C_GetSlotInfo(slot, &slot_info));
	CHECK(padded(slot_info.slotDescription, sizeof slot_info.slotDescription, NULL));
	CHECK(padded(slot_info.manufacturerID, sizeof slot_info.manufacturerID, NULL));
	CHECK((slot_info.flags & CKF_TOKEN_PRESENT) != 0);
	OK(p->C_GetTokenInfo(slot, &token));
	CHECK(padded(token.label, sizeof token.label, TOKEN_LABEL));
	CHECK(padded(token.manufacturerID, sizeof token.manufacturerID, NULL));
	CHECK(padded(token.model, sizeof token.model, NULL));
	CHECK(padded(token.serialNumber, sizeof token.serialNumber, NULL));
	CHECK(memchr(token.utcTime, 0, sizeof token.utcTime) == NULL);
	CHECK(token.ulMinPinLen >= 4 && token.ulMaxPinLen >= 255);
	CHECK((token.flags & (CKF_RNG | CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED | CKF_TOKEN_INITIALIZED)) ==
		(CKF_RNG | CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED | CKF_TOKEN_INITIALIZED));
}

static void no_such_slot(void)
{
	const CK_SLOT_ID none = 0x7ffffff1;
	CK_SLOT_INFO info;
	CK_TOKEN_INFO token;
	CK_MECHANISM_INFO mechanism;
	CK_SESSION_HANDLE h;
	CK_ULONG count = 0;

	begin();
	IS(p->C_GetSlotInfo(none, &info), CKR_SLOT_ID_INVALID);
	IS(p->C_GetTokenInfo(none, &token), CKR_SLOT_ID_INVALID);
	IS(p->C_GetMechanismList(none, NULL, &count), CKR_SLOT_ID_INVALID);
	IS(p->C_GetMechanismInfo(none, CKM_RSA_PKCS, &mechanism), CKR_SLOT_ID_INVALID);
	IS(p->C_OpenSession(none, CKF_SERIAL_SESSION, NULL, NULL, &h), CKR_SLOT_ID_INVALID);
	IS(p->C_CloseAllSessions(none), CKR_SLOT_ID_INVALID);
	IS(p->C_InitToken(none, PIN(SO_PIN), (CK_UTF8CHAR *)"                                "), CKR_SLOT_ID_INVALID);
}

static void mechanisms(void)
{
	CK_MECHANISM_TYPE list[1024];
	CK_MECHANISM_INFO info;
	CK_ULONG count = 0, room;

	begin();
	OK(p->C_GetMechanismList(slot, NULL, &count));
	CHECK(count > 50 && count < 1024);
	room = 1;
	IS(p->C_GetMechanismList(slot, list, &room), CKR_BUFFER_TOO_SMALL);
	EQUAL(room, count);
	OK(p->C_GetMechanismList(slot, list, &room));
	for (CK_ULONG i = 0; i < room; i++) {
		OK(p->C_GetMechanismInfo(slot, list[i], &info));
		CHECK(info.ulMinKeySize <= info.ulMaxKeySize);
		if (i > 0 && list[i] == list[i - 1])
			fail("mechanism %#lx is listed twice", list[i]);
		if ((info.flags & (CKF_ENCRYPT | CKF_DECRYPT | CKF_DIGEST | CKF_SIGN | CKF_VERIFY | CKF_GENERATE | CKF_GENERATE_KEY_PAIR |
				CKF_WRAP | CKF_UNWRAP | CKF_DERIVE | CKF_ENCAPSULATE)) == 0)
			fail("mechanism %#lx serves nothing", list[i]);
		CHECK((info.flags & CKF_HW) == 0);
	}
	IS(p->C_GetMechanismInfo(slot, 0x7fffffff, &info), CKR_MECHANISM_INVALID);
}

static void empty_token(void)
{
	CK_TOKEN_INFO info;
	CK_SESSION_HANDLE h;

	initialize();
	CK_SLOT_ID empty = empty_slot();
	OK(p->C_GetTokenInfo(empty, &info));
	CHECK((info.flags & (CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED | CKF_LOGIN_REQUIRED)) == 0);
	ONE_OF(p->C_OpenSession(empty, CKF_SERIAL_SESSION, NULL, NULL, &h), CKR_TOKEN_NOT_RECOGNIZED, CKR_TOKEN_NOT_INITIALIZED);
}

static void initialize_again(void)
{
	CK_TOKEN_INFO info;
	CK_UTF8CHAR label[32];
	CK_SESSION_HANDLE h = begin_user();

	memset(label, ' ', sizeof label);
	memcpy(label, "renamed", 7);
	make_data(h, "before", yes);
	IS(p->C_InitToken(slot, PIN(SO_PIN), label), CKR_SESSION_EXISTS);
	OK(p->C_CloseAllSessions(slot));
	IS(p->C_InitToken(slot, PIN("wrong pin"), label), CKR_PIN_INCORRECT);
	OK(p->C_InitToken(slot, PIN(SO_PIN), label));
	OK(p->C_GetTokenInfo(slot, &info));
	CHECK(padded(info.label, sizeof info.label, "renamed"));
	CHECK((info.flags & CKF_TOKEN_INITIALIZED) && !(info.flags & CKF_USER_PIN_INITIALIZED));
	h = open_session(CKF_RW_SESSION);
	EQUAL(count_label(h, "before"), 0);
	IS(p->C_Login(h, CKU_USER, PIN(USER_PIN)), CKR_USER_PIN_NOT_INITIALIZED);
	OK(p->C_Login(h, CKU_SO, PIN(SO_PIN)));
}

/* Programs look for a new token by its label, in this process and in the next. */
static void second_token(void)
{
	begin();
	CK_SLOT_ID fresh = empty_slot(), first = slot;
	OK(p->C_InitToken(fresh, PIN("another SO"), (CK_UTF8CHAR *)"second                          "));
	EQUAL(find_token("second"), fresh);
	EQUAL(find_token(TOKEN_LABEL), first);
	CHECK(empty_slot() != fresh);
	OK(p->C_Finalize(NULL));
	initialize();
	EQUAL(find_token("second"), fresh);
}

const struct test slot_tests[] = {
	{"make-token", "C_InitToken and C_InitPIN make a token", make_token},
	{"slot-list", "C_GetSlotList counts, refuses a short list with the count, and fills", slot_list},
	{"texts", "text fields are padded with blanks and hold no NUL", texts},
	{"no-such-slot", "an unknown slot is CKR_SLOT_ID_INVALID everywhere", no_such_slot},
	{"mechanism-list", "every mechanism listed has information, serves something, and is not called hardware", mechanisms},
	{"empty-token", "an uninitialized token says so and has no sessions", empty_token},
	{"initialize-token-again", "C_InitToken needs the SO PIN and no session, empties the token and its user PIN", initialize_again},
	{"second-token", "a second token gets its own slot, the same in the next process", second_token},
	{NULL, NULL, NULL},
};
