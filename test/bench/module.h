/* One PKCS#11 module under measurement, reached only through the table that C_GetFunctionList returns. */
#ifndef BENCH_MODULE_H
#define BENCH_MODULE_H

#include <stdbool.h>

#include "../../p11.h"

/* What went wrong first, in words a report can print; empty while nothing has. */
struct failure {
    char text[192];
};

struct module {
    const char *name;         /* "A", the candidate, or "B", the reference */
    const char *token_prefix; /* "a-" or "b-": the tokens that belong to this side */
    const char *path;
    const char *pin;
    CK_FUNCTION_LIST *call;
    CK_INFO info;
    struct failure failure;
};

/* Loads the library and initializes it for use by several threads. */
bool module_open(struct module *m);

/* Finalizes the module. The library stays mapped, as it does in most hosts. */
void module_close(struct module *m);

/* Opens a read/write session with the token named token_prefix + token, logged in where the token asks for a login. */
bool module_session(struct module *m, const char *token, CK_SESSION_HANDLE *session);

/* True for CKR_OK; otherwise records which function answered what. */
bool module_ok(struct module *m, const char *function, CK_RV rv);

/* Records a failure that is not a return value. Always false, so that a caller can return it. */
bool module_fail(struct module *m, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
