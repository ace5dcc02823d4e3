/* The smart card provider. */
#include "driver.h"

#include <stdlib.h>

static const BYTE d[32] = {1}; /* a private key */

static SECURITY_STATUS create(NCRYPT_PROV_HANDLE provider, LPCWSTR name)
{
	NCRYPT_KEY_HANDLE key = 0;
	SECURITY_STATUS status = n->NCryptCreatePersistedKey(provider, &key, NCRYPT_ECDSA_P256_ALGORITHM, name, AT_SIGNATURE, 0);

	if (status == ERROR_SUCCESS) {
		status = n->NCryptFinalizeKey(key, 0);
		OK(n->NCryptFreeObject(key));
	}
	return status;
}

/* A private key on P-256, as PKCS #8 without its public half. */
static SECURITY_STATUS import(NCRYPT_PROV_HANDLE provider, LPCWSTR name)
{
	static const BYTE head[] = {0x30, 0x41, 2, 1, 0, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7,
		4, 0x27, 0x30, 0x25, 2, 1, 1, 4, 0x20};
	BYTE blob[sizeof head + sizeof d];
	NCryptBuffer buffer = {(ULONG)length(name), NCRYPTBUFFER_PKCS_KEY_NAME, (PVOID)(uintptr_t)name};
	NCryptBufferDesc list = {NCRYPTBUFFER_VERSION, 1, &buffer};
	NCRYPT_KEY_HANDLE key = 0;

	memcpy(blob, head, sizeof head);
	memcpy(blob + sizeof head, d, sizeof d);
	SECURITY_STATUS status = n->NCryptImportKey(provider, 0, NCRYPT_PKCS8_PRIVATE_KEY_BLOB, &list, &key, blob, sizeof blob, 0);
	CHECK((key != 0) == (status == ERROR_SUCCESS));
	return status;
}

/* The same key by C_CreateObject, in the token of the only slot that has one. */
static CK_RV create_object(void)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_KEY_TYPE type = CKK_EC;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_BYTE curve[] = {6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
	CK_ATTRIBUTE attributes[] = {{CKA_CLASS, &class, sizeof class}, {CKA_KEY_TYPE, &type, sizeof type}, {CKA_TOKEN, &yes, 1}, {CKA_DERIVE, &no, 1},
		{CKA_EC_PARAMS, curve, sizeof curve}, {CKA_VALUE, (void *)(uintptr_t)d, sizeof d}, {CKA_SIGN, &yes, 1}};
	CK_SLOT_ID slots[8];
	CK_ULONG count = 8;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE object;

	if (p->C_Initialize(NULL) != CKR_OK || p->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK || count == 0)
		return CKR_GENERAL_ERROR;
	if (p->C_OpenSession(slots[0], CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session) != CKR_OK)
		return CKR_GENERAL_ERROR;
	return p->C_CreateObject(session, attributes, sizeof attributes / sizeof *attributes, &object);
}

static void cards(void)
{
	NCRYPT_PROV_HANDLE provider = 0;
	NCryptKeyName *name = NULL;
	PVOID state = NULL;
	NCRYPT_KEY_HANDLE key = 0;

	CHECK(system("ncrypt11 init --label card --login none --profile smart-card >/dev/null") == 0);
	OK(n->NCryptOpenStorageProvider(&provider, MS_SMART_CARD_KEY_STORAGE_PROVIDER, 0));
	IS(create(provider, u"\\\\.\\nobody\\key"), SCARD_E_NO_SMARTCARD);
	IS(create(provider, u"a\\b"), NTE_INVALID_PARAMETER);
	OK(create(provider, u"\\\\.\\card\\key"));
	IS(create(provider, u"KEY"), NTE_EXISTS);
	OK(n->NCryptOpenKey(provider, &key, u"key", AT_SIGNATURE, 0));
	IS(n->NCryptOpenKey(provider, &key, u"key", AT_KEYEXCHANGE, 0), NTE_BAD_KEYSET);
	OK(n->NCryptEnumKeys(provider, u"\\\\.\\card\\", &name, &state, 0));
	CHECK(length(name->pszName) == length(u"key") && name->dwLegacyKeySpec == AT_SIGNATURE);
	IS(n->NCryptEnumKeys(provider, u"\\\\.\\card\\", &name, &state, 0), NTE_NO_MORE_ITEMS);
	IS(import(provider, u"from outside"), NTE_PERM);
	CHECK(create_object() == CKR_ACTION_PROHIBITED);
	CHECK(system("ncrypt11 init --label open --login none --profile smart-card --allow-import exchange,signature >/dev/null") == 0);
	OK(import(provider, u"\\\\.\\open\\from outside"));
	IS(import(provider, u"\\\\.\\card\\from outside"), NTE_PERM);
	OK(n->NCryptOpenKey(provider, &key, u"from outside", 0, 0));
}

static void none(void)
{
	NCRYPT_PROV_HANDLE provider = 0;
	NCRYPT_KEY_HANDLE key = 0;

	OK(n->NCryptOpenStorageProvider(&provider, MS_SMART_CARD_KEY_STORAGE_PROVIDER, 0));
	IS(create(provider, u"key"), SCARD_E_NO_SMARTCARD);
	IS(n->NCryptOpenKey(provider, &key, u"key", 0, 0), SCARD_E_NO_SMARTCARD);
	OK(create(provider, NULL)); /* the software provider's */
}

const struct test card_tests[] = {
	{"B87-cards", "a card makes keys in readers by name, and takes in those from outside that it was made to", cards},
	{"no-cards", "without a card, keys that have a name are SCARD_E_NO_SMARTCARD", none},
	{NULL, NULL, NULL},
};
