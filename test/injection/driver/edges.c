/* What no program should do: NULL where something is needed, a context that there is not, a context of the parent's. */
#include "driver.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned wrong;

static void is(const char *what, DWORD got, DWORD want)
{
	if (got != want) {
		wrong++;
		fprintf(stderr, "%s: %08x, want %08x\n", what, got, want);
	}
}

#define INVALID (DWORD)SCARD_E_INVALID_PARAMETER

static void no_context(void)
{
	CARD_DATA none = {.dwVersion = CARD_DATA_CURRENT_VERSION};
	BYTE room[4];
	DWORD n;

	is("CardAcquireContext(NULL)", md->CardAcquireContext(NULL, 0), INVALID);
	is("CardAcquireContext without memory", md->CardAcquireContext(&none, CARD_SECURE_KEY_INJECTION_NO_CARD_MODE), INVALID);
	is("CardDeleteContext(NULL)", md->CardDeleteContext(NULL), INVALID);
	is("CardDeleteContext of none", md->CardDeleteContext(&none), (DWORD)SCARD_E_INVALID_HANDLE);
	is("CardGetProperty of none", md->CardGetProperty(&none, CP_KEY_IMPORT_SUPPORT, room, 4, &n, 0), (DWORD)SCARD_E_INVALID_HANDLE);
	is("CardGetProperty of NULL", md->CardGetProperty(NULL, CP_KEY_IMPORT_SUPPORT, room, 4, &n, 0), INVALID);
}

/* With the context of before, which has no card. */
void nulls(char **argument)
{
	(void)argument;
	CARD_KEY_HANDLE key = 0;
	BYTE bytes[16] = {0};
	DWORD n = 0;
	PCARD_ENCRYPTED_DATA parts = NULL;

	no_context();
	is("no blob type", card.pfnMDImportSessionKey(&card, NULL, CARD_AES_ALGORITHM, &key, bytes, 16), INVALID);
	is("no algorithm", card.pfnMDImportSessionKey(&card, BCRYPT_KEY_DATA_BLOB, NULL, &key, bytes, 16), INVALID);
	is("no place for a key", card.pfnMDImportSessionKey(&card, BCRYPT_KEY_DATA_BLOB, CARD_AES_ALGORITHM, NULL, bytes, 16), INVALID);
	is("no blob, of 16 bytes", card.pfnMDImportSessionKey(&card, BCRYPT_KEY_DATA_BLOB, CARD_AES_ALGORITHM, &key, NULL, 16), INVALID);
	is("no blob", card.pfnMDImportSessionKey(&card, BCRYPT_KEY_DATA_BLOB, CARD_AES_ALGORITHM, &key, NULL, 0), INVALID);
	is("no property", card.pfnCardSetKeyProperty(&card, 1, NULL, bytes, 16, 0), INVALID);
	is("no value", card.pfnCardSetKeyProperty(&card, 1, CP_KEY_INITIALIZATON_VECTOR, NULL, 16, 0), INVALID);
	is("no length", card.pfnCardGetAlgorithmProperty(&card, CARD_AES_ALGORITHM, CP_CHAINING_MODES, bytes, 16, NULL, 0), INVALID);
	is("no room", card.pfnCardGetAlgorithmProperty(&card, CARD_AES_ALGORITHM, CP_CHAINING_MODES, NULL, 16, &n, 0), ERROR_INSUFFICIENT_BUFFER);
	is("its length", n, 34);
	is("no function", card.pfnMDEncryptData(&card, 1, NULL, bytes, 16, CARD_BLOCK_PADDING, &parts, &n), INVALID);
	is("no place for parts", card.pfnMDEncryptData(&card, 1, CARD_SECURE_FUNCTION_AUTHENTICATE, bytes, 16, CARD_BLOCK_PADDING, NULL, &n), INVALID);
	is("no parts", card.pfnCardProcessEncryptedData(&card, 1, CARD_SECURE_FUNCTION_AUTHENTICATE, NULL, 1, bytes, 16, &n, CARD_BLOCK_PADDING), INVALID);
	is("a key of none", card.pfnCardDestroyKey(&card, 1), (DWORD)SCARD_E_INVALID_HANDLE);
	is("no place for a shared key", card.pfnCardGetSharedKeyHandle(&card, bytes, 1, NULL, NULL, NULL), INVALID);
	answer(wrong, NULL, 0);
}

/* A child has no context: the parent's number means nothing there, and the parent's own goes on. */
void in_child(char **argument)
{
	(void)argument;
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		BYTE iv[16];
		DWORD n = 0;
		DWORD got = card.pfnCardGetAlgorithmProperty(&card, CARD_AES_ALGORITHM, CP_KEY_BLOCK_LENGTH, iv, sizeof iv, &n, 0);
		_exit(got == (DWORD)SCARD_E_INVALID_HANDLE ? 0 : 1);
	}
	waitpid(child, &status, 0);
	answer((DWORD)status, NULL, 0);
}
