/*
 * A program that drives the NCrypt functions as C programs do, through the table of C_GetInterface("Vendor NCrypt"). Each case runs in a process and a home of
 * its own:
 *
 *	driver --list
 *	driver MODULE CASE
 *
 * A check that fails says so and the case goes on; NEED ends it.
 */
#ifndef DRIVER_H
#define DRIVER_H

#include "../../../include/ncrypt.h"
#include "../../../p11.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* A case has a name to run it by and a sentence that it proves. */
struct test {
	const char *name, *sentence;
	void (*run)(void);
};

extern const struct test life_tests[], handle_tests[], null_tests[], enumerate_tests[], edge_tests[], process_tests[], card_tests[], postquantum_tests[];

#define IS(call, want) check(__FILE__, __LINE__, #call, (call), #want, (want))
#define OK(call) IS(call, ERROR_SUCCESS)
#define NEED(call) need(__FILE__, __LINE__, #call, (call))
#define CHECK(condition) check_true(__FILE__, __LINE__, #condition, (condition))

void check(const char *file, int line, const char *call, SECURITY_STATUS got, const char *text, SECURITY_STATUS want);
void need(const char *file, int line, const char *call, SECURITY_STATUS got);
void check_true(const char *file, int line, const char *text, bool got);
void fail(const char *format, ...);

#define NULL_POINTER HRESULT_FROM_WIN32(RPC_X_NULL_REF_POINTER)

/* The module: both interfaces of it. */
extern const NCRYPT11_FUNCTION_LIST *n;
extern const CK_FUNCTION_LIST_3_2 *p;
extern CK_C_GetInterface get_interface;
extern void *library;

NCRYPT_PROV_HANDLE open_provider(void);
NCRYPT_KEY_HANDLE make_key(NCRYPT_PROV_HANDLE provider, LPCWSTR algorithm, LPCWSTR name); /* and finalizes it */
NCRYPT_KEY_HANDLE make_exportable(NCRYPT_PROV_HANDLE provider, LPCWSTR algorithm);

/* Memory of which not one byte behind may be touched. It is never given back. */
void *edge(size_t size);
void *at_edge(const void *data, size_t size);

size_t length(LPCWSTR text); /* in bytes, with the NUL */

#endif
