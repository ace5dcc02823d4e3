/* What the NCrypt stubs call: the way in, and bodies that answer with a status of their own. */
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
