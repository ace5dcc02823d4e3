#include "driver.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

const NCRYPT11_FUNCTION_LIST *n;
const CK_FUNCTION_LIST_3_2 *p;
CK_C_GetInterface get_interface;
void *library;

static int failures;

static const struct test *const tables[] = {life_tests, handle_tests, null_tests, enumerate_tests, edge_tests, process_tests, card_tests, postquantum_tests};

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

void check(const char *file, int line, const char *call, SECURITY_STATUS got, const char *text, SECURITY_STATUS want)
{
	if (got != want)
		fail("%s:%d: %s: %#x, want %s", file, line, call, (unsigned)got, text);
}

void need(const char *file, int line, const char *call, SECURITY_STATUS got)
{
	check(file, line, call, got, "success", ERROR_SUCCESS);
	if (got != ERROR_SUCCESS)
		exit(1);
}

void check_true(const char *file, int line, const char *text, bool got)
{
	if (!got)
		fail("%s:%d: not so: %s", file, line, text);
}

void *edge(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (size + page - 1) / page * page;
	char *memory = mmap(NULL, pages + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED || mprotect(memory + pages, page, PROT_NONE) != 0) {
		fail("no memory");
		exit(1);
	}
	return memory + pages - size;
}

void *at_edge(const void *data, size_t size)
{
	return memcpy(edge(size), data, size);
}

size_t length(LPCWSTR text)
{
	size_t i = 0;

	while (text[i] != 0)
		i++;
	return 2 * (i + 1);
}

NCRYPT_PROV_HANDLE open_provider(void)
{
	NCRYPT_PROV_HANDLE provider = 0;

	NEED(n->NCryptOpenStorageProvider(&provider, MS_KEY_STORAGE_PROVIDER, 0));
	return provider;
}

NCRYPT_KEY_HANDLE make_key(NCRYPT_PROV_HANDLE provider, LPCWSTR algorithm, LPCWSTR name)
{
	NCRYPT_KEY_HANDLE key = 0;

	NEED(n->NCryptCreatePersistedKey(provider, &key, algorithm, name, 0, 0));
	NEED(n->NCryptFinalizeKey(key, 0));
	return key;
}

NCRYPT_KEY_HANDLE make_exportable(NCRYPT_PROV_HANDLE provider, LPCWSTR algorithm)
{
	NCRYPT_KEY_HANDLE key = 0;
	DWORD policy = NCRYPT_ALLOW_EXPORT_FLAG | NCRYPT_ALLOW_PLAINTEXT_EXPORT_FLAG;

	NEED(n->NCryptCreatePersistedKey(provider, &key, algorithm, NULL, 0, 0));
	NEED(n->NCryptSetProperty(key, NCRYPT_EXPORT_POLICY_PROPERTY, (PBYTE)&policy, sizeof policy, 0));
	NEED(n->NCryptFinalizeKey(key, 0));
	return key;
}

static void load(const char *path)
{
	CK_INTERFACE *found = NULL;

	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (library == NULL) {
		fail("%s", dlerror());
		exit(1);
	}
	void *symbol = dlsym(library, "C_GetInterface");
	memcpy(&get_interface, &symbol, sizeof symbol);
	NEED(get_interface(NULL, &(CK_VERSION){3, 2}, &found, 0));
	p = found->pFunctionList;
	NEED(get_interface((CK_UTF8CHAR *)NCRYPT11_INTERFACE, NULL, &found, 0));
	n = found->pFunctionList;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		for (const struct test *t = tables[i]; t->name != NULL; t++) {
			if (argc == 2 && strcmp(argv[1], "--list") == 0)
				printf("%s\t%s\n", t->name, t->sentence);
			if (argc != 3 || strcmp(argv[2], t->name) != 0)
				continue;
			load(argv[1]);
			t->run();
			if (failures > 0)
				printf("what should be so: %s\n", t->sentence);
			return failures > 0;
		}
	return argc != 2;
}
