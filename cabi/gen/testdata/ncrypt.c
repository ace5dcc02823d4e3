/* What the stubs of NCrypt and of the minidriver call: the way in, and bodies that answer with a status of their own. */
#include "card_enter.h"
#include "ncrypt_enter.h"

#define BODY(f) SECURITY_STATUS go##f(void) { return NTE_SYS_ERR; }
NCRYPT11_EACH(BODY)

SECURITY_STATUS ncrypt_start(struct ncrypt_call *call)
{
	call->copy = NULL;
	return ERROR_SUCCESS;
}

SECURITY_STATUS ncrypt_enter(struct ncrypt_call *call, SECURITY_STATUS outside)
{
	call->copy = NULL;
	return outside;
}

void ncrypt_leave(struct ncrypt_call *call)
{
	(void)call;
}

#define CARD_BODY(f) DWORD go##f(void) { return SCARD_F_INTERNAL_ERROR; }
NCRYPT11_EACH_CARD(CARD_BODY)

DWORD card_start(struct card_call *call)
{
	call->copy = NULL;
	return ERROR_SUCCESS;
}

DWORD card_enter(struct card_call *call, DWORD outside)
{
	call->copy = NULL;
	return outside;
}

void card_leave(struct card_call *call)
{
	(void)call;
}
