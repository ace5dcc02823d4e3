/* Texts, lists and buffers that end where memory ends, and lengths that lie: no sanitizer sees what Go code reads and writes. */
#include "driver.h"

#include <stdlib.h>

static LPCWSTR text_at_edge(LPCWSTR text)
{
	return at_edge(text, length(text));
}

static void inputs(void)
{
	NCRYPT_PROV_HANDLE *provider = edge(sizeof *provider);
	NCRYPT_KEY_HANDLE *key = edge(sizeof *key);
	DWORD *size = edge(sizeof *size), bits = 1024;
	LPCWSTR name = text_at_edge(u"edge");
	BYTE *blob = edge(603);

	NEED(n->NCryptOpenStorageProvider(provider, text_at_edge(MS_KEY_STORAGE_PROVIDER), 0));
	NEED(n->NCryptCreatePersistedKey(*provider, key, text_at_edge(NCRYPT_RSA_ALGORITHM), name, 0, 0));
	OK(n->NCryptSetProperty(*key, text_at_edge(NCRYPT_LENGTH_PROPERTY), at_edge(&bits, sizeof bits), sizeof bits, 0));
	bits = NCRYPT_ALLOW_EXPORT_FLAG | NCRYPT_ALLOW_PLAINTEXT_EXPORT_FLAG;
	OK(n->NCryptSetProperty(*key, text_at_edge(NCRYPT_EXPORT_POLICY_PROPERTY), at_edge(&bits, sizeof bits), sizeof bits, 0));
	OK(n->NCryptFinalizeKey(*key, 0));
	OK(n->NCryptGetProperty(*key, NCRYPT_LENGTH_PROPERTY, edge(4), 4, size, 0));
	OK(n->NCryptExportKey(*key, 0, BCRYPT_RSAFULLPRIVATE_BLOB, NULL, blob, 603, size, 0));
	NCryptBuffer buffer = {(ULONG)length(u"edge 2"), NCRYPTBUFFER_PKCS_KEY_NAME, (PVOID)text_at_edge(u"edge 2")};
	NCryptBufferDesc list = {NCRYPTBUFFER_VERSION, 1, at_edge(&buffer, sizeof buffer)};
	OK(n->NCryptImportKey(*provider, 0, text_at_edge(BCRYPT_RSAFULLPRIVATE_BLOB), at_edge(&list, sizeof list), edge(8), blob, 603, 0));
	OK(n->NCryptOpenKey(*provider, key, text_at_edge(u"edge 2"), 0, 0));
	BCRYPT_PSS_PADDING_INFO pss = {text_at_edge(NCRYPT_SHA256_ALGORITHM), 32};
	BYTE *signature = edge(128);
	PVOID info = at_edge(&pss, sizeof pss);
	OK(n->NCryptSignHash(*key, info, at_edge("0123456789abcdef0123456789abcdef", 32), 32, signature, 128, size, NCRYPT_PAD_PSS_FLAG));
	OK(n->NCryptVerifySignature(*key, info, at_edge("0123456789abcdef0123456789abcdef", 32), 32, signature, 128, NCRYPT_PAD_PSS_FLAG));
	info = at_edge(&(BCRYPT_PKCS1_PADDING_INFO){pss.pszAlgId}, sizeof(BCRYPT_PKCS1_PADDING_INFO));
	OK(n->NCryptSignHash(*key, info, edge(32), 32, signature, 128, size, NCRYPT_PAD_PKCS1_FLAG));
	NCryptKeyName **item = edge(sizeof *item);
	PVOID *state = at_edge(&(PVOID){NULL}, sizeof *state);
	OK(n->NCryptEnumKeys(*provider, NULL, item, state, 0));
}

/* Texts without an end, and such as are none. */
static void texts(void)
{
	NCRYPT_PROV_HANDLE provider = open_provider();
	NCRYPT_KEY_HANDLE key = 0;
	static WCHAR endless[70000];
	static const WCHAR half[] = {u'a', 0xD800, u'b', 0}, pair[] = {0xD83D, 0xDD11, 0};

	for (size_t i = 0; i < sizeof endless / sizeof *endless; i++)
		endless[i] = u'x';
	IS(n->NCryptCreatePersistedKey(provider, &key, NCRYPT_RSA_ALGORITHM, at_edge(endless, sizeof endless), 0, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptOpenKey(provider, &key, at_edge(endless, sizeof endless), 0, 0), NTE_INVALID_PARAMETER);
	endless[513] = 0;
	IS(n->NCryptCreatePersistedKey(provider, &key, NCRYPT_RSA_ALGORITHM, endless, 0, 0), NTE_INVALID_PARAMETER);
	endless[65] = 0;
	IS(n->NCryptSetProperty(provider, endless, (PBYTE)endless, 4, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptCreatePersistedKey(provider, &key, NCRYPT_RSA_ALGORITHM, half, 0, 0), NTE_INVALID_PARAMETER);
	OK(n->NCryptCreatePersistedKey(provider, &key, NCRYPT_RSA_ALGORITHM, pair, 0, 0));
	IS(n->NCryptCreatePersistedKey(provider, &key, u"no algorithm", NULL, 0, 0), NTE_NOT_SUPPORTED);
	IS(n->NCryptOpenStorageProvider(&provider, endless, 0), NTE_BAD_PROVIDER);
}

/* Random bytes as blobs and parameters: an error, and no key. */
static void noise(void)
{
	static const LPCWSTR types[] = {BCRYPT_RSAPUBLIC_BLOB, BCRYPT_RSAFULLPRIVATE_BLOB, BCRYPT_ECCPUBLIC_BLOB, BCRYPT_ECCPRIVATE_BLOB,
		BCRYPT_KEY_DATA_BLOB, NCRYPT_PKCS8_PRIVATE_KEY_BLOB, u"no blob"};
	NCRYPT_PROV_HANDLE provider = open_provider();

	srandom(11);
	for (int round = 0; round < 200; round++)
		for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
			NCRYPT_KEY_HANDLE key = 0;
			DWORD size = 1 + (DWORD)random() % 100;
			BYTE *blob = malloc(size);
			for (DWORD j = 0; j < size; j++)
				blob[j] = (BYTE)random();
			NCryptBuffer buffer = {size, (ULONG)random() % 64, blob};
			NCryptBufferDesc list = {NCRYPTBUFFER_VERSION, 1, &buffer};
			SECURITY_STATUS status = n->NCryptImportKey(provider, 0, types[i], &list, &key, blob, size, 0);
			CHECK(status != ERROR_SUCCESS && status != NTE_INTERNAL_ERROR && status != NTE_FAIL && key == 0);
			free(blob);
		}
}

const struct test edge_tests[] = {
	{"edge-inputs", "texts, structures and buffers are read and written within their lengths", inputs},
	{"edge-texts", "a text that has no end, or is not UTF-16, is refused", texts},
	{"edge-noise", "random bytes are no key, whatever they are said to be", noise},
	{NULL, NULL, NULL},
};
