/* The way of every NCrypt function into Go. */
#ifndef NCRYPT11_NCRYPT_ENTER_H
#define NCRYPT11_NCRYPT_ENTER_H

#pragma GCC visibility push(protected)
#include "../include/ncrypt.h"
#pragma GCC visibility pop

#include "shim/shim.h"

#pragma GCC visibility push(hidden)

struct ncrypt_call {
	struct shim_call shim;
	const NCRYPT11_FUNCTION_LIST *copy; /* where the call goes, in a forked child that uses a private copy; else NULL */
};

/* ncrypt_start makes the library usable, where it is not yet, and enters it. */
SECURITY_STATUS ncrypt_start(struct ncrypt_call *call);

/* ncrypt_enter prepares a call into Go, which ncrypt_leave ends. It answers outside where Go does not run in this process, as in a child that was forked
 * and has not started it. After anything but ERROR_SUCCESS, and where there is a copy, Go is not called and nothing needs to be ended. */
SECURITY_STATUS ncrypt_enter(struct ncrypt_call *call, SECURITY_STATUS outside);
void ncrypt_leave(struct ncrypt_call *call);

/* The same for any interface that PKCS #11 does not have: copy is its table in the private copy of the library, or NULL. */
SECURITY_STATUS vendor_start(struct shim_call *call, const char *interface, const void **copy);
SECURITY_STATUS vendor_enter(struct shim_call *call, const char *interface, const void **copy, SECURITY_STATUS outside);

/* The interface "Vendor NCrypt". */
extern const NCRYPT11_FUNCTION_LIST ncrypt11_ncrypt_list;

#pragma GCC visibility pop

#endif
