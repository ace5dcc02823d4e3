/*
 * The functions with a C body of their own: those that work before
 * C_Initialize, and those that begin and end Go.
 */
#define _GNU_SOURCE

/* Protected: see stubs_gen.c. */
#pragma GCC visibility push(protected)
#include "../p11.h"
#pragma GCC visibility pop

#include "front.h"
#include "functions_gen.h"
#include "shim/shim.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Reverts to false when Go is restarted in a forked child. */
static atomic_int initialized;

int ncrypt11_enter_allowed(void)
{
	return atomic_load_explicit(&initialized, memory_order_acquire) && shim_running();
}

/* PKCS #11 v3.2, section 5.4 C_Initialize: all four mutex functions or none.
 * Without CKF_OS_LOCKING_OK they are the only locks that may be used, which Go
 * cannot do. CKF_LIBRARY_CANT_CREATE_OS_THREADS cannot be honoured and is not
 * refused: NSS and p11-kit set it as a matter of course.
 *
 * pReserved must be NULL by the text, but NSS and p11-kit pass a configuration
 * string in it. It is not looked at; what cannot be a pointer is refused. */
static CK_RV check_arguments(const CK_C_INITIALIZE_ARGS *args)
{
	if (args == NULL)
		return CKR_OK;
	int given = (args->CreateMutex != NULL) + (args->DestroyMutex != NULL) + (args->LockMutex != NULL)
		+ (args->UnlockMutex != NULL);
	if (given != 0 && given != 4)
		return CKR_ARGUMENTS_BAD;
	if (given == 4 && !(args->flags & CKF_OS_LOCKING_OK))
		return CKR_CANT_LOCK;
	if (args->pReserved != NULL && (uintptr_t)args->pReserved < 4096)
		return CKR_ARGUMENTS_BAD;
	return CKR_OK;
}

/* Go could not be restarted in this child: its calls go to a private copy of
 * the library from here on. */
static CK_RV use_copy(void)
{
	CK_C_GetInterface get = (CK_C_GetInterface)(uintptr_t)shim_copy_symbol("C_GetInterface");
	CK_VERSION version = {3, 2};
	CK_INTERFACE_PTR found = NULL;

	if (get == NULL || get(NULL, &version, &found, 0) != CKR_OK)
		return CKR_GENERAL_ERROR;
	shim_forward_to(found->pFunctionList);
	return CKR_OK;
}

CK_RV ncrypt11_start(void)
{
	switch (shim_ready()) {
	case SHIM_OK:
		return CKR_OK;
	case SHIM_COPY:
		return use_copy();
	case SHIM_NO_THREADS:
		return CKR_CANT_LOCK;
	case SHIM_BROKEN:
		return CKR_GENERAL_ERROR;
	default:
		return CKR_HOST_MEMORY;
	}
}

char *ncrypt11_getenv(const char *name)
{
	return secure_getenv(name);
}

extern CK_RV goC_Initialize(void);
extern CK_RV goC_Finalize(void);

CK_RV C_Initialize(CK_VOID_PTR pInitArgs)
{
	const CK_FUNCTION_LIST_3_2 *copy = shim_forward();
	if (copy == NULL) {
		CK_RV rv = check_arguments(pInitArgs);
		if (rv == CKR_OK)
			rv = ncrypt11_start();
		if (rv != CKR_OK)
			return rv;
		copy = shim_forward();
	}
	if (copy != NULL)
		return copy->C_Initialize(pInitArgs);

	struct shim_call call;
	if (shim_enter(&call) != SHIM_OK)
		return CKR_HOST_MEMORY;
	CK_RV rv = goC_Initialize();
	if (rv == CKR_OK)
		atomic_store_explicit(&initialized, 1, memory_order_release);
	shim_leave(&call);
	return rv;
}

CK_RV C_Finalize(CK_VOID_PTR pReserved)
{
	const CK_FUNCTION_LIST_3_2 *copy = shim_forward();
	if (copy != NULL)
		return copy->C_Finalize(pReserved);
	if (!ncrypt11_enter_allowed())
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	if (pReserved != NULL)
		return CKR_ARGUMENTS_BAD;

	struct shim_call call;
	if (shim_enter(&call) != SHIM_OK)
		return CKR_HOST_MEMORY;
	atomic_store_explicit(&initialized, 0, memory_order_release);
	CK_RV rv = goC_Finalize();
	shim_leave(&call);
	return rv;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR ppFunctionList)
{
	if (ppFunctionList == NULL)
		return CKR_ARGUMENTS_BAD;
	*ppFunctionList = (CK_FUNCTION_LIST_PTR)&ncrypt11_list_2_40;
	return CKR_OK;
}

CK_RV C_GetInterfaceList(CK_INTERFACE_PTR pInterfacesList, CK_ULONG_PTR pulCount)
{
	if (pulCount == NULL)
		return CKR_ARGUMENTS_BAD;
	CK_ULONG room = *pulCount;
	*pulCount = NCRYPT11_INTERFACE_COUNT;
	if (pInterfacesList == NULL)
		return CKR_OK;
	if (room < NCRYPT11_INTERFACE_COUNT)
		return CKR_BUFFER_TOO_SMALL;
	memcpy(pInterfacesList, ncrypt11_interfaces, sizeof ncrypt11_interfaces);
	return CKR_OK;
}

/* Section 5.3 C_GetInterface: NULL takes any name or version, the first of the
 * list being the default; a version given must be the same. No interface has
 * flags, so one that demands CKF_INTERFACE_FORK_SAFE finds none. */
CK_RV C_GetInterface(CK_UTF8CHAR_PTR pInterfaceName, CK_VERSION_PTR pVersion, CK_INTERFACE_PTR_PTR ppInterface,
	CK_FLAGS flags)
{
	if (ppInterface == NULL)
		return CKR_ARGUMENTS_BAD;
	for (size_t i = 0; i < NCRYPT11_INTERFACE_COUNT; i++) {
		const CK_INTERFACE *one = &ncrypt11_interfaces[i];
		const CK_VERSION *version = one->pFunctionList;
		if (pInterfaceName != NULL && strcmp((char *)pInterfaceName, (char *)one->pInterfaceName) != 0)
			continue;
		if (pVersion != NULL && (pVersion->major != version->major || pVersion->minor != version->minor))
			continue;
		if ((one->flags & flags) != flags)
			continue;
		*ppInterface = (CK_INTERFACE_PTR)one;
		return CKR_OK;
	}
	return CKR_ARGUMENTS_BAD;
}
