/*
 * How NCrypt functions begin. NCrypt has no Initialize: opening or listing providers starts Go, as C_Initialize does, and does nothing where it runs.
 * Everything else takes a handle or memory that was given before; where Go does not run, there is none that could be valid.
 */
#include "ncrypt_enter.h"

#pragma GCC visibility push(protected)
#include "../p11.h"
#pragma GCC visibility pop

#include "front.h"

#include <stddef.h>
#include <stdint.h>

/* A forked child in which Go could not be restarted calls a private copy of the library, for these functions as for the others. */
static SECURITY_STATUS find_copy(const char *interface, const void **copy)
{
	CK_INTERFACE_PTR found = NULL;

	*copy = NULL;
	if (shim_forward() == NULL)
		return ERROR_SUCCESS;
	CK_C_GetInterface get = (CK_C_GetInterface)(uintptr_t)shim_copy_symbol("C_GetInterface");
	if (get == NULL || get((CK_UTF8CHAR_PTR)interface, NULL, &found, 0) != CKR_OK)
		return NTE_INTERNAL_ERROR;
	*copy = found->pFunctionList;
	return ERROR_SUCCESS;
}

SECURITY_STATUS vendor_enter(struct shim_call *call, const char *interface, const void **copy, SECURITY_STATUS outside)
{
	SECURITY_STATUS status = find_copy(interface, copy);
	if (status != ERROR_SUCCESS || *copy != NULL)
		return status;
	switch (shim_enter(call)) {
	case SHIM_OK:
		return ERROR_SUCCESS;
	case SHIM_NOT_RUNNING:
		return outside;
	default:
		return NTE_NO_MEMORY;
	}
}

SECURITY_STATUS vendor_start(struct shim_call *call, const char *interface, const void **copy)
{
	if (shim_forward() == NULL) {
		CK_RV rv = ncrypt11_start();
		if (rv != CKR_OK)
			return rv == CKR_GENERAL_ERROR ? NTE_INTERNAL_ERROR : NTE_NO_MEMORY;
	}
	return vendor_enter(call, interface, copy, NTE_INTERNAL_ERROR);
}

SECURITY_STATUS ncrypt_enter(struct ncrypt_call *call, SECURITY_STATUS outside)
{
	const void *copy = NULL;
	SECURITY_STATUS status = vendor_enter(&call->shim, NCRYPT11_INTERFACE, &copy, outside);

	call->copy = copy;
	return status;
}

SECURITY_STATUS ncrypt_start(struct ncrypt_call *call)
{
	const void *copy = NULL;
	SECURITY_STATUS status = vendor_start(&call->shim, NCRYPT11_INTERFACE, &copy);

	call->copy = copy;
	return status;
}

void ncrypt_leave(struct ncrypt_call *call)
{
	shim_leave(&call->shim);
}
