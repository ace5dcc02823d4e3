/*
 * How the minidriver's functions begin: as NCrypt's do (ncrypt.c). CardAcquireContext starts Go; all others take a context, and where Go does not run there
 * is none.
 */
#include "card_enter.h"
#include "ncrypt_enter.h"

#include <stddef.h>
#include <string.h>

/* card_status makes what stopped a call before Go a card's status. */
static DWORD card_status(SECURITY_STATUS status)
{
	switch (status) {
	case ERROR_SUCCESS:
		return SCARD_S_SUCCESS;
	case NTE_NO_MEMORY:
		return (DWORD)SCARD_E_NO_MEMORY;
	case NTE_INVALID_HANDLE:
		return (DWORD)SCARD_E_INVALID_HANDLE;
	default:
		return (DWORD)SCARD_F_INTERNAL_ERROR;
	}
}

DWORD card_start(struct card_call *call)
{
	const void *copy = NULL;
	SECURITY_STATUS status = vendor_start(&call->shim, NCRYPT11_MINIDRIVER_INTERFACE, &copy);

	call->copy = copy;
	return card_status(status);
}

DWORD card_enter(struct card_call *call, DWORD outside)
{
	const void *copy = NULL;
	SECURITY_STATUS status = vendor_enter(&call->shim, NCRYPT11_MINIDRIVER_INTERFACE, &copy, NTE_INVALID_HANDLE);

	call->copy = copy;
	return status == NTE_INVALID_HANDLE ? outside : card_status(status);
}

void card_clear(PCARD_DATA card)
{
	const size_t first = offsetof(CARD_DATA, pfnCardDeleteContext);
	PVOID agreement = card->pfnCspGetDHAgreement, unpad = card->pfnCspUnpadData;

	memset((char *)card + first, 0, sizeof *card - first);
	card->pfnCspGetDHAgreement = agreement;
	card->pfnCspUnpadData = unpad;
}

void card_leave(struct card_call *call)
{
	shim_leave(&call->shim);
}
