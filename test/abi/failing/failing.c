/*
 * failing MODULE CALL: a program that makes one call fail, in the first slot
 * with a token.
 *
 *	template    C_GenerateKey of an AES key without CKA_VALUE_LEN
 *	pin         C_Login with a wrong PIN
 *	ordinary    calls whose failure is no news, after that of "template"
 *	raised      "template" with a real user that is not the effective one
 *	limited     "template" where no file may be written, and a write is a signal
 */
#include "../../../p11.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define CHECK(condition) ((condition) ? (void)0 : fail(__LINE__, #condition))

static void fail(int line, const char *what)
{
	fprintf(stderr, "line %d: %s\n", line, what);
	exit(1);
}

static CK_FUNCTION_LIST_PTR p;
static CK_SESSION_HANDLE session;
static CK_SLOT_ID empty;

static void open_session(const char *module)
{
	CK_RV (*list)(CK_FUNCTION_LIST_PTR_PTR);
	CK_ULONG count = 1;
	CK_SLOT_ID slot;
	void *library = dlopen(module, RTLD_NOW);

	CHECK(library != NULL);
	*(void **)&list = dlsym(library, "C_GetFunctionList");
	CHECK(list != NULL && list(&p) == CKR_OK && p->C_Initialize(NULL) == CKR_OK);
	CK_RV rv = p->C_GetSlotList(CK_TRUE, &slot, &count);
	CHECK(rv == CKR_OK || rv == CKR_BUFFER_TOO_SMALL);
	CK_SLOT_ID *slots = calloc(count, sizeof *slots);
	CHECK(slots != NULL && p->C_GetSlotList(CK_TRUE, slots, &count) == CKR_OK && count > 1);
	slot = slots[0];
	empty = slots[count - 1];
	free(slots);
	CHECK(p->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session) == CKR_OK);
}

static void bad_template(void)
{
	CK_MECHANISM mechanism = {CKM_AES_KEY_GEN, NULL, 0};
	char label[] = "marmalade";
	CK_ATTRIBUTE template[] = {{CKA_LABEL, label, sizeof label - 1}};
	CK_OBJECT_HANDLE key;

	CHECK(p->C_GenerateKey(session, &mechanism, template, 1, &key) == CKR_TEMPLATE_INCOMPLETE);
}

int main(int argc, char **argv)
{
	CHECK(argc == 3);
	if (strcmp(argv[2], "raised") == 0)
		CHECK(setresuid(65534, 0, 0) == 0);
	open_session(argv[1]);
	if (strcmp(argv[2], "limited") == 0)
		CHECK(setrlimit(RLIMIT_FSIZE, &(struct rlimit){0, 0}) == 0);
	if (strcmp(argv[2], "pin") == 0) {
		CHECK(p->C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR) "marmalade", 9) == CKR_PIN_INCORRECT);
		return 0;
	}
	bad_template();
	if (strcmp(argv[2], "ordinary") == 0) {
		CK_BYTE data[1];
		CK_ULONG length = sizeof data;
		CK_ATTRIBUTE label = {CKA_LABEL, NULL, 0};
		CHECK(p->C_GetAttributeValue(session, 12345678, &label, 1) == CKR_OBJECT_HANDLE_INVALID);
		CHECK(p->C_Sign(session, data, sizeof data, data, &length) == CKR_OPERATION_NOT_INITIALIZED);
		CHECK(p->C_OpenSession(empty, CKF_SERIAL_SESSION, NULL, NULL, &session) == CKR_TOKEN_NOT_RECOGNIZED);
		CHECK(p->C_Logout(session) == CKR_USER_NOT_LOGGED_IN);
	}
	return 0;
}
