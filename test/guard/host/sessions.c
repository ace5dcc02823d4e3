/* The library, its slots, sessions and logins. */
#include "host.h"

#include <string.h>

static CK_RV initialize(struct line *l)
{
	CK_C_INITIALIZE_ARGS args = {NULL, NULL, NULL, NULL, CKF_OS_LOCKING_OK, NULL};

	(void)l;
	return p->C_Initialize(&args);
}

static CK_RV finalize(struct line *l)
{
	(void)l;
	return p->C_Finalize(NULL);
}

/* slots: each slot's number, its token's flags and label */
static CK_RV slots(struct line *l)
{
	CK_SLOT_ID list[64];
	CK_ULONG count = 64;
	CK_RV rv = p->C_GetSlotList(CK_FALSE, list, &count);

	(void)l;
	for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++) {
		CK_TOKEN_INFO info;
		CK_SLOT_INFO about;
		rv = p->C_GetSlotInfo(list[i], &about);
		if (rv == CKR_OK)
			rv = p->C_GetTokenInfo(list[i], &info);
		if (rv != CKR_OK)
			break;
		tell_number(list[i]);
		tell_number(info.flags);
		tell_bytes(info.label, sizeof info.label);
	}
	return rv;
}

/* init-token SLOT PIN LABEL */
static CK_RV init_token(struct line *l)
{
	CK_SLOT_ID slot = number(l);
	struct bytes pin = bytes(l), label = bytes(l);
	CK_UTF8CHAR padded[32];

	memset(padded, ' ', sizeof padded);
	memcpy(padded, label.at, label.length < sizeof padded ? label.length : sizeof padded);
	return p->C_InitToken(slot, pin.at, pin.length, padded);
}

/* open SLOT FLAGS */
static CK_RV open_session(struct line *l)
{
	CK_SESSION_HANDLE h = CK_INVALID_HANDLE;
	CK_SLOT_ID slot = number(l);
	CK_RV rv = p->C_OpenSession(slot, number(l), NULL, NULL, &h);

	tell_number(h);
	return rv;
}

static CK_RV close_session(struct line *l)
{
	return p->C_CloseSession(number(l));
}

/* login SESSION USER PIN */
static CK_RV login(struct line *l)
{
	CK_SESSION_HANDLE h = number(l);
	CK_USER_TYPE user = number(l);
	struct bytes pin = bytes(l);

	return p->C_Login(h, user, pin.at, pin.length);
}

static CK_RV logout(struct line *l)
{
	return p->C_Logout(number(l));
}

/* set-pin SESSION OLD NEW */
static CK_RV set_pin(struct line *l)
{
	CK_SESSION_HANDLE h = number(l);
	struct bytes old = bytes(l), new = bytes(l);

	return p->C_SetPIN(h, old.at, old.length, new.at, new.length);
}

/* init-pin SESSION PIN */
static CK_RV init_pin(struct line *l)
{
	CK_SESSION_HANDLE h = number(l);
	struct bytes pin = bytes(l);

	return p->C_InitPIN(h, pin.at, pin.length);
}

const struct verb session_verbs[] = {
	{"initialize", initialize}, {"finalize", finalize}, {"slots", slots}, {"init-token", init_token},
	{"open", open_session}, {"close", close_session}, {"login", login}, {"logout", logout},
	{"set-pin", set_pin}, {"init-pin", init_pin},
	{NULL, NULL},
};
