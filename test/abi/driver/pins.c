/* PINs and login. */
#include "driver.h"

static void init_pin(void)
{
	CK_SESSION_HANDLE h = begin_user();

	IS(p->C_InitPIN(h, PIN("9999")), CKR_USER_NOT_LOGGED_IN);
	OK(p->C_Logout(h));
	IS(p->C_InitPIN(h, PIN("9999")), CKR_USER_NOT_LOGGED_IN);
	OK(p->C_Login(h, CKU_SO, PIN(SO_PIN)));
	IS(p->C_InitPIN(h, PIN("1")), CKR_PIN_LEN_RANGE);
	OK(p->C_InitPIN(h, PIN("9999")));
	OK(p->C_Logout(h));
	IS(p->C_Login(h, CKU_USER, PIN(USER_PIN)), CKR_PIN_INCORRECT);
	OK(p->C_Login(h, CKU_USER, PIN("9999")));
}

static void set_pin(void)
{
	begin();
	CK_SESSION_HANDLE ro = open_session(0);
	IS(p->C_SetPIN(ro, PIN(USER_PIN), PIN("5678")), CKR_SESSION_READ_ONLY);
	CK_SESSION_HANDLE h = open_session(CKF_RW_SESSION);
	IS(p->C_SetPIN(h, PIN("bad pin"), PIN("5678")), CKR_PIN_INCORRECT);
	IS(p->C_SetPIN(h, PIN(USER_PIN), PIN("1")), CKR_PIN_LEN_RANGE);
	OK(p->C_SetPIN(h, PIN(USER_PIN), PIN("5678")));
	IS(p->C_Login(h, CKU_USER, PIN(USER_PIN)), CKR_PIN_INCORRECT);
	OK(p->C_Login(h, CKU_USER, PIN("5678")));
	OK(p->C_SetPIN(h, PIN("5678"), PIN(USER_PIN)));
	OK(p->C_Logout(h));
	OK(p->C_Login(h, CKU_USER, PIN(USER_PIN)));
	OK(p->C_Logout(h));
	OK(p->C_CloseSession(ro));
	OK(p->C_Login(h, CKU_SO, PIN(SO_PIN)));
	OK(p->C_SetPIN(h, PIN(SO_PIN), PIN("new SO pin")));
	OK(p->C_Logout(h));
	IS(p->C_Login(h, CKU_SO, PIN(SO_PIN)), CKR_PIN_INCORRECT);
	OK(p->C_Login(h, CKU_SO, PIN("new SO pin")));
}

/* The token has the default limit of ten wrong PINs. */
static void lockout(void)
{
	const CK_FLAGS all = CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED;

	begin();
	CK_SESSION_HANDLE h = open_session(CKF_RW_SESSION);
	EQUAL(token_flags() & all, 0);
	IS(p->C_Login(h, CKU_USER, PIN("wrong")), CKR_PIN_INCORRECT);
	EQUAL(token_flags() & all, CKF_USER_PIN_COUNT_LOW);
	OK(p->C_Login(h, CKU_USER, PIN(USER_PIN)));
	EQUAL(token_flags() & all, 0);
	OK(p->C_Logout(h));
	for (int i = 0; i < 9; i++)
		IS(p->C_Login(h, CKU_USER, PIN("wrong")), CKR_PIN_INCORRECT);
	CHECK((token_flags() & CKF_USER_PIN_FINAL_TRY) != 0);
	IS(p->C_Login(h, CKU_USER, PIN("wrong")), CKR_PIN_INCORRECT);
	CHECK((token_flags() & CKF_USER_PIN_LOCKED) != 0);
	IS(p->C_Login(h, CKU_USER, PIN(USER_PIN)), CKR_PIN_LOCKED);
	IS(p->C_SetPIN(h, PIN(USER_PIN), PIN("5678")), CKR_PIN_LOCKED);
	OK(p->C_Finalize(NULL));

	begin(); /* still locked, and the officer unlocks */
	h = open_session(CKF_RW_SESSION);
	IS(p->C_Login(h, CKU_USER, PIN(USER_PIN)), CKR_PIN_LOCKED);
	OK(p->C_Login(h, CKU_SO, PIN(SO_PIN)));
	OK(p->C_InitPIN(h, PIN("5678")));
	EQUAL(token_flags() & all, 0);
	OK(p->C_Logout(h));
	OK(p->C_Login(h, CKU_USER, PIN("5678")));
}

static void so_lockout(void)
{
	begin();
	CK_SESSION_HANDLE h = open_session(CKF_RW_SESSION);
	for (int i = 0; i < 10; i++)
		IS(p->C_Login(h, CKU_SO, PIN("wrong")), CKR_PIN_INCORRECT);
	IS(p->C_Login(h, CKU_SO, PIN(SO_PIN)), CKR_PIN_LOCKED);
	CHECK((token_flags() & CKF_SO_PIN_LOCKED) != 0);
	OK(p->C_CloseSession(h));
	IS(p->C_InitToken(slot, PIN(SO_PIN), (CK_UTF8CHAR *)"                                "), CKR_PIN_LOCKED);
	h = open_session(CKF_RW_SESSION);
	OK(p->C_Login(h, CKU_USER, PIN(USER_PIN)));
}

static void shared_login(void)
{
	CK_SESSION_HANDLE rw = begin_user();
	CK_SESSION_HANDLE ro = open_session(0);

	EQUAL(state_of(rw), CKS_RW_USER_FUNCTIONS);
	EQUAL(state_of(ro), CKS_RO_USER_FUNCTIONS);
	IS(p->C_Login(ro, CKU_USER, PIN(USER_PIN)), CKR_USER_ALREADY_LOGGED_IN);
	IS(p->C_Login(rw, CKU_SO, PIN(SO_PIN)), CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
	IS(p->C_Login(rw, 99, PIN(USER_PIN)), CKR_USER_TYPE_INVALID);
	OK(p->C_Logout(ro));
	EQUAL(state_of(rw), CKS_RW_PUBLIC_SESSION);
	EQUAL(state_of(ro), CKS_RO_PUBLIC_SESSION);
	IS(p->C_Logout(rw), CKR_USER_NOT_LOGGED_IN);
}

/* PKCS #11 v3.2 lets read-only sessions stay open, and NSS needs it. */
static void officer(void)
{
	begin();
	CK_SESSION_HANDLE ro = open_session(0), rw = open_session(CKF_RW_SESSION);
	OK(p->C_Login(rw, CKU_SO, PIN(SO_PIN)));
	EQUAL(state_of(rw), CKS_RW_SO_FUNCTIONS);
	EQUAL(state_of(ro), CKS_RO_PUBLIC_SESSION);
	IS(p->C_Login(rw, CKU_USER, PIN(USER_PIN)), CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
}

static void last_session(void)
{
	CK_SESSION_HANDLE h = begin_user();

	OK(p->C_CloseSession(h));
	h = open_session(0);
	EQUAL(state_of(h), CKS_RO_PUBLIC_SESSION);
	OK(p->C_Login(h, CKU_USER, PIN(USER_PIN)));
	OK(p->C_CloseAllSessions(slot));
	h = open_session(0);
	EQUAL(state_of(h), CKS_RO_PUBLIC_SESSION);
}

static void any_bytes(void)
{
	CK_UTF8CHAR longest[255], longer[256];
	CK_SESSION_HANDLE h = begin_user();

	memset(longest, 0xe9, sizeof longest);
	memset(longer, 'x', sizeof longer);
	OK(p->C_SetPIN(h, PIN(USER_PIN), PIN("12\00034")));
	OK(p->C_Logout(h));
	IS(p->C_Login(h, CKU_USER, PIN("12")), CKR_PIN_INCORRECT);
	OK(p->C_Login(h, CKU_USER, PIN("12\00034")));
	OK(p->C_SetPIN(h, PIN("12\00034"), longest, sizeof longest));
	IS(p->C_SetPIN(h, longest, sizeof longest, longer, sizeof longer), CKR_PIN_LEN_RANGE);
	OK(p->C_SetPIN(h, longest, sizeof longest, PIN("p\xc3\xa4ssword")));
	OK(p->C_Logout(h));
	OK(p->C_Login(h, CKU_USER, PIN("p\xc3\xa4ssword")));
}

static void login_user(void)
{
	begin();
	CK_SESSION_HANDLE h = open_session(0);
	OK(p->C_LoginUser(h, CKU_USER, PIN(USER_PIN), NULL, 0));
	EQUAL(state_of(h), CKS_RO_USER_FUNCTIONS);
	IS(p->C_LoginUser(h, CKU_USER, PIN(USER_PIN), NULL, 0), CKR_USER_ALREADY_LOGGED_IN);
}

const struct test pin_tests[] = {
	{"init-pin", "C_InitPIN is the security officer's, and sets the user's PIN", init_pin},
	{"set-pin", "C_SetPIN needs a read-write session and the old PIN, and changes the PIN of who is logged in", set_pin},
	{"lockout", "wrong PINs are counted, shown and at last locked; a right one clears them; the officer unlocks", lockout},
	{"so-lockout", "the officer's PIN locks too, and C_InitToken is no way around it", so_lockout},
	{"shared-login", "a login and a logout count for all sessions of the process", shared_login},
	{"officer-login", "the officer may log in while read-only sessions are open, which stay public", officer},
	{"last-session", "the login goes with the last session", last_session},
	{"pin-bytes", "a PIN is bytes: NUL, 255 of them, UTF-8", any_bytes},
	{"login-user", "C_LoginUser without a name is C_Login", login_user},
	{NULL, NULL, NULL},
};
