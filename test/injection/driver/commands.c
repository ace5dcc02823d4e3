/* The commands: each calls one function, as it stands in CARD_DATA. */
#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int given; /* pieces of memory that the library has and must give back or out */

static LPVOID allocate(SIZE_T n)
{
	given++;
	return malloc(n);
}

static LPVOID reallocate(LPVOID memory, SIZE_T n)
{
	return realloc(memory, n);
}

static VOID release(LPVOID memory)
{
	given--;
	free(memory);
}

void acquire(char **argument)
{
	memset(&card, 0xff, sizeof card); /* as on a stack: what the caller has to set, and nothing else, is set */
	card.dwVersion = number(argument[1]);
	card.pwszCardName = *argument[2] != 0 ? wide(argument[2]) : NULL;
	card.pfnCspAlloc = allocate;
	card.pfnCspReAlloc = reallocate;
	card.pfnCspFree = release;
	card.hScard = 17;
	DWORD status = md->CardAcquireContext(&card, number(argument[0]));
	DWORD hScard = (DWORD)card.hScard;
	answer(status, &hScard, sizeof hScard);
}

void delete_context(char **argument)
{
	(void)argument;
	answer(md->CardDeleteContext(&card), NULL, 0);
}

void authenticate(char **argument)
{
	DWORD attempts = 0;
	DWORD status = card.pfnCardAuthenticateEx(&card, ROLE_USER, 0, (PBYTE)argument[0], (DWORD)strlen(argument[0]), NULL, NULL, &attempts);

	answer(status, &attempts, sizeof attempts);
}

void create(char **argument)
{
	struct bytes key = bytes_of(argument[4]);

	answer(card.pfnCardCreateContainerEx(&card, (BYTE)number(argument[0]), number(argument[1]), number(argument[2]), number(argument[3]), key.length ? key.data : NULL,
		ROLE_USER), NULL, 0);
}

void delete_container(char **argument)
{
	answer(card.pfnCardDeleteContainer(&card, (BYTE)number(argument[0]), 0), NULL, 0);
}

void deauthenticate(char **argument)
{
	answer(card.pfnCardDeauthenticateEx(&card, (PIN_SET)number(argument[0]), 0), NULL, 0);
}

void info(char **argument)
{
	CONTAINER_INFO found = {.dwVersion = CONTAINER_INFO_CURRENT_VERSION};
	DWORD status = card.pfnCardGetContainerInfo(&card, (BYTE)number(argument[0]), 0, &found);

	if (status != SCARD_S_SUCCESS) {
		answer(status, NULL, 0);
		return;
	}
	if (found.pbSigPublicKey != NULL)
		answer(status, found.pbSigPublicKey, found.cbSigPublicKey);
	else
		answer(status, found.pbKeyExPublicKey, found.cbKeyExPublicKey);
	if (found.pbSigPublicKey != NULL)
		release(found.pbSigPublicKey);
	if (found.pbKeyExPublicKey != NULL)
		release(found.pbKeyExPublicKey);
}

void get_property(char **argument)
{
	DWORD length = 0, room = number(argument[2]);
	BYTE *out = room_of(room);
	DWORD status = card.pfnCardGetProperty(&card, wide(argument[0]), out, room, &length, number(argument[1]));

	answer(status, status == SCARD_S_SUCCESS ? out : (void *)&length, status == SCARD_S_SUCCESS ? length : (DWORD)sizeof length);
}

void set_property(char **argument)
{
	struct bytes value = bytes_of(argument[1]);

	answer(card.pfnCardSetProperty(&card, wide(argument[0]), value.data, value.length, 0), NULL, 0);
}

void algorithm_property(char **argument)
{
	DWORD length = 0, room = number(argument[2]);
	BYTE *out = room_of(room);
	DWORD status = card.pfnCardGetAlgorithmProperty(&card, wide(argument[0]), wide(argument[1]), out, room, &length, 0);

	answer(status, out, status == SCARD_S_SUCCESS ? length : 0);
}

static void answer_key(DWORD status, CARD_KEY_HANDLE key)
{
	uint64_t handle = key;

	answer(status, &handle, status == SCARD_S_SUCCESS ? (DWORD)sizeof handle : 0);
}

static CARD_KEY_HANDLE key_of(const char *hexadecimal)
{
	uint64_t handle = 0;
	struct bytes b = bytes_of(hexadecimal);

	memcpy(&handle, b.data, b.length < sizeof handle ? b.length : sizeof handle);
	return (CARD_KEY_HANDLE)handle;
}

void md_import(char **argument)
{
	CARD_KEY_HANDLE key = 0;
	struct bytes blob = bytes_of(argument[2]);
	DWORD status = card.pfnMDImportSessionKey(&card, wide(argument[0]), wide(argument[1]), &key, blob.data, blob.length);

	memset(blob.data, 0, blob.length);
	answer_key(status, key);
}

void import_session_key(char **argument)
{
	CARD_KEY_HANDLE key = 0;
	struct bytes blob = bytes_of(argument[5]);
	BCRYPT_OAEP_PADDING_INFO oaep = {wide(argument[2]), NULL, 0};
	DWORD status = card.pfnCardImportSessionKey(&card, (BYTE)number(argument[0]), *argument[2] != 0 ? &oaep : NULL, wide(argument[3]), wide(argument[4]), &key, blob.data,
		blob.length, number(argument[1]));

	answer_key(status, key);
}

void shared_key(char **argument)
{
	CARD_KEY_HANDLE key = 0;
	PBYTE out = NULL;
	DWORD length = 9;
	struct bytes id = bytes_of(argument[0]);
	DWORD status = card.pfnCardGetSharedKeyHandle(&card, id.data, id.length, &out, &length, &key);

	answer_key(status, key);
}

void set_key_property(char **argument)
{
	struct bytes value = bytes_of(argument[2]);

	answer(card.pfnCardSetKeyProperty(&card, key_of(argument[0]), wide(argument[1]), value.data, value.length, 0), NULL, 0);
}

void get_key_property(char **argument)
{
	DWORD length = 0, room = number(argument[2]);
	BYTE *out = room_of(room);
	DWORD status = card.pfnCardGetKeyProperty(&card, key_of(argument[0]), wide(argument[1]), out, room, &length, 0);

	answer(status, out, status == SCARD_S_SUCCESS ? length : 0);
}

void encrypt(char **argument)
{
	struct bytes plain = bytes_of(argument[2]);
	PCARD_ENCRYPTED_DATA parts = NULL;
	DWORD count = 0;
	DWORD status = card.pfnMDEncryptData(&card, key_of(argument[0]), wide(argument[1]), plain.data, plain.length, number(argument[3]), &parts, &count);

	memset(plain.data, 0, plain.length);
	if (status != SCARD_S_SUCCESS || count != 1) {
		answer(status, NULL, 0);
		return;
	}
	answer(status, parts[0].pbEncryptedData, parts[0].cbEncryptedData);
	release(parts[0].pbEncryptedData);
	release(parts);
}

/* The second half of what is encrypted is a part of its own. */
void process(char **argument)
{
	struct bytes whole = bytes_of(argument[2]);
	DWORD half = whole.length / 2, length = 0, room = number(argument[3]);
	CARD_ENCRYPTED_DATA parts[2] = {{whole.data, half}, {whole.data + half, whole.length - half}};
	BYTE *out = room_of(room);
	DWORD status = card.pfnCardProcessEncryptedData(&card, key_of(argument[0]), wide(argument[1]), parts, 2, room ? out : NULL, room, room ? &length : NULL,
		number(argument[4]));

	answer(status, out, status == SCARD_S_SUCCESS ? length : 0);
}

void destroy_key(char **argument)
{
	answer(card.pfnCardDestroyKey(&card, key_of(argument[0])), NULL, 0);
}

void read_file(char **argument)
{
	PBYTE data = NULL;
	DWORD length = 0;
	DWORD status = card.pfnCardReadFile(&card, argument[0], argument[1], 0, &data, &length);

	answer(status, data, length);
	if (data != NULL)
		release(data);
	if (given != 0)
		fprintf(stderr, "%d pieces of memory are missing\n", given);
}
