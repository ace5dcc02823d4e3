/* NCrypt's blobs that are under another key, in C_UnwrapKey. */
#include "driver.h"

static CK_SESSION_HANDLE h;
static CK_OBJECT_HANDLE public_key, private_key, content, inner;
static CK_BYTE blob[4096], iv[16] = {7};
static CK_ULONG size;

static CK_RSA_PKCS_OAEP_PARAMS oaep = {CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, NULL, 0};

static void put(const void *data, size_t n)
{
	memcpy(blob + size, data, n);
	size += n;
}

static void put_number(CK_ULONG number)
{
	put((CK_BYTE[]){number, number >> 8, number >> 16, number >> 24}, 4);
}

/* ASCII as UTF-16 with its NUL. */
static size_t wide(const char *text, CK_BYTE *out)
{
	size_t n = strlen(text) + 1;

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = text[i];
		out[2 * i + 1] = 0;
	}
	return 2 * n;
}

/* A key pair that blobs are under, an AES key that is under it, and an EC key that is under that. */
static void keys(void)
{
	CK_OBJECT_HANDLE other;

	h = begin_user();
	make_rsa(h, no, &public_key, &private_key);
	content = make_aes(h, no, yes);
	NEED(p->C_GenerateKeyPair(h, MECHANISM(CKM_EC_KEY_PAIR_GEN), TEMPLATE(BYTES(CKA_EC_PARAMS, p256)),
		TEMPLATE(BOOLEAN(CKA_EXTRACTABLE, yes), BOOLEAN(CKA_SENSITIVE, no)), &other, &inner));
	size = 0;
}

static void put_content_key(void)
{
	CK_ULONG room = sizeof blob - size;

	NEED(p->C_WrapKey(h, MECHANISM_WITH(CKM_RSA_PKCS_OAEP, oaep), public_key, content, blob + size, &room));
	size += room;
}

/* The same key came out: it has the same public half. */
static void is_inner(CK_OBJECT_HANDLE key)
{
	CK_BYTE a[200], b[200];
	size_t n = get_bytes(h, inner, CKA_PUBLIC_KEY_INFO, a, sizeof a);

	EQUAL(get_bytes(h, key, CKA_PUBLIC_KEY_INFO, b, sizeof b), n);
	CHECK(memcmp(a, b, n) == 0);
	EQUAL(get_bool(h, key, CKA_LOCAL), CK_FALSE);
}

static void rsa_aes(void)
{
	CK_RSA_AES_KEY_WRAP_PARAMS params = {256, &oaep};
	CK_BYTE name[64], hash[64], wrapped[2048];
	CK_ULONG n = sizeof wrapped, m = wide("SHA256", hash);
	CK_NCRYPT_BUFFER buffers[] = {{45, name, wide("ECDSA_P256", name)}};
	CK_NCRYPT_IMPORT_BLOB_PARAMS import = {(CK_UTF8CHAR_PTR)"PKCS11RsaAesWrapBlob", 20, buffers, 1};
	CK_OBJECT_HANDLE key;

	keys();
	NEED(p->C_WrapKey(h, MECHANISM_WITH(CKM_RSA_AES_KEY_WRAP, params), public_key, inner, wrapped, &n));
	put("RAPW", 4);
	put_number(n);
	put_number(m);
	put_number(0);
	put(wrapped, n);
	put(hash, m);
	OK(p->C_UnwrapKey(h, MECHANISM_WITH(CKM_NCRYPT_IMPORT_BLOB, import), private_key, blob, size, TEMPLATE(BOOLEAN(CKA_SIGN, yes)), &key));
	is_inner(key);
	IS(p->C_UnwrapKey(h, MECHANISM_WITH(CKM_NCRYPT_IMPORT_BLOB, import), private_key, blob, size - 1, TEMPLATE(BOOLEAN(CKA_SIGN, yes)), &key), CKR_WRAPPED_KEY_INVALID);
	IS(p->C_UnwrapKey(h, MECHANISM_WITH(CKM_NCRYPT_IMPORT_BLOB, import), private_key, blob, size, TEMPLATE(NUMBER(CKA_KEY_TYPE, CKK_RSA)), &key),
		CKR_TEMPLATE_INCONSISTENT);
	IS(p->C_UnwrapKey(h, MECHANISM_WITH(CKM_NCRYPT_IMPORT_BLOB, import), CK_INVALID_HANDLE, blob, size, TEMPLATE(BOOLEAN(CKA_SIGN, yes)), &key),
		CKR_UNWRAPPING_KEY_HANDLE_INVALID);
}

static void isolated(void)
{
	CK_BYTE name[64], nonce[12] = {3}, sealed[2048];
	CK_ULONG n = wide("ECDSA_P256", name), whole = 0;
	CK_GCM_PARAMS gcm = {nonce, sizeof nonce, 96, NULL, 0, 128};
	CK_OBJECT_HANDLE key;

	keys();
	OK(p->C_WrapKeyAuthenticated(h, MECHANISM_WITH(CKM_AES_GCM, gcm), content, inner, NULL, 0, NULL, &whole));
	CK_ULONG fields[] = {0, 2 /* signing */, 0, n, sizeof nonce, 16, 256, whole - 16};
	for (size_t i = 0; i < 8; i++)
		put_number(fields[i]);
	put(name, n);
	put(nonce, sizeof nonce);
	whole = sizeof sealed;
	NEED(p->C_WrapKeyAuthenticated(h, MECHANISM_WITH(CKM_AES_GCM, gcm), content, inner, blob, size, sealed, &whole));
	put(sealed + whole - 16, 16);
	put_content_key();
	put(sealed, whole - 16);

	CK_MECHANISM_PTR m = MECHANISM(CKM_NCRYPT_ISOLATED_ENVELOPE);
	OK(p->C_UnwrapKey(h, m, private_key, blob, size, TEMPLATE(NUMBER(CKA_NCRYPT_PROTECTION, 1)), &key));
	is_inner(key);
	EQUAL(get_number(h, key, CKA_NCRYPT_KEY_USAGE), 2);
	EQUAL(get_bool(h, key, CKA_DERIVE), CK_FALSE);
	EQUAL(get_bool(h, key, CKA_EXTRACTABLE), CK_FALSE);
	IS(p->C_UnwrapKey(h, m, private_key, blob, size, TEMPLATE(NUMBER(CKA_NCRYPT_PROTECTION, 1), BOOLEAN(CKA_EXTRACTABLE, yes)), &key), CKR_TEMPLATE_INCONSISTENT);
	IS(p->C_UnwrapKey(h, m, private_key, blob, size, TEMPLATE(NUMBER(CKA_NCRYPT_PROTECTION, 1), BOOLEAN(CKA_DERIVE, yes)), &key), CKR_TEMPLATE_INCONSISTENT);
	/* With a guard that isolates, and without one. */
	ONE_OF(p->C_UnwrapKey(h, m, private_key, blob, size, TEMPLATE(NUMBER(CKA_NCRYPT_PROTECTION, 2)), &key), CKR_OK, CKR_FUNCTION_REJECTED);
	blob[4] = 3; /* the usage, which is authenticated */
	IS(p->C_UnwrapKey(h, m, private_key, blob, size, TEMPLATE(NUMBER(CKA_NCRYPT_PROTECTION, 1)), &key), CKR_WRAPPED_KEY_INVALID);
}

/* DER, put together from behind: what is in an element is at the end of the blob already. */
static CK_BYTE der[4096];
static size_t start;

static void before(const void *data, size_t n)
{
	start -= n;
	memcpy(der + start, data, n);
}

static void element(CK_BYTE tag, size_t end)
{
	size_t n = end - start;

	if (n < 128)
		before((CK_BYTE[]){tag, n}, 2);
	else if (n < 256)
		before((CK_BYTE[]){tag, 0x81, n}, 3);
	else
		before((CK_BYTE[]){tag, 0x82, n >> 8, n}, 4);
}

static void envelope(void)
{
	static const CK_BYTE enveloped[] = {6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 3}, data[] = {6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1};
	static const CK_BYTE aes256[] = {0x30, 29, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 0x2a, 4, 16};
	static const CK_BYTE rsa[] = {0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0}, who[] = {0x30, 5, 0x30, 0, 2, 1, 1};
	static const CK_BYTE version[] = {2, 1, 0};
	CK_BYTE wrapped[512], under[256];
	CK_ULONG n = sizeof wrapped, k = sizeof under;
	CK_OBJECT_HANDLE key;

	keys();
	NEED(p->C_WrapKey(h, MECHANISM_WITH(CKM_AES_CBC_PAD, iv), content, inner, wrapped, &n));
	NEED(p->C_WrapKey(h, MECHANISM(CKM_RSA_PKCS), public_key, content, under, &k));
	start = sizeof der;
	before(wrapped, n);
	element(0x80, sizeof der);
	before(iv, sizeof iv);
	before(aes256, sizeof aes256);
	before(data, sizeof data);
	element(0x30, sizeof der); /* EncryptedContentInfo */
	size_t recipients = start;
	before(under, k);
	element(4, recipients);
	before(rsa, sizeof rsa);
	before(who, sizeof who);
	before(version, sizeof version);
	element(0x30, recipients);
	element(0x31, recipients);
	before(version, sizeof version);
	element(0x30, sizeof der);
	element(0xa0, sizeof der);
	before(enveloped, sizeof enveloped);
	element(0x30, sizeof der);

	CK_NCRYPT_IMPORT_BLOB_PARAMS import = {(CK_UTF8CHAR_PTR)"PKCS7_ENVELOPE", 14, NULL, 0};
	CK_MECHANISM_PTR ways[] = {MECHANISM(CKM_NCRYPT_PKCS7_ENVELOPE), MECHANISM_WITH(CKM_NCRYPT_IMPORT_BLOB, import)};
	for (int i = 0; i < 2; i++) {
		OK(p->C_UnwrapKey(h, ways[i], private_key, der + start, sizeof der - start,
			TEMPLATE(NUMBER(CKA_CLASS, CKO_PRIVATE_KEY), NUMBER(CKA_KEY_TYPE, CKK_EC)), &key));
		is_inner(key);
		IS(p->C_UnwrapKey(h, ways[i], private_key, der + start, sizeof der - start,
			TEMPLATE(NUMBER(CKA_CLASS, CKO_PRIVATE_KEY), NUMBER(CKA_KEY_TYPE, CKK_RSA)), &key), CKR_WRAPPED_KEY_INVALID);
	}
	CK_BYTE nobody[] = {0x30, 0};
	IS(p->C_UnwrapKey(h, MECHANISM_WITH(CKM_NCRYPT_PKCS7_ENVELOPE, nobody), private_key, der + start, sizeof der - start,
		TEMPLATE(NUMBER(CKA_CLASS, CKO_PRIVATE_KEY), NUMBER(CKA_KEY_TYPE, CKK_EC)), &key), CKR_MECHANISM_PARAM_INVALID);
}

/* Parameters that point to nothing, and those that end where memory does. */
static void parameters(void)
{
	CK_OBJECT_HANDLE key;
	CK_BYTE name[] = {'R', 0};

	keys();
	CK_NCRYPT_BUFFER good[] = {{45, name, sizeof name}}, nothing[] = {{45, NULL, 4}}, other[] = {{46, name, sizeof name}}, empty[] = {{45, name, 0}};
	CK_NCRYPT_IMPORT_BLOB_PARAMS bad[] = {
		{NULL, 4, NULL, 0}, {(CK_UTF8CHAR_PTR)"x", 0, NULL, 0}, {(CK_UTF8CHAR_PTR)"x", 1, NULL, 1}, {(CK_UTF8CHAR_PTR)"x", 1, good, (CK_ULONG)-1},
		{(CK_UTF8CHAR_PTR)"x", (CK_ULONG)-1, NULL, 0}, {(CK_UTF8CHAR_PTR)"x", 1, nothing, 1}, {(CK_UTF8CHAR_PTR)"x", 1, other, 1}, {(CK_UTF8CHAR_PTR)"x", 1, empty, 1},
		{(CK_UTF8CHAR_PTR)"no such type", 12, NULL, 0},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		IS(p->C_UnwrapKey(h, MECHANISM_WITH(CKM_NCRYPT_IMPORT_BLOB, bad[i]), private_key, blob, 64,
			TEMPLATE(NUMBER(CKA_CLASS, CKO_PRIVATE_KEY), NUMBER(CKA_KEY_TYPE, CKK_RSA)), &key), CKR_MECHANISM_PARAM_INVALID);
	CK_NCRYPT_IMPORT_BLOB_PARAMS import = {at_edge("PKCS7_ENVELOPE", 14), 14, at_edge(good, sizeof good), 1}, *edged = at_edge(&import, sizeof import);
	CK_MECHANISM m = {CKM_NCRYPT_IMPORT_BLOB, edged, sizeof import};
	FAILS(p->C_UnwrapKey(h, &m, private_key, blob, 64, TEMPLATE(NUMBER(CKA_CLASS, CKO_PRIVATE_KEY), NUMBER(CKA_KEY_TYPE, CKK_RSA)), &key));
	m.ulParameterLen--;
	IS(p->C_UnwrapKey(h, &m, private_key, blob, 64, TEMPLATE(NUMBER(CKA_CLASS, CKO_PRIVATE_KEY), NUMBER(CKA_KEY_TYPE, CKK_RSA)), &key), CKR_MECHANISM_PARAM_INVALID);
}

const struct test ncrypt_blob_tests[] = {
	{"ncrypt-rsa-aes", "a PKCS11RsaAesWrapBlob comes in, and what it says holds", rsa_aes},
	{"ncrypt-isolated", "an envelope of an isolated key says what the key may do, and that it stays", isolated},
	{"ncrypt-pkcs7", "an envelope of PKCS #7 comes in, with its recipient or without", envelope},
	{"ncrypt-blob-parameters", "parameters of blobs that are none are refused, and read no further than they are", parameters},
	{NULL, NULL, NULL},
};
