/* C_GetFunctionList, C_GetInterfaceList, C_GetInterface: before C_Initialize. */
#include "driver.h"

#define FUNCTIONS_2_40 68
#define FUNCTIONS_3_0 92
#define FUNCTIONS_3_2 104

/* A list as an array of pointers, after the version and its padding. */
static void *entry(const void *list, size_t i)
{
	void *function;

	memcpy(&function, (const char *)list + (i + 1) * sizeof function, sizeof function);
	return function;
}

static void check_list(const void *list, size_t functions, int major, int minor)
{
	CK_VERSION version;

	memcpy(&version, list, sizeof version);
	EQUAL(version.major, major);
	EQUAL(version.minor, minor);
	for (size_t i = 0; i < functions; i++)
		if (entry(list, i) == NULL)
			fail("the list of version %d.%d has no function %zu", major, minor, i);
}

static void function_list(void)
{
	CK_FUNCTION_LIST *list = NULL;

	OK(get_function_list(&list));
	check_list(list, FUNCTIONS_2_40, 2, 40);
	IS(get_function_list(NULL), CKR_ARGUMENTS_BAD);
}

static void interface_list(void)
{
	static const struct {
		const char *name;
		CK_VERSION version;
	} want[] = {{"PKCS 11", {3, 2}}, {"PKCS 11", {3, 0}}, {"PKCS 11", {2, 40}}, {"Vendor NCrypt", {1, 0}}, {"Vendor Minidriver", {1, 0}}};
	CK_INTERFACE found[8];
	CK_ULONG count = 0;

	IS(get_interface_list(NULL, NULL), CKR_ARGUMENTS_BAD);
	OK(get_interface_list(NULL, &count));
	EQUAL(count, 5);
	count--;
	IS(get_interface_list(found, &count), CKR_BUFFER_TOO_SMALL);
	EQUAL(count, 5);
	OK(get_interface_list(found, &count));
	for (CK_ULONG i = 0; i < count && i < 5; i++) {
		CHECK(strcmp((char *)found[i].pInterfaceName, want[i].name) == 0);
		EQUAL(found[i].flags, 0);
		CHECK(memcmp(found[i].pFunctionList, &want[i].version, sizeof want[i].version) == 0);
	}
}

static void default_interface(void)
{
	CK_INTERFACE *any = NULL, *named = NULL, *again = NULL;

	OK(get_interface(NULL, NULL, &any, 0));
	OK(get_interface((CK_UTF8CHAR *)"PKCS 11", NULL, &named, 0));
	OK(get_interface(NULL, NULL, &again, 0));
	CHECK(any == named && any == again);
	IS(get_interface(NULL, NULL, NULL, 0), CKR_ARGUMENTS_BAD);
}

static void interface_versions(void)
{
	static const struct {
		CK_VERSION version;
		size_t functions;
	} have[] = {{{2, 40}, FUNCTIONS_2_40}, {{3, 0}, FUNCTIONS_3_0}, {{3, 2}, FUNCTIONS_3_2}};
	CK_INTERFACE *found = NULL;

	for (size_t i = 0; i < 3; i++) {
		CK_VERSION version = have[i].version;
		OK(get_interface((CK_UTF8CHAR *)"PKCS 11", &version, &found, 0));
		check_list(found->pFunctionList, have[i].functions, version.major, version.minor);
	}
	FAILS(get_interface((CK_UTF8CHAR *)"PKCS 11", &(CK_VERSION){3, 7}, &found, 0));
	FAILS(get_interface((CK_UTF8CHAR *)"Vendor NSS FIPS Interface", NULL, &found, 0));
	FAILS(get_interface((CK_UTF8CHAR *)"", NULL, &found, 0));
}

static void fork_safe(void)
{
	CK_INTERFACE *found = NULL;

	FAILS(get_interface((CK_UTF8CHAR *)"PKCS 11", NULL, &found, CKF_INTERFACE_FORK_SAFE));
	OK(get_interface((CK_UTF8CHAR *)"PKCS 11", NULL, &found, 0));
}

/* NSS calls one session through two lists. */
static void lists_agree(void)
{
	CK_FUNCTION_LIST *old = NULL;
	CK_INTERFACE *v3_0 = NULL;
	CK_SESSION_INFO info;
	CK_SESSION_HANDLE h = CK_INVALID_HANDLE;

	OK(get_function_list(&old));
	OK(get_interface(NULL, &(CK_VERSION){3, 0}, &v3_0, 0));
	begin();
	for (size_t i = 0; i < FUNCTIONS_2_40; i++)
		if (entry(old, i) != entry(p, i) || entry(v3_0->pFunctionList, i) != entry(p, i))
			fail("function %zu differs between the lists", i);
	NEED(old->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &h));
	OK(p->C_GetSessionInfo(h, &info));
	OK(p->C_SessionCancel(h, 0));
	OK(old->C_CloseSession(h));
}

const struct test interface_tests[] = {
	{"function-list", "C_GetFunctionList gives 68 functions of version 2.40 before C_Initialize", function_list},
	{"interface-list", "C_GetInterfaceList gives versions 3.2, 3.0 and 2.40, and NCrypt's functions, by the two-call convention", interface_list},
	{"default-interface", "the interface without a name, and without a version, is always the same one", default_interface},
	{"interface-versions", "each version asked for gives exactly that list; others give an error", interface_versions},
	{"fork-safe", "no interface claims to be safe over fork", fork_safe},
	{"lists-agree", "a session opened through one list can be used through another", lists_agree},
	{NULL, NULL, NULL},
};
