/*
 * What no program should do: NULL where something is needed, lengths that there is no memory of, a context that there is not, that other threads delete, or that
 * is the parent's.
 */
#include "driver.h"

#include <pthread.h>
#include <stddef.h>
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

static const char session_key[] = "4b44424d010000001000000000112233445566778899aabbccddeeff"; /* a KeyDataBlob */

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

	wrong = 0;
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

/* Lengths that there is no memory of: nobody reads or takes as much, before what they are for is known to be too long. */
void lengths(char **argument)
{
	(void)argument;
	const DWORD huge = 0xffffffff;
	CARD_KEY_HANDLE key = 0;
	struct bytes bytes = bytes_of(session_key);
	CARD_ENCRYPTED_DATA many[1024], *parts = NULL;
	DWORD n = 0;

	for (int i = 0; i < 1024; i++)
		many[i] = (CARD_ENCRYPTED_DATA){bytes.data, huge};
	wrong = 0;
	is("a session key, as it is", card.pfnMDImportSessionKey(&card, BCRYPT_KEY_DATA_BLOB, CARD_AES_ALGORITHM, &key, bytes.data, bytes.length), SCARD_S_SUCCESS);
	is("its IV", card.pfnCardSetKeyProperty(&card, key, CP_KEY_INITIALIZATON_VECTOR, bytes.data, 16, 0), SCARD_S_SUCCESS);
	is("an IV", card.pfnCardSetKeyProperty(&card, key, CP_KEY_INITIALIZATON_VECTOR, bytes.data, huge, 0), INVALID);
	is("what is to be encrypted", card.pfnMDEncryptData(&card, key, CARD_SECURE_FUNCTION_AUTHENTICATE, bytes.data, huge, CARD_BLOCK_PADDING, &parts, &n), INVALID);
	is("a part", card.pfnCardProcessEncryptedData(&card, key, CARD_SECURE_FUNCTION_AUTHENTICATE, many, 1, NULL, 0, &n, CARD_BLOCK_PADDING), INVALID);
	is("many parts", card.pfnCardProcessEncryptedData(&card, key, CARD_SECURE_FUNCTION_AUTHENTICATE, many, 1024, NULL, 0, &n, CARD_BLOCK_PADDING), INVALID);
	is("very many", card.pfnCardProcessEncryptedData(&card, key, CARD_SECURE_FUNCTION_AUTHENTICATE, many, huge, NULL, 0, &n, CARD_BLOCK_PADDING), INVALID);
	is("a shared key's name", card.pfnCardGetSharedKeyHandle(&card, bytes.data, huge, NULL, NULL, &key), INVALID);
	is("a session key", card.pfnMDImportSessionKey(&card, BCRYPT_KEY_DATA_BLOB, CARD_AES_ALGORITHM, &key, bytes.data, huge), INVALID);
	is("CardDestroyKey", card.pfnCardDestroyKey(&card, key), SCARD_S_SUCCESS);
	answer(wrong, NULL, 0);
}

/* Functions that are not for a context without a card say so whatever they are given; the others look at what they are given. */
void outside(char **argument)
{
	(void)argument;
	const DWORD none = (DWORD)SCARD_E_UNSUPPORTED_FEATURE;
	BYTE bytes[16];
	DWORD n = 0;

	wrong = 0;
	is("CardCreateContainer", card.pfnCardCreateContainer(&card, 0, CARD_CREATE_CONTAINER_KEY_IMPORT, AT_SIGNATURE, 2048, NULL), none);
	is("CardCreateContainerEx", card.pfnCardCreateContainerEx(&card, 0, CARD_CREATE_CONTAINER_KEY_IMPORT, AT_SIGNATURE, 2048, NULL, ROLE_ADMIN), none);
	is("CardDeleteContainer", card.pfnCardDeleteContainer(&card, 0, 1), none);
	is("CardGetContainerInfo", card.pfnCardGetContainerInfo(&card, 0, 1, NULL), none);
	is("CardReadFile", card.pfnCardReadFile(&card, NULL, NULL, 1, NULL, NULL), none);
	is("CardAuthenticateEx", card.pfnCardAuthenticateEx(&card, ROLE_ADMIN, 1, NULL, 1, NULL, NULL, NULL), none);
	is("CardDeauthenticateEx", card.pfnCardDeauthenticateEx(&card, 0, 1), none);
	is("CardGetProperty", card.pfnCardGetProperty(&card, NULL, NULL, 1, NULL, 1), none);
	is("CardSetProperty", card.pfnCardSetProperty(&card, NULL, NULL, 1, 1), none);
	is("CardImportSessionKey", card.pfnCardImportSessionKey(&card, 0, NULL, NULL, NULL, NULL, NULL, 1, 1), none);
	is("CardGetAlgorithmProperty", card.pfnCardGetAlgorithmProperty(&card, CARD_AES_ALGORITHM, CP_KEY_BLOCK_LENGTH, bytes, 4, &n, 1), INVALID);
	is("CardGetKeyProperty", card.pfnCardGetKeyProperty(&card, 1, CP_KEY_BLOCK_LENGTH, bytes, 4, &n, 1), INVALID);
	answer(wrong, NULL, 0);
}

/* What stood in CARD_DATA before stays there where it is the caller's, and nowhere else. A context without the caller's memory gives nothing out. */
void table(char **argument)
{
	(void)argument;
	static const size_t callers[] = {offsetof(CARD_DATA, pfnCspGetDHAgreement), offsetof(CARD_DATA, pfnCspUnpadData)};
	CARD_DATA poor = card;
	CARD_KEY_HANDLE key = 0;
	PCARD_ENCRYPTED_DATA parts = NULL;
	DWORD n = 0;
	struct bytes blob = bytes_of(session_key);
	CARD_AUTHENTICATE pin = {.dwVersion = CARD_AUTHENTICATE_CURRENT_VERSION, .PinId = ROLE_USER};

	wrong = 0;
	for (size_t at = offsetof(CARD_DATA, pfnCardDeleteContext); at < sizeof card; at += sizeof(PVOID)) {
		PVOID member;
		memcpy(&member, (char *)&card + at, sizeof member);
		int is_callers = at == callers[0] || at == callers[1];
		if ((member == (PVOID)UINTPTR_MAX) != is_callers) {
			wrong++;
			fprintf(stderr, "CARD_DATA at %zu: %p\n", at, member);
		}
	}
	poor.pfnCspAlloc = NULL;
	poor.pfnCspFree = NULL;
	is("MDImportSessionKey", card.pfnMDImportSessionKey(&poor, BCRYPT_KEY_DATA_BLOB, CARD_AES_ALGORITHM, &key, blob.data, blob.length), SCARD_S_SUCCESS);
	is("IV", card.pfnCardSetKeyProperty(&poor, key, CP_KEY_INITIALIZATON_VECTOR, blob.data, 16, 0), SCARD_S_SUCCESS);
	is("MDEncryptData", card.pfnMDEncryptData(&poor, key, CARD_SECURE_FUNCTION_AUTHENTICATE, (PBYTE)&pin, sizeof pin, CARD_BLOCK_PADDING, &parts, &n), INVALID);
	is("CardDestroyKey", card.pfnCardDestroyKey(&poor, key), SCARD_S_SUCCESS);
	answer(wrong, NULL, 0);
}

static void *use(void *unused)
{
	BYTE bytes[4];
	DWORD n = 0, status;

	do
		status = md->CardGetAlgorithmProperty(&card, CARD_AES_ALGORITHM, CP_KEY_BLOCK_LENGTH, bytes, sizeof bytes, &n, 0);
	while (status == SCARD_S_SUCCESS);
	return status == (DWORD)SCARD_E_INVALID_HANDLE ? unused : &card;
}

/* Threads use the context, and two delete it: one of them does. */
static void *end(void *copy)
{
	return md->CardDeleteContext(copy) == SCARD_S_SUCCESS ? copy : NULL;
}

void threads(char **argument)
{
	(void)argument;
	pthread_t users[2], enders[2];
	CARD_DATA copies[2] = {card, card};
	void *failed, *ended[2];

	wrong = 0;
	for (int i = 0; i < 2; i++)
		wrong += pthread_create(&users[i], NULL, use, NULL) != 0;
	for (int i = 0; i < 2; i++)
		wrong += pthread_create(&enders[i], NULL, end, &copies[i]) != 0;
	for (int i = 0; i < 2; i++)
		wrong += pthread_join(enders[i], &ended[i]) != 0;
	for (int i = 0; i < 2; i++)
		wrong += pthread_join(users[i], &failed) != 0 || failed != NULL;
	answer(wrong + ((ended[0] == NULL) == (ended[1] == NULL)), NULL, 0);
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
		CARD_DATA parents = card;
		if (card.pfnCardGetAlgorithmProperty(&card, CARD_AES_ALGORITHM, CP_KEY_BLOCK_LENGTH, iv, sizeof iv, &n, 0) != (DWORD)SCARD_E_INVALID_HANDLE)
			_exit(1);
		if (md->CardAcquireContext(&card, CARD_SECURE_KEY_INJECTION_NO_CARD_MODE) != SCARD_S_SUCCESS)
			_exit(2);
		if (md->CardDeleteContext(&parents) != (DWORD)SCARD_E_INVALID_HANDLE) /* though Go runs here now */
			_exit(3);
		if (card.pfnCardGetAlgorithmProperty(&card, CARD_AES_ALGORITHM, CP_KEY_BLOCK_LENGTH, iv, sizeof iv, &n, 0) != SCARD_S_SUCCESS)
			_exit(4);
		_exit(md->CardDeleteContext(&card) == SCARD_S_SUCCESS ? 0 : 5);
	}
	waitpid(child, &status, 0);
	answer((DWORD)status, NULL, 0);
}
