/*
 * A program that drives the module as C programs do: through dlopen and the
 * function lists only. Each case runs in a process and a home of its own:
 *
 *	driver --list
 *	driver MODULE CASE
 *
 * A check that fails says so and the case goes on; NEED ends it.
 */
#ifndef DRIVER_H
#define DRIVER_H

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

/* One table for each file of cases, ended by a row of zeros. */
extern const struct test interface_tests[], lifecycle_tests[], null_tests[], slot_tests[], pin_tests[], session_tests[];
extern const struct test object_tests[], attribute_tests[], policy_tests[], search_tests[], template_tests[], operation_tests[], dual_tests[];
extern const struct test output_tests[], signing_tests[], encryption_tests[], wrapping_tests[], authenticated_tests[], deriving_tests[], injecting_tests[], encapsulating_tests[], mldsa_tests[];
extern const struct test process_tests[], thread_tests[], edge_tests[], provider_tests[], ncrypt_attribute_tests[], ncrypt_blob_tests[];

/* Checks. The call is evaluated once. */
#define IS(call, want) check_rv(__FILE__, __LINE__, #call, (call), #want, (want))
#define OK(call) IS(call, CKR_OK)
#define NEED(call) need_rv(__FILE__, __LINE__, #call, (call))
#define ONE_OF(call, a, b) check_either(__FILE__, __LINE__, #call, (call), #a " or " #b, (a), (b))
#define FAILS(call) check_failure(__FILE__, __LINE__, #call, (call))
#define CHECK(condition) check_true(__FILE__, __LINE__, #condition, (condition))
#define EQUAL(a, b) check_equal(__FILE__, __LINE__, #a, (unsigned long)(a), #b, (unsigned long)(b))

CK_RV check_rv(const char *file, int line, const char *call, CK_RV got, const char *text, CK_RV want);
CK_RV check_either(const char *file, int line, const char *call, CK_RV got, const char *text, CK_RV a, CK_RV b);
/* An error that is not one of those that hide a defect: CKR_GENERAL_ERROR and
 * CKR_DEVICE_ERROR, which is what a caught panic would give. */
CK_RV check_failure(const char *file, int line, const char *call, CK_RV got);
void need_rv(const char *file, int line, const char *call, CK_RV got);
bool check_true(const char *file, int line, const char *text, bool got);
bool check_equal(const char *file, int line, const char *a, unsigned long got, const char *b, unsigned long want);
void fail(const char *format, ...);

/* The module, loaded before a case runs. */
extern CK_FUNCTION_LIST_3_2 *p;
extern CK_C_GetFunctionList get_function_list;
extern CK_C_GetInterfaceList get_interface_list;
extern CK_C_GetInterface get_interface;
extern const char *module_path;

/* The home has one token in it, made by the case "make-token". */
#define USER_PIN "1234"
#define SO_PIN "12345678"
#define TOKEN_LABEL "driver"
#define PIN(text) (CK_UTF8CHAR_PTR)(text), sizeof(text) - 1

extern CK_SLOT_ID slot; /* of that token, once begin has run */

void load(void);
void initialize(void);                   /* C_Initialize with CKF_OS_LOCKING_OK */
void begin(void);                        /* initialize, and find the token */
CK_SLOT_ID find_token(const char *label); /* CK_UNAVAILABLE_INFORMATION: none */
CK_SLOT_ID empty_slot(void);
CK_SESSION_HANDLE open_session(CK_FLAGS flags);
CK_SESSION_HANDLE begin_user(void); /* begin, a read-write session, the user logged in */
CK_FLAGS token_flags(void);
CK_STATE state_of(CK_SESSION_HANDLE h);
bool padded(const CK_UTF8CHAR *text, size_t size, const char *want); /* want NULL: any text */

/* Templates as in: p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_DATA), TEXT(CKA_LABEL, "a")), &object) */
extern CK_BBOOL yes, no;
#define TEMPLATE(...) (CK_ATTRIBUTE[]){__VA_ARGS__}, sizeof((CK_ATTRIBUTE[]){__VA_ARGS__}) / sizeof(CK_ATTRIBUTE)
#define BOOLEAN(type, value) {(type), &(value), sizeof(CK_BBOOL)}
#define NUMBER(type, value) {(type), (CK_ULONG[]){(value)}, sizeof(CK_ULONG)}
#define TEXT(type, value) {(type), (void *)(value), sizeof(value) - 1}
#define BYTES(type, array) {(type), (void *)(array), sizeof(array)}
#define MECHANISM(type) (&(CK_MECHANISM){(type), NULL, 0})
#define MECHANISM_WITH(type, parameter) (&(CK_MECHANISM){(type), &(parameter), sizeof(parameter)})

/* Objects and keys. Session objects unless token is yes. */
CK_OBJECT_HANDLE make_data(CK_SESSION_HANDLE h, const char *label, CK_BBOOL token);
CK_OBJECT_HANDLE make_aes(CK_SESSION_HANDLE h, CK_BBOOL token, CK_BBOOL extractable);
CK_OBJECT_HANDLE make_secret(CK_SESSION_HANDLE h, CK_ULONG length);
void make_rsa(CK_SESSION_HANDLE h, CK_BBOOL token, CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key);
void make_ec(CK_SESSION_HANDLE h, CK_BBOOL token, CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key);
CK_OBJECT_HANDLE import_secret(CK_SESSION_HANDLE h, CK_KEY_TYPE type, const void *value, size_t length);
extern const CK_BYTE p256[10]; /* CKA_EC_PARAMS */

/* Memory of which not one byte behind may be touched: a page that cannot be
 * follows. It is never given back. */
void *edge(size_t size);
void *at_edge(const void *data, size_t size);

/* Reading. */
CK_BBOOL get_bool(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);
CK_ULONG get_number(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);
size_t get_bytes(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, void *buffer, size_t size);
CK_RV read_one(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);
/* The number of objects that match, the first ones in found. */
CK_ULONG search(CK_SESSION_HANDLE h, CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE *found, CK_ULONG room);
CK_ULONG count_label(CK_SESSION_HANDLE h, const char *label);

#endif
