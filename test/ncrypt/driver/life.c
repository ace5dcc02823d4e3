/* What programs do with keys. */
#include "driver.h"

static BYTE hash[32] = {1, 2, 3};

static void table(void)
{
	CK_INTERFACE *named = NULL, *versioned = NULL, *other = NULL;

	OK(get_interface((CK_UTF8CHAR *)"Vendor NCrypt", NULL, &named, 0));
	OK(get_interface((CK_UTF8CHAR *)"Vendor NCrypt", &(CK_VERSION){1, 0}, &versioned, 0));
	CHECK(named == versioned && named->pFunctionList == n);
	CHECK(get_interface((CK_UTF8CHAR *)"Vendor NCrypt", &(CK_VERSION){1, 1}, &other, 0) != CKR_OK);
	CHECK(n->major == 1 && n->minor == 0);
	for (size_t i = 1; i < sizeof *n / sizeof(void *); i++)
		CHECK(((void *const *)n)[i] != NULL);
}

/* B71: no buffer gives the length, a short one the length and NTE_BUFFER_TOO_SMALL. */
static void outputs(void)
{
	NCRYPT_PROV_HANDLE provider = open_provider();
	NCRYPT_KEY_HANDLE key = make_key(provider, NCRYPT_ECDSA_P256_ALGORITHM, NULL);
	BYTE out[80];
	DWORD size = 0;

	OK(n->NCryptSignHash(key, NULL, hash, sizeof hash, NULL, 0, &size, 0));
	CHECK(size == 64);
	size = 0;
	IS(n->NCryptSignHash(key, NULL, hash, sizeof hash, out, 63, &size, 0), NTE_BUFFER_TOO_SMALL);
	CHECK(size == 64);
	OK(n->NCryptSignHash(key, NULL, hash, sizeof hash, out, 64, &size, 0));
	OK(n->NCryptVerifySignature(key, NULL, hash, sizeof hash, out, size, 0));
	out[5] ^= 1;
	IS(n->NCryptVerifySignature(key, NULL, hash, sizeof hash, out, size, 0), NTE_BAD_SIGNATURE);
	OK(n->NCryptExportKey(key, 0, BCRYPT_ECCPUBLIC_BLOB, NULL, NULL, 0, &size, 0));
	CHECK(size == sizeof(BCRYPT_ECCKEY_BLOB) + 64);
	IS(n->NCryptExportKey(key, 0, BCRYPT_ECCPUBLIC_BLOB, NULL, out, size - 1, &size, 0), NTE_BUFFER_TOO_SMALL);
	CHECK(size == 72);
	IS(n->NCryptGetProperty(key, NCRYPT_LENGTH_PROPERTY, out, 3, &size, 0), NTE_BUFFER_TOO_SMALL);
	CHECK(size == 4);
	OK(n->NCryptGetProperty(key, NCRYPT_LENGTH_PROPERTY, out, 4, &size, 0));
	CHECK(*(DWORD *)(void *)out == 256);
}

static void rsa(void)
{
	static const struct {
		LPCWSTR hash;
		DWORD flags;
	} ways[] = {{NULL, NCRYPT_PAD_PKCS1_FLAG}, {NCRYPT_SHA256_ALGORITHM, NCRYPT_PAD_PKCS1_FLAG}, {NCRYPT_SHA256_ALGORITHM, NCRYPT_PAD_PSS_FLAG}};
	NCRYPT_KEY_HANDLE key = make_key(open_provider(), NCRYPT_RSA_ALGORITHM, NULL);
	BYTE out[128], back[128];
	DWORD size, got;

	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		BCRYPT_PSS_PADDING_INFO info = {ways[i].hash, 32};
		OK(n->NCryptSignHash(key, &info, hash, sizeof hash, out, sizeof out, &size, ways[i].flags));
		OK(n->NCryptVerifySignature(key, &info, hash, sizeof hash, out, size, ways[i].flags));
	}
	IS(n->NCryptSignHash(key, NULL, hash, sizeof hash, out, sizeof out, &size, 0), NTE_INVALID_PARAMETER);
	BCRYPT_OAEP_PADDING_INFO oaep = {NCRYPT_SHA256_ALGORITHM, (PUCHAR) "label", 5};
	OK(n->NCryptEncrypt(key, hash, sizeof hash, &oaep, out, sizeof out, &size, NCRYPT_PAD_OAEP_FLAG));
	OK(n->NCryptDecrypt(key, out, size, &oaep, back, sizeof back, &got, NCRYPT_PAD_OAEP_FLAG));
	CHECK(got == sizeof hash && memcmp(back, hash, got) == 0);
	oaep.cbLabel = 4;
	IS(n->NCryptDecrypt(key, out, size, &oaep, back, sizeof back, &got, NCRYPT_PAD_OAEP_FLAG), NTE_DECRYPTION_FAILURE);
	IS(n->NCryptEncrypt(key, hash, sizeof hash, &oaep, out, sizeof out, &size, NCRYPT_PAD_OAEP_FLAG | NCRYPT_PAD_PKCS1_FLAG), NTE_BAD_FLAGS);
}

/* In place, as programs do it. */
static void aes(void)
{
	NCRYPT_KEY_HANDLE key = make_key(open_provider(), NCRYPT_AES_ALGORITHM, NULL);
	BYTE iv[16] = {7}, data[48] = "what is encrypted where it stands";
	NCRYPT_CIPHER_PADDING_INFO info = {sizeof info, NCRYPT_CIPHER_BLOCK_PADDING_FLAG, iv, sizeof iv, NULL, 0};
	DWORD size = 0;

	OK(n->NCryptEncrypt(key, data, 33, &info, data, sizeof data, &size, NCRYPT_PAD_CIPHER_FLAG));
	CHECK(size == 48 && memcmp(data, "what", 4) != 0);
	OK(n->NCryptDecrypt(key, data, size, &info, data, sizeof data, &size, NCRYPT_PAD_CIPHER_FLAG));
	CHECK(size == 33 && memcmp(data, "what is encrypted where it stands", size) == 0);
	info.cbSize--;
	IS(n->NCryptEncrypt(key, data, 33, &info, data, sizeof data, &size, NCRYPT_PAD_CIPHER_FLAG), NTE_INVALID_PARAMETER);
}

static void agreement(void)
{
	NCRYPT_PROV_HANDLE provider = open_provider();
	NCRYPT_KEY_HANDLE a = make_key(provider, NCRYPT_ECDH_P256_ALGORITHM, NULL), b = make_key(provider, NCRYPT_ECDH_P256_ALGORITHM, NULL);
	NCRYPT_SECRET_HANDLE ab = 0, ba = 0;
	NCryptBuffer hashed = {(ULONG)length(NCRYPT_SHA256_ALGORITHM), KDF_HASH_ALGORITHM, (PVOID)NCRYPT_SHA256_ALGORITHM};
	NCryptBufferDesc list = {NCRYPTBUFFER_VERSION, 1, &hashed};
	BYTE one[32], two[32];
	DWORD size = 0;

	OK(n->NCryptSecretAgreement(a, b, &ab, 0));
	OK(n->NCryptSecretAgreement(b, a, &ba, 0));
	OK(n->NCryptDeriveKey(ab, BCRYPT_KDF_HASH, &list, NULL, 0, &size, 0));
	CHECK(size == 32);
	OK(n->NCryptDeriveKey(ab, BCRYPT_KDF_HASH, &list, one, sizeof one, &size, 0));
	OK(n->NCryptDeriveKey(ba, BCRYPT_KDF_HASH, &list, two, sizeof two, &size, 0));
	CHECK(size == 32 && memcmp(one, two, 32) == 0);
	OK(n->NCryptFreeObject(ab));
	IS(n->NCryptDeriveKey(ab, BCRYPT_KDF_HASH, &list, one, sizeof one, &size, 0), NTE_INVALID_HANDLE);
}

static void named(void)
{
	NCRYPT_PROV_HANDLE provider = open_provider();
	NCRYPT_KEY_HANDLE key = make_exportable(provider, NCRYPT_RSA_ALGORITHM), imported = 0, opened = 0;
	NCryptBuffer name = {(ULONG)length(u"Imported"), NCRYPTBUFFER_PKCS_KEY_NAME, (PVOID)u"Imported"};
	NCryptBufferDesc list = {NCRYPTBUFFER_VERSION, 1, &name};
	BYTE blob[700];
	WCHAR back[40];
	DWORD size = 0;

	OK(n->NCryptExportKey(key, 0, BCRYPT_RSAFULLPRIVATE_BLOB, NULL, blob, sizeof blob, &size, 0));
	CHECK(size == 603);
	OK(n->NCryptImportKey(provider, 0, BCRYPT_RSAFULLPRIVATE_BLOB, &list, &imported, blob, size, 0));
	IS(n->NCryptImportKey(provider, 0, BCRYPT_RSAFULLPRIVATE_BLOB, &list, &opened, blob, size, 0), NTE_EXISTS);
	OK(n->NCryptOpenKey(provider, &opened, u"Imported", 0, 0));
	OK(n->NCryptGetProperty(opened, NCRYPT_NAME_PROPERTY, (PBYTE)back, sizeof back, &size, 0));
	CHECK(size == length(u"Imported") && memcmp(back, u"Imported", size) == 0);
	CHECK(n->NCryptIsKeyHandle(opened) && !n->NCryptIsKeyHandle(provider) && !n->NCryptIsKeyHandle(0));
	list.ulVersion = 1;
	IS(n->NCryptImportKey(provider, 0, BCRYPT_RSAFULLPRIVATE_BLOB, &list, &key, blob, 603, 0), NTE_INVALID_PARAMETER);
	OK(n->NCryptDeleteKey(opened, 0));
	IS(n->NCryptOpenKey(provider, &opened, u"Imported", 0, 0), NTE_BAD_KEYSET);
	IS(n->NCryptOpenStorageProvider(&provider, u"Nobody's Key Storage Provider", 0), NTE_BAD_PROVIDER);
}

/* A policy for dialogs is taken and given back, without the texts that it points to. */
static void ui_policy(void)
{
	NCRYPT_KEY_HANDLE key = 0;
	NCRYPT_UI_POLICY policy = {1, NCRYPT_UI_PROTECT_KEY_FLAG, u"title", u"name", u"description"}, back;
	DWORD size = 0;

	OK(n->NCryptCreatePersistedKey(open_provider(), &key, NCRYPT_RSA_ALGORITHM, NULL, 0, 0));
	IS(n->NCryptSetProperty(key, NCRYPT_UI_POLICY_PROPERTY, (PBYTE)&policy, sizeof policy - 1, 0), NTE_BAD_DATA);
	OK(n->NCryptSetProperty(key, NCRYPT_UI_POLICY_PROPERTY, (PBYTE)&policy, sizeof policy, 0));
	OK(n->NCryptGetProperty(key, NCRYPT_UI_POLICY_PROPERTY, (PBYTE)&back, sizeof back, &size, 0));
	CHECK(size == sizeof back && back.dwFlags == policy.dwFlags && back.pszCreationTitle == NULL && back.pszDescription == NULL);
}

const struct test life_tests[] = {
	{"table", "C_GetInterface gives the table by its name, without a version or with 1.0", table},
	{"B71-outputs", "without a buffer there is the length, in a short one nothing but the length", outputs},
	{"rsa", "keys sign and decrypt with each padding, which its flag alone tells", rsa},
	{"aes", "a cipher may write over what it reads", aes},
	{"agreement", "two keys agree on a secret, and derive the same key of it", agreement},
	{"named", "an imported key is kept under its name, opened and deleted", named},
	{"ui-policy", "pointers into the caller's memory are not given to anybody later", ui_policy},
	{NULL, NULL, NULL},
};
