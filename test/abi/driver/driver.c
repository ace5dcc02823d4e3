#include "driver.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdlib.h>

CK_FUNCTION_LIST_3_2 *p;
CK_C_GetFunctionList get_function_list;
CK_C_GetInterfaceList get_interface_list;
CK_C_GetInterface get_interface;
const char *module_path;

static int failures;

static const struct test *const tables[] = {
	interface_tests, lifecycle_tests, null_tests, slot_tests, pin_tests, session_tests,
	object_tests, attribute_tests, policy_tests, search_tests, template_tests, operation_tests, dual_tests,
	output_tests, signing_tests, encryption_tests, wrapping_tests, authenticated_tests, deriving_tests, injecting_tests, encapsulating_tests, mldsa_tests,
	process_tests, thread_tests, edge_tests, provider_tests, ncrypt_attribute_tests, ncrypt_blob_tests,
};

void fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	fflush(stdout);
	failures++;
}

CK_RV check_rv(const char *file, int line, const char *call, CK_RV got, const char *text, CK_RV want)
{
	if (got != want)
		fail("%s:%d: %s: CKR_%#lx, want %s", file, line, call, got, text);
	return got;
}

CK_RV check_either(const char *file, int line, const char *call, CK_RV got, const char *text, CK_RV a, CK_RV b)
{
	return check_rv(file, line, call, got, text, got == b ? b : a);
}

CK_RV check_failure(const char *file, int line, const char *call, CK_RV got)
{
	if (got == CKR_OK || got == CKR_GENERAL_ERROR || got == CKR_DEVICE_ERROR)
		fail("%s:%d: %s: CKR_%#lx, want an error that says what is wrong", file, line, call, got);
	return got;
}

void need_rv(const char *file, int line, const char *call, CK_RV got)
{
	if (check_rv(file, line, call, got, "CKR_OK", CKR_OK) != CKR_OK)
		exit(1);
}

bool check_true(const char *file, int line, const char *text, bool got)
{
	if (!got)
		fail("%s:%d: not so: %s", file, line, text);
	return got;
}

bool check_equal(const char *file, int line, const char *a, unsigned long got, const char *b, unsigned long want)
{
	if (got != want)
		fail("%s:%d: %s is %#lx, want %s, which is %#lx", file, line, a, got, b, want);
	return got == want;
}

/* ISO C has no cast from an object pointer to a function pointer. */
static void symbol(void *library, const char *name, void *function)
{
	void *found = dlsym(library, name);

	if (found == NULL) {
		fail("%s", dlerror());
		exit(1);
	}
	memcpy(function, &found, sizeof found);
}

void load(void)
{
	void *library = dlopen(module_path, RTLD_NOW | RTLD_LOCAL);
	CK_INTERFACE *found = NULL;

	if (library == NULL) {
		fail("%s", dlerror());
		exit(1);
	}
	symbol(library, "C_GetFunctionList", &get_function_list);
	symbol(library, "C_GetInterfaceList", &get_interface_list);
	symbol(library, "C_GetInterface", &get_interface);
	NEED(get_interface(NULL, &(CK_VERSION){3, 2}, &found, 0));
	p = found->pFunctionList;
}

static const struct test *find(const char *name)
{
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		for (const struct test *t = tables[i]; t->name != NULL; t++)
			if (strcmp(t->name, name) == 0)
				return t;
	return NULL;
}

static void list(void)
{
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		for (const struct test *t = tables[i]; t->name != NULL; t++)
			printf("%s\t%s\n", t->name, t->sentence);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		list();
		return 0;
	}
	const struct test *t = argc == 3 ? find(argv[2]) : NULL;
	if (t == NULL) {
		fprintf(stderr, "usage: driver --list | driver MODULE CASE\n");
		return 2;
	}
	module_path = argv[1];
	load();
	t->run();
	if (failures > 0)
		printf("what should be so: %s\n", t->sentence);
	return failures > 0;
}
