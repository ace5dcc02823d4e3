/* What a program that speaks PKCS #11 does with a container's key, in the same process: its session is another, its login the same. */
#include "driver.h"

#include <stddef.h>

#define TRY(call)                              \
	do {                                   \
		CK_RV rv = (call);             \
		if (rv != CKR_OK) {            \
			answer((DWORD)rv, NULL, 0); \
			return;                \
		}                              \
	} while (0)

/* sign signs by CKM_SHA256_RSA_PKCS with the private key in a container. */
void sign(char **argument)
{
	CK_SLOT_ID slots[8];
	CK_ULONG count = 8;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_BYTE id[3] = {'m', 'd', (CK_BYTE)number(argument[0])};
	CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, id, sizeof id}};
	CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
	struct bytes text = bytes_of(argument[1]);
	CK_BYTE signature[1024];
	CK_ULONG length = sizeof signature;
	CK_RV rv = p11->C_Initialize(NULL);

	if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED) {
		answer((DWORD)rv, NULL, 0);
		return;
	}
	TRY(p11->C_GetSlotList(CK_TRUE, slots, &count));
	for (CK_ULONG i = 0; i < count; i++) {
		CK_TOKEN_INFO token;
		CK_ULONG found = 0;

		TRY(p11->C_GetTokenInfo(slots[i], &token));
		if (!(token.flags & CKF_TOKEN_INITIALIZED))
			continue;
		TRY(p11->C_OpenSession(slots[i], CKF_SERIAL_SESSION, NULL, NULL, &session));
		TRY(p11->C_FindObjectsInit(session, wanted, 2));
		TRY(p11->C_FindObjects(session, &key, 1, &found));
		TRY(p11->C_FindObjectsFinal(session));
		if (found == 1) {
			TRY(p11->C_SignInit(session, &mechanism, key));
			TRY(p11->C_Sign(session, text.data, text.length, signature, &length));
			TRY(p11->C_CloseSession(session));
			answer(0, signature, (DWORD)length);
			return;
		}
		TRY(p11->C_CloseSession(session));
	}
	answer((DWORD)CKR_OBJECT_HANDLE_INVALID, NULL, 0);
}

/* finalize ends PKCS #11 in this process; the minidriver goes on. */
void finalize(char **argument)
{
	(void)argument;
	answer((DWORD)p11->C_Finalize(NULL), NULL, 0);
}
