/* Loads the library named by the first argument, and tries its tables and stubs. It exports a C_Sign of its own: another module's. */
#define _GNU_SOURCE
#include "functions_gen.h"
#include "shim/shim.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define EXPECT(condition) do { \
	if (!(condition)) { \
		fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
		failed = 1; \
	} \
} while (0)

static int failed;

struct state {
	int allowed;
	int enter_result;
	int entered;
	int left;
	const CK_FUNCTION_LIST_3_2 *copy;
};

CK_RV C_Sign(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pSignature, CK_ULONG_PTR pulSignatureLen)
{
	(void)hSession, (void)pData, (void)ulDataLen, (void)pSignature, (void)pulSignatureLen;
	return CKR_VENDOR_DEFINED;
}

static void tables(void *library, const CK_INTERFACE *interfaces)
{
	static const struct { CK_VERSION version; size_t functions; } want[] = {{{3, 2}, 104}, {{3, 0}, 92}, {{2, 40}, 68}};
	static const char *const names[] = {
#define NAME(function) #function,
		NCRYPT11_FUNCTIONS(NAME)
	};
	for (int i = 0; i < 3; i++) {
		const CK_VERSION *version = interfaces[i].pFunctionList;
		void *const *slots = interfaces[i].pFunctionList;
		EXPECT(strcmp((const char *)interfaces[i].pInterfaceName, "PKCS 11") == 0);
		EXPECT(interfaces[i].flags == 0);
		EXPECT(version->major == want[i].version.major && version->minor == want[i].version.minor);
		for (size_t slot = 1; slot <= want[i].functions; slot++) {
			if (slots[slot] != dlsym(library, names[slot - 1])) {
				fprintf(stderr, "list %d, slot %zu is not this library's %s\n", i, slot, names[slot - 1]);
				failed = 1;
			}
		}
	}
}

static void stubs(const CK_FUNCTION_LIST_3_2 *list, struct state *state)
{
	CK_BYTE data[] = {7};
	CK_ULONG length = 0;

	state->enter_result = SHIM_OK;
	EXPECT(list->C_Sign(100, data, 20, NULL, &length) == CKR_CRYPTOKI_NOT_INITIALIZED);
	EXPECT(list->C_Logout(1) == CKR_CRYPTOKI_NOT_INITIALIZED);
	EXPECT(list->C_CancelFunction(1) == CKR_CRYPTOKI_NOT_INITIALIZED);
	EXPECT(state->entered == 0 && length == 0);

	state->allowed = 1;
	EXPECT(list->C_Sign(100, data, 20, NULL, &length) == CKR_PIN_EXPIRED);
	EXPECT(length == 127 && state->entered == 1 && state->left == 1);
	EXPECT(list->C_Logout(1) == CKR_FUNCTION_NOT_SUPPORTED);
	EXPECT(list->C_CancelFunction(1) == CKR_FUNCTION_NOT_PARALLEL);
	EXPECT(list->C_GetFunctionStatus(1) == CKR_FUNCTION_NOT_PARALLEL);
	EXPECT(state->entered == 1 && state->left == 1);

	state->enter_result = SHIM_NOT_RUNNING;
	EXPECT(list->C_Sign(100, data, 20, NULL, &length) == CKR_CRYPTOKI_NOT_INITIALIZED);
	state->enter_result = SHIM_NO_MEMORY;
	EXPECT(list->C_Sign(100, data, 20, NULL, &length) == CKR_HOST_MEMORY);
	EXPECT(state->left == 1);
}

static CK_RV copy_logout(CK_SESSION_HANDLE hSession) { return hSession; }

static void forwarding(const CK_FUNCTION_LIST_3_2 *list, struct state *state)
{
	CK_FUNCTION_LIST_3_2 copy = {.C_Sign = C_Sign, .C_Logout = copy_logout, .C_CancelFunction = copy_logout};
	state->copy = &copy;
	state->allowed = 0;
	EXPECT(list->C_Sign(0, NULL, 0, NULL, NULL) == CKR_VENDOR_DEFINED);
	EXPECT(list->C_Logout(11) == 11);
	EXPECT(list->C_CancelFunction(12) == 12);
	EXPECT(state->left == 1);
}

int main(int argc, char **argv)
{
	void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL) : NULL;
	if (library == NULL) {
		fprintf(stderr, "%s\n", argc == 2 ? dlerror() : "usage: program LIBRARY");
		return 2;
	}
	CK_C_GetInterfaceList get = (CK_C_GetInterfaceList)dlsym(library, "C_GetInterfaceList");
	CK_INTERFACE interfaces[5];
	CK_ULONG count = 0;
	EXPECT(get(interfaces, &count) == CKR_OK && count == 5);

	tables(library, interfaces);
	const CK_FUNCTION_LIST_3_2 *list = interfaces[0].pFunctionList;
	struct state state = {0};
	list->C_Initialize(&state);
	stubs(list, &state);
	forwarding(list, &state);
	return failed;
}
