/* The states of an operation: PKCS #11 v3.2, sections 5.2 and 5.9 on. */
#include "driver.h"

static CK_SESSION_HANDLE h;
static CK_BYTE data[64], out[512];
static CK_ULONG length;

static void start(void)
{
	h = begin_user();
	length = sizeof out;
}

static void one_at_a_time(void)
{
	static CK_BYTE iv[16];

	start();
	CK_OBJECT_HANDLE key = make_aes(h, no, no);
	OK(p->C_SignInit(h, MECHANISM(CKM_AES_CMAC), key));
	IS(p->C_SignInit(h, MECHANISM(CKM_AES_CMAC), key), CKR_OPERATION_ACTIVE);
	OK(p->C_DigestInit(h, MECHANISM(CKM_SHA256)));
	IS(p->C_DigestInit(h, MECHANISM(CKM_SHA256)), CKR_OPERATION_ACTIVE);
	OK(p->C_EncryptInit(h, MECHANISM_WITH(CKM_AES_CBC, iv), key));
	IS(p->C_EncryptInit(h, MECHANISM_WITH(CKM_AES_CBC, iv), key), CKR_OPERATION_ACTIVE);
	OK(p->C_Sign(h, data, sizeof data, out, &length));
	OK(p->C_SignInit(h, MECHANISM(CKM_AES_CMAC), key));
}

static void cancel(void)
{
	start();
	CK_OBJECT_HANDLE key = make_aes(h, no, no);
	OK(p->C_SignInit(h, MECHANISM(CKM_AES_CMAC), key));
	OK(p->C_SignInit(h, NULL, 0));
	IS(p->C_SignUpdate(h, data, 16), CKR_OPERATION_NOT_INITIALIZED);
	OK(p->C_SignInit(h, MECHANISM(CKM_AES_CMAC), key));
	OK(p->C_SessionCancel(h, 0));
	OK(p->C_SessionCancel(h, CKF_ENCRYPT | CKF_DIGEST));
	OK(p->C_SignUpdate(h, data, 16));
	OK(p->C_SessionCancel(h, CKF_SIGN));
	IS(p->C_SignUpdate(h, data, 16), CKR_OPERATION_NOT_INITIALIZED);
	OK(p->C_FindObjectsInit(h, NULL, 0));
	OK(p->C_SessionCancel(h, CKF_FIND_OBJECTS));
	IS(p->C_FindObjectsFinal(h), CKR_OPERATION_NOT_INITIALIZED);
	IS(p->C_SessionCancel(h + 1, CKF_SIGN), CKR_SESSION_HANDLE_INVALID);
}

static void not_begun(void)
{
	start();
	IS(p->C_Encrypt(h, data, 16, out, &length), CKR_OPERATION_NOT_INITIALIZED);
	IS(p->C_EncryptUpdate(h, data, 16, out, &length), CKR_OPERATION_NOT_INITIALIZED);
	IS(p->C_EncryptFinal(h, out, &length), CKR_OPERATION_NOT_INITIALIZED);
	IS(p->C_Decrypt(h, data, 16, out, &length), CKR_OPERATION_NOT_INITIALIZED);
	IS(p->C_DecryptUpdate(h, data, 16, out, &length), CKR_OPERATION_NOT_INITIALIZED);
	IS(p->C_DecryptFinal(h, out, &length), CKR_OPERATION_NOT_INITIALIZED);
	IS(p->C_Digest(h, data, 16, out, &length), CKR_OPERATION_NOT_INITIALIZED);
	IS(p->C_DigestUpdate(h, data, 16), CKR_OPERATION_NOT_INITIALIZED);
	IS(p->C_DigestFinal(h, out, &length), CKR_OPERATION_NOT_INITIALIZED);
	IS(p->C_Sign(h, data, 16, out, &length), CKR_OPERATION_NOT_INITIALIZED);
	IS(p->C_SignUpdate(h, data, 16), CKR_OPERATION_NOT_INITIALIZED);
	IS(p->C_SignFinal(h, out, &length), CKR_OPERATION_NOT_INITIALIZED);
	IS(p->C_SignRecover(h, data, 16, out, &length), CKR_OPERATION_NOT_INITIALIZED);
	IS(p->C_Verify(h, data, 16, out, 16), CKR_OPERATION_NOT_INITIALIZED);
	IS(p->C_VerifyUpdate(h, data, 16), CKR_OPERATION_NOT_INITIALIZED);
	IS(p->C_VerifyFinal(h, out, 16), CKR_OPERATION_NOT_INITIALIZED);
	IS(p->C_VerifyRecover(h, data, 16, out, &length), CKR_OPERATION_NOT_INITIALIZED);
}

/* An operation that was begun in one style is not ended in the other. */
static void styles(void)
{
	start();
	OK(p->C_DigestInit(h, MECHANISM(CKM_SHA256)));
	OK(p->C_DigestUpdate(h, data, 16));
	IS(p->C_Digest(h, data, 16, out, &length), CKR_OPERATION_ACTIVE);
	IS(p->C_DigestFinal(h, out, &length), CKR_OPERATION_NOT_INITIALIZED);

	CK_OBJECT_HANDLE key = make_aes(h, no, no);
	OK(p->C_SignInit(h, MECHANISM(CKM_AES_CMAC), key));
	OK(p->C_SignUpdate(h, data, 16));
	FAILS(p->C_Sign(h, data, 16, out, &length));
	IS(p->C_SignFinal(h, out, &length), CKR_OPERATION_NOT_INITIALIZED);
}

static void single_part_only(void)
{
	CK_OBJECT_HANDLE public_key, private_key;

	start();
	make_ec(h, no, &public_key, &private_key);
	OK(p->C_SignInit(h, MECHANISM(CKM_ECDSA), private_key));
	FAILS(p->C_SignUpdate(h, data, 32));
	IS(p->C_SignFinal(h, out, &length), CKR_OPERATION_NOT_INITIALIZED);
}

/* Any error but CKR_BUFFER_TOO_SMALL ends an operation. */
static void errors_end(void)
{
	static CK_BYTE iv[16];
	CK_OBJECT_HANDLE public_key, private_key;

	start();
	CK_OBJECT_HANDLE key = make_aes(h, no, no);
	OK(p->C_DecryptInit(h, MECHANISM_WITH(CKM_AES_CBC, iv), key));
	IS(p->C_Decrypt(h, data, 15, out, &length), CKR_ENCRYPTED_DATA_LEN_RANGE);
	IS(p->C_Decrypt(h, data, 16, out, &length), CKR_OPERATION_NOT_INITIALIZED);
	OK(p->C_EncryptInit(h, MECHANISM_WITH(CKM_AES_CBC, iv), key));
	IS(p->C_Encrypt(h, data, 15, out, &length), CKR_DATA_LEN_RANGE);
	IS(p->C_Encrypt(h, data, 16, out, &length), CKR_OPERATION_NOT_INITIALIZED);
	make_rsa(h, no, &public_key, &private_key);
	OK(p->C_SignInit(h, MECHANISM(CKM_RSA_PKCS), private_key));
	IS(p->C_Sign(h, out, 256 - 10, out, &length), CKR_DATA_LEN_RANGE);
	IS(p->C_Sign(h, data, 16, out, &length), CKR_OPERATION_NOT_INITIALIZED);
	OK(p->C_VerifyInit(h, MECHANISM(CKM_RSA_PKCS), public_key));
	IS(p->C_Verify(h, data, 16, out, 255), CKR_SIGNATURE_LEN_RANGE);
	IS(p->C_Verify(h, data, 16, out, 256), CKR_OPERATION_NOT_INITIALIZED);
	OK(p->C_DigestInit(h, MECHANISM(CKM_SHA256)));
	IS(p->C_Digest(h, NULL, 16, out, &length), CKR_ARGUMENTS_BAD);
	IS(p->C_Digest(h, data, 16, out, &length), CKR_OPERATION_NOT_INITIALIZED);
	OK(p->C_DigestInit(h, MECHANISM(CKM_SHA256)));
	IS(p->C_Digest(h, data, 16, out, NULL), CKR_ARGUMENTS_BAD);
	IS(p->C_Digest(h, data, 16, out, &length), CKR_OPERATION_NOT_INITIALIZED);
}

static void parameters(void)
{
	static CK_BYTE iv[16];

	start();
	CK_OBJECT_HANDLE key = make_aes(h, no, no);
	IS(p->C_EncryptInit(h, MECHANISM(CKM_AES_CBC), key), CKR_MECHANISM_PARAM_INVALID);
	IS(p->C_EncryptInit(h, &(CK_MECHANISM){CKM_AES_CBC, iv, 15}, key), CKR_MECHANISM_PARAM_INVALID);
	FAILS(p->C_EncryptInit(h, &(CK_MECHANISM){CKM_AES_CBC, NULL, 16}, key));
	FAILS(p->C_EncryptInit(h, &(CK_MECHANISM){CKM_AES_CBC, iv, ~0UL}, key));
	FAILS(p->C_EncryptInit(h, &(CK_MECHANISM){CKM_AES_GCM, iv, 16}, key));
	FAILS(p->C_EncryptInit(h, MECHANISM(CKM_AES_GCM), key));
	FAILS(p->C_EncryptInit(h, MECHANISM(CKM_AES_CTR), key));
	CK_GCM_PARAMS gcm = {NULL, 12, 96, NULL, 0, 128};
	FAILS(p->C_EncryptInit(h, MECHANISM_WITH(CKM_AES_GCM, gcm), key));
	gcm = (CK_GCM_PARAMS){iv, 12, 96, NULL, 5, 128};
	FAILS(p->C_EncryptInit(h, MECHANISM_WITH(CKM_AES_GCM, gcm), key));
	gcm = (CK_GCM_PARAMS){iv, 12, 96, NULL, 0, 7};
	FAILS(p->C_EncryptInit(h, MECHANISM_WITH(CKM_AES_GCM, gcm), key));
	gcm = (CK_GCM_PARAMS){iv, ~0UL, 96, NULL, 0, 128};
	FAILS(p->C_EncryptInit(h, MECHANISM_WITH(CKM_AES_GCM, gcm), key));
	gcm = (CK_GCM_PARAMS){iv, 12, 96, iv, ~0UL, 128};
	FAILS(p->C_EncryptInit(h, MECHANISM_WITH(CKM_AES_GCM, gcm), key));
	CK_AES_CTR_PARAMS ctr = {0, {0}};
	IS(p->C_EncryptInit(h, MECHANISM_WITH(CKM_AES_CTR, ctr), key), CKR_MECHANISM_PARAM_INVALID);
	ctr.ulCounterBits = 129;
	IS(p->C_EncryptInit(h, MECHANISM_WITH(CKM_AES_CTR, ctr), key), CKR_MECHANISM_PARAM_INVALID);
	IS(p->C_Encrypt(h, data, 16, out, &length), CKR_OPERATION_NOT_INITIALIZED);
}

static void closed_session(void)
{
	start();
	CK_SESSION_HANDLE other = open_session(0);
	OK(p->C_DigestInit(other, MECHANISM(CKM_SHA256)));
	OK(p->C_CloseSession(other));
	IS(p->C_DigestUpdate(other, data, 16), CKR_SESSION_HANDLE_INVALID);
	IS(p->C_DigestUpdate(h, data, 16), CKR_OPERATION_NOT_INITIALIZED);
}

static void state(void)
{
	start();
	CK_RV rv = p->C_GetOperationState(h, NULL, &length);
	CHECK(rv == CKR_OPERATION_NOT_INITIALIZED || rv == CKR_FUNCTION_NOT_SUPPORTED);
	CK_FLAGS flags = 99;
	rv = p->C_GetSessionValidationFlags(h, CKS_LAST_VALIDATION_OK, &flags);
	if (rv == CKR_OK)
		EQUAL(flags, 0);
	else
		EQUAL(rv, CKR_FUNCTION_NOT_SUPPORTED);
}

const struct test operation_tests[] = {
	{"one-at-a-time", "one operation of a kind in a session; different kinds side by side", one_at_a_time},
	{"cancel", "an operation is cancelled by a NULL mechanism and by C_SessionCancel, others are left alone", cancel},
	{"not-begun", "what was not begun is not initialized", not_begun},
	{"styles", "single-part and multi-part do not mix", styles},
	{"single-part-only", "a mechanism without parts refuses them", single_part_only},
	{"errors-end", "an error ends the operation", errors_end},
	{"parameters", "wrong parameters of mechanisms are refused, whatever their lengths and pointers say", parameters},
	{"closed-session", "operations go with their session", closed_session},
	{"operation-state", "functions that are not offered say so in the words of the specification", state},
	{NULL, NULL, NULL},
};
