/* NULL, argument by argument. */
#include "driver.h"

static NCRYPT_PROV_HANDLE provider;
static NCRYPT_KEY_HANDLE key, out_key;
static BYTE data[32], out[300];
static DWORD size;

static void providers(void)
{
	DWORD count = 0;
	NCryptProviderName *list = NULL;
	NCryptAlgorithmName *names = NULL;

	IS(n->NCryptOpenStorageProvider(NULL, MS_KEY_STORAGE_PROVIDER, 0), NTE_INVALID_PARAMETER);
	OK(n->NCryptOpenStorageProvider(&provider, NULL, 0)); /* the default */
	IS(n->NCryptEnumStorageProviders(NULL, &list, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptEnumStorageProviders(&count, NULL, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptEnumAlgorithms(provider, 0, NULL, &names, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptEnumAlgorithms(provider, 0, &count, NULL, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptIsAlgSupported(provider, NULL, 0), NULL_POINTER);
	IS(n->NCryptNotifyChangeKey(provider, NULL, NCRYPT_REGISTER_NOTIFY_FLAG), NTE_INVALID_PARAMETER);
	IS(n->NCryptFreeBuffer(NULL), NTE_INVALID_PARAMETER);
	IS(n->NCryptFreeObject(0), NTE_INVALID_HANDLE);
}

static void keys(void)
{
	PVOID state = NULL;
	NCryptKeyName *name = NULL;

	provider = open_provider();
	IS(n->NCryptOpenKey(provider, NULL, u"name", 0, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptOpenKey(provider, &out_key, NULL, 0, 0), NULL_POINTER);
	IS(n->NCryptCreatePersistedKey(provider, NULL, NCRYPT_RSA_ALGORITHM, NULL, 0, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptCreatePersistedKey(provider, &out_key, NULL, NULL, 0, 0), NULL_POINTER); /* B07 */
	IS(n->NCryptEnumKeys(provider, NULL, NULL, &state, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptEnumKeys(provider, NULL, &name, NULL, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptImportKey(provider, 0, NULL, NULL, &out_key, data, sizeof data, 0), NULL_POINTER);
	IS(n->NCryptImportKey(provider, 0, BCRYPT_RSAPUBLIC_BLOB, NULL, NULL, data, sizeof data, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptImportKey(provider, 0, BCRYPT_RSAPUBLIC_BLOB, NULL, &out_key, NULL, sizeof data, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptImportKey(provider, 0, BCRYPT_RSAPUBLIC_BLOB, NULL, &out_key, data, 0, 0), NTE_INVALID_PARAMETER);
	CHECK(out_key == 0);
}

static void uses(void)
{
	BCRYPT_PKCS1_PADDING_INFO info = {NULL};
	NCRYPT_KEY_HANDLE other;
	NCRYPT_SECRET_HANDLE secret = 0;

	provider = open_provider();
	key = make_key(provider, NCRYPT_RSA_ALGORITHM, NULL);
	IS(n->NCryptGetProperty(key, NULL, out, sizeof out, &size, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptGetProperty(key, NCRYPT_LENGTH_PROPERTY, out, sizeof out, NULL, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptSetProperty(key, NULL, data, sizeof data, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptSetProperty(key, NCRYPT_USE_CONTEXT_PROPERTY, NULL, 0, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptSetProperty(key, NCRYPT_USE_CONTEXT_PROPERTY, NULL, 4, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptEncrypt(key, NULL, 4, NULL, out, sizeof out, &size, NCRYPT_PAD_PKCS1_FLAG), NULL_POINTER);
	IS(n->NCryptEncrypt(key, data, 4, NULL, out, sizeof out, NULL, NCRYPT_PAD_PKCS1_FLAG), NTE_INVALID_PARAMETER);
	IS(n->NCryptEncrypt(key, data, 4, NULL, out, sizeof out, &size, NCRYPT_PAD_OAEP_FLAG), NTE_INVALID_PARAMETER);
	IS(n->NCryptDecrypt(key, NULL, 0, NULL, out, sizeof out, &size, NCRYPT_PAD_PKCS1_FLAG), NULL_POINTER);
	IS(n->NCryptExportKey(key, 0, NULL, NULL, out, sizeof out, &size, 0), NULL_POINTER);
	IS(n->NCryptExportKey(key, 0, BCRYPT_RSAPUBLIC_BLOB, NULL, out, sizeof out, NULL, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptSignHash(key, &info, NULL, 32, out, sizeof out, &size, NCRYPT_PAD_PKCS1_FLAG), NULL_POINTER);
	IS(n->NCryptSignHash(key, &info, data, 32, out, sizeof out, NULL, NCRYPT_PAD_PKCS1_FLAG), NTE_INVALID_PARAMETER);
	IS(n->NCryptSignHash(key, NULL, data, 32, out, sizeof out, &size, NCRYPT_PAD_PKCS1_FLAG), NTE_INVALID_PARAMETER);
	IS(n->NCryptVerifySignature(key, &info, NULL, 32, out, 128, NCRYPT_PAD_PKCS1_FLAG), NULL_POINTER); /* B72 */
	IS(n->NCryptVerifySignature(key, &info, data, 32, NULL, 128, NCRYPT_PAD_PKCS1_FLAG), NULL_POINTER);
	other = make_key(provider, NCRYPT_ECDH_P256_ALGORITHM, NULL);
	IS(n->NCryptSecretAgreement(other, other, NULL, 0), NTE_INVALID_PARAMETER);
	NEED(n->NCryptSecretAgreement(other, other, &secret, 0));
	IS(n->NCryptDeriveKey(secret, NULL, NULL, out, sizeof out, &size, 0), NULL_POINTER);
	IS(n->NCryptDeriveKey(secret, BCRYPT_KDF_RAW_SECRET, NULL, out, sizeof out, NULL, 0), NTE_INVALID_PARAMETER);
}

static void parameters(void)
{
	NCryptBuffer buffer = {4, NCRYPTBUFFER_PKCS_KEY_NAME, NULL};
	NCryptBufferDesc list = {NCRYPTBUFFER_VERSION, 1, NULL};

	provider = open_provider();
	IS(n->NCryptImportKey(provider, 0, BCRYPT_RSAFULLPRIVATE_BLOB, &list, &out_key, data, sizeof data, 0), NTE_INVALID_PARAMETER);
	list.pBuffers = &buffer;
	IS(n->NCryptImportKey(provider, 0, BCRYPT_RSAFULLPRIVATE_BLOB, &list, &out_key, data, sizeof data, 0), NTE_INVALID_PARAMETER);
	list.cBuffers = 0xffffffff;
	IS(n->NCryptImportKey(provider, 0, BCRYPT_RSAFULLPRIVATE_BLOB, &list, &out_key, data, sizeof data, 0), NTE_INVALID_PARAMETER);
}

const struct test null_tests[] = {
	{"null-providers", "functions of providers refuse each NULL that they cannot do without", providers},
	{"B07-null-keys", "functions that give keys refuse each NULL that they cannot do without", keys},
	{"null-uses", "functions of keys refuse each NULL that they cannot do without", uses},
	{"null-parameters", "a list of parameters that is not there is refused", parameters},
	{NULL, NULL, NULL},
};
