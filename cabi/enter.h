/* The way of every stub into Go. */
#ifndef NCRYPT11_ENTER_H
#define NCRYPT11_ENTER_H

#include "shim/shim.h"

/* enter prepares a call into Go, which shim_leave ends. Where it answers anything
 * but CKR_OK, Go is not called and nothing needs to be ended. */
static inline CK_RV enter(struct shim_call *call)
{
	switch (shim_enter(call)) {
	case SHIM_OK:
		return CKR_OK;
	case SHIM_NOT_RUNNING:
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	default:
		return CKR_HOST_MEMORY;
	}
}

#endif
