/* B06, B12, B16, B18: what is no handle of the right kind is NTE_INVALID_HANDLE in every function. */
#include "driver.h"

/* Every function with a handle, and everything else as it should be. */
static void refused(const char *what, NCRYPT_HANDLE h, bool provider, bool key, bool secret)
{
	NCRYPT_KEY_HANDLE made = 0;
	NCryptKeyName *name = NULL;
	NCryptAlgorithmName *list = NULL;
	PVOID state = NULL;
	HANDLE event = NULL;
	BYTE data[32] = {0}, out[300];
	DWORD size = 0;
	struct {
		const char *name;
		SECURITY_STATUS got;
	} calls[32];
	size_t count = 0;

#define CALL(function, ...) calls[count].name = #function, calls[count++].got = n->function(__VA_ARGS__)
	if (!provider) {
		CALL(NCryptEnumAlgorithms, h, 0, &size, &list, 0);
		CALL(NCryptIsAlgSupported, h, NCRYPT_RSA_ALGORITHM, 0);
		CALL(NCryptEnumKeys, h, NULL, &name, &state, 0);
		CALL(NCryptOpenKey, h, &made, u"name", 0, 0);
		CALL(NCryptCreatePersistedKey, h, &made, NCRYPT_RSA_ALGORITHM, NULL, 0, 0);
		CALL(NCryptImportKey, h, 0, BCRYPT_RSAPUBLIC_BLOB, NULL, &made, data, sizeof data, 0);
		CALL(NCryptNotifyChangeKey, h, &event, NCRYPT_REGISTER_NOTIFY_FLAG);
	}
	if (!key) {
		CALL(NCryptFinalizeKey, h, 0);
		CALL(NCryptEncrypt, h, data, sizeof data, NULL, out, sizeof out, &size, NCRYPT_PAD_PKCS1_FLAG);
		CALL(NCryptDecrypt, h, data, sizeof data, NULL, out, sizeof out, &size, NCRYPT_PAD_PKCS1_FLAG);
		CALL(NCryptExportKey, h, 0, BCRYPT_RSAPUBLIC_BLOB, NULL, out, sizeof out, &size, 0);
		CALL(NCryptSignHash, h, NULL, data, sizeof data, out, sizeof out, &size, 0);
		CALL(NCryptVerifySignature, h, NULL, data, sizeof data, out, sizeof out, 0);
		CALL(NCryptDeleteKey, h, 0);
		CALL(NCryptSecretAgreement, h, h, &made, 0);
		CHECK(!n->NCryptIsKeyHandle(h));
	}
	if (!secret)
		CALL(NCryptDeriveKey, h, BCRYPT_KDF_RAW_SECRET, NULL, out, sizeof out, &size, 0);
	if (!provider && !key && !secret) {
		CALL(NCryptGetProperty, h, NCRYPT_NAME_PROPERTY, out, sizeof out, &size, 0);
		CALL(NCryptSetProperty, h, NCRYPT_USE_CONTEXT_PROPERTY, data, sizeof data, 0);
		CALL(NCryptFreeObject, h);
	}
	for (size_t i = 0; i < count; i++)
		if (calls[i].got != NTE_INVALID_HANDLE)
			fail("%s: %s: %#x", calls[i].name, what, (unsigned)calls[i].got);
	CHECK(count > 0);
}

static void garbage(void)
{
	static const NCRYPT_HANDLE numbers[] = {0, 1, 4, (NCRYPT_HANDLE)-1, (NCRYPT_HANDLE)-4, 0x7fffffffffff, 0xdeadbeef};

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		refused("before anything was opened", numbers[i], false, false, false);
	NCRYPT_PROV_HANDLE provider = open_provider();
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		refused("a number", numbers[i], false, false, false);
	refused("a pointer", (NCRYPT_HANDLE)&provider, false, false, false);
	refused("a handle, changed", provider + 1, false, false, false);
}

static void kinds(void)
{
	NCRYPT_PROV_HANDLE provider = open_provider();
	NCRYPT_KEY_HANDLE key = make_key(provider, NCRYPT_ECDH_P256_ALGORITHM, NULL);
	NCRYPT_SECRET_HANDLE secret = 0;

	NEED(n->NCryptSecretAgreement(key, key, &secret, 0));
	refused("a provider", provider, true, false, false);
	refused("a key", key, false, true, false);
	refused("a secret", secret, false, false, true);
	IS(n->NCryptSecretAgreement(key, provider, &secret, 0), NTE_INVALID_HANDLE);
	IS(n->NCryptFinalizeKey(key, 0), NTE_INVALID_HANDLE);
}

static void freed(void)
{
	NCRYPT_PROV_HANDLE provider = open_provider();
	NCRYPT_KEY_HANDLE unnamed = make_key(provider, NCRYPT_ECDSA_P256_ALGORITHM, NULL), named = make_key(provider, NCRYPT_ECDSA_P256_ALGORITHM, u"freed");

	OK(n->NCryptFreeObject(unnamed));
	refused("a freed key", unnamed, false, false, false);
	OK(n->NCryptDeleteKey(named, 0));
	refused("a deleted key", named, false, false, false);
	OK(n->NCryptFreeObject(provider));
	refused("a freed provider", provider, false, false, false);
	CHECK(open_provider() != provider);
}

const struct test handle_tests[] = {
	{"B06-B12-B16-garbage", "numbers that are no handles are refused, before the library was used and after", garbage},
	{"B16-kinds", "a handle of another kind is refused", kinds},
	{"B16-B18-freed", "a handle that was freed, or whose key was deleted, is refused, and not given again", freed},
	{NULL, NULL, NULL},
};
