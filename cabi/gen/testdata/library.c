/* What the generated C is linked with in the test: a front, a shim and a Go body that only record what is done to them. */
#include "digest.h"
#include "front.h"
#include "functions_gen.h"
#include "shim/shim.h"

#include <stddef.h>

/* Set and read by the test program through C_Initialize and C_Finalize. */
struct state {
	int allowed;
	int enter_result;
	int entered;
	int left;
	const CK_FUNCTION_LIST_3_2 *copy;
};

static struct state *state;

int ncrypt11_enter_allowed(void) { return state->allowed; }

int shim_enter(struct shim_call *call)
{
	(void)call;
	if (state->enter_result == SHIM_OK)
		state->entered++;
	return state->enter_result;
}

void shim_leave(struct shim_call *call)
{
	(void)call;
	state->left++;
}

const void *shim_forward(void) { return state->copy; }

CK_RV goC_Sign(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pSignature, CK_ULONG_PTR pulSignatureLen)
{
	(void)pSignature;
	*pulSignatureLen = hSession + ulDataLen + pData[0];
	return CKR_PIN_EXPIRED;
}

void digest_settle(CK_SESSION_HANDLE session) { (void)session; }

CK_RV C_DigestInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism)
{
	(void)hSession, (void)pMechanism;
	return CKR_OK;
}

CK_RV C_Digest(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pDigest, CK_ULONG_PTR pulDigestLen)
{
	(void)hSession, (void)pData, (void)ulDataLen, (void)pDigest, (void)pulDigestLen;
	return CKR_OK;
}

CK_RV C_Initialize(CK_VOID_PTR pInitArgs)
{
	state = pInitArgs;
	return CKR_OK;
}

CK_RV C_Finalize(CK_VOID_PTR pReserved)
{
	(void)pReserved;
	return CKR_OK;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR ppFunctionList)
{
	*ppFunctionList = (CK_FUNCTION_LIST_PTR)&ncrypt11_list_2_40;
	return CKR_OK;
}

CK_RV C_GetInterfaceList(CK_INTERFACE_PTR pInterfacesList, CK_ULONG_PTR pulCount)
{
	for (*pulCount = 0; *pulCount < NCRYPT11_INTERFACE_COUNT; ++*pulCount)
		pInterfacesList[*pulCount] = ncrypt11_interfaces[*pulCount];
	return CKR_OK;
}

CK_RV C_GetInterface(CK_UTF8CHAR_PTR pInterfaceName, CK_VERSION_PTR pVersion, CK_INTERFACE_PTR_PTR ppInterface, CK_FLAGS flags)
{
	(void)pInterfaceName, (void)pVersion, (void)flags;
	*ppInterface = (CK_INTERFACE_PTR)&ncrypt11_interfaces[0];
	return CKR_OK;
}
