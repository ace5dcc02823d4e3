/*
 * The two-call convention (PKCS #11 v3.2, section 5.2), the same for each function
 * with an output: NULL asks for the length, a short buffer is refused with the
 * length, the operation lives through both and is over after the third call. Not a
 * byte behind a buffer is read or written.
 */
#include "driver.h"

static CK_SESSION_HANDLE h;
static CK_BYTE *data, *encrypted, iv[16];
#define DATA 48
static CK_OBJECT_HANDLE aes, rsa_public, rsa_private, plain_key;
static CK_ULONG encrypted_length;

typedef CK_RV (*call)(CK_BYTE *out, CK_ULONG *length);

static CK_RV encrypt(CK_BYTE *out, CK_ULONG *length) { return p->C_Encrypt(h, data, DATA, out, length); }
static CK_RV encrypt_final(CK_BYTE *out, CK_ULONG *length) { return p->C_EncryptFinal(h, out, length); }
static CK_RV decrypt(CK_BYTE *out, CK_ULONG *length) { return p->C_Decrypt(h, encrypted, encrypted_length, out, length); }
static CK_RV decrypt_final(CK_BYTE *out, CK_ULONG *length) { return p->C_DecryptFinal(h, out, length); }
static CK_RV digest(CK_BYTE *out, CK_ULONG *length) { return p->C_Digest(h, data, DATA, out, length); }
static CK_RV digest_final(CK_BYTE *out, CK_ULONG *length) { return p->C_DigestFinal(h, out, length); }
static CK_RV sign(CK_BYTE *out, CK_ULONG *length) { return p->C_Sign(h, data, DATA, out, length); }
static CK_RV sign_final(CK_BYTE *out, CK_ULONG *length) { return p->C_SignFinal(h, out, length); }
static CK_RV sign_recover(CK_BYTE *out, CK_ULONG *length) { return p->C_SignRecover(h, data, DATA, out, length); }
static CK_RV wrap(CK_BYTE *out, CK_ULONG *length)
{
	return p->C_WrapKey(h, MECHANISM(CKM_AES_KEY_WRAP_KWP), aes, plain_key, out, length);
}

/* The case: how the operation is begun, and whether a call after it finds none. */
static void convention(const char *name, CK_RV begun, call f, CK_ULONG want, bool operation)
{
	CK_BYTE *out = edge(want);
	CK_ULONG asked = 7, length;

	printf("%s\n", name);
	OK(begun);
	OK(f(NULL, &asked));
	CHECK(asked >= want && asked <= want + 16);
	length = want - 1;
	IS(f(out + 1, &length), CKR_BUFFER_TOO_SMALL);
	CHECK(length >= want && length <= asked);
	length = 0;
	IS(f(out + want, &length), CKR_BUFFER_TOO_SMALL);
	OK(f(NULL, &asked));
	length = want;
	CK_RV rv = f(out, &length);
	if (rv == CKR_BUFFER_TOO_SMALL && asked > want) /* how much padding there is, is seen only then */
		rv = f(edge(length), &length);
	OK(rv);
	EQUAL(length, want);
	if (operation)
		IS(f(out, &length), CKR_OPERATION_NOT_INITIALIZED);
}

static void prepare(void)
{
	h = begin_user();
	aes = make_aes(h, no, no);
	plain_key = make_aes(h, no, yes);
	make_rsa(h, no, &rsa_public, &rsa_private);
	data = edge(DATA);
	memset(data, 'd', DATA);
	encrypted = edge(48);
	encrypted_length = 48;
	NEED(p->C_EncryptInit(h, MECHANISM_WITH(CKM_AES_CBC_PAD, iv), aes));
	NEED(p->C_Encrypt(h, data, 40, encrypted, &encrypted_length));
}

static void whole(void)
{
	prepare();
	convention("C_Encrypt, CBC_PAD", p->C_EncryptInit(h, MECHANISM_WITH(CKM_AES_CBC_PAD, iv), aes), encrypt, 64, true);
	convention("C_Encrypt, CBC", p->C_EncryptInit(h, MECHANISM_WITH(CKM_AES_CBC, iv), aes), encrypt, 48, true);
	convention("C_Encrypt, RSA", p->C_EncryptInit(h, MECHANISM(CKM_RSA_PKCS), rsa_public), encrypt, 256, true);
	convention("C_Decrypt", p->C_DecryptInit(h, MECHANISM_WITH(CKM_AES_CBC_PAD, iv), aes), decrypt, 40, true);
	convention("C_Digest", p->C_DigestInit(h, MECHANISM(CKM_SHA384)), digest, 48, true);
	convention("C_Sign, RSA", p->C_SignInit(h, MECHANISM(CKM_RSA_PKCS), rsa_private), sign, 256, true);
	convention("C_Sign, CMAC", p->C_SignInit(h, MECHANISM(CKM_AES_CMAC), aes), sign, 16, true);
	convention("C_SignRecover", p->C_SignRecoverInit(h, MECHANISM(CKM_RSA_PKCS), rsa_private), sign_recover, 256, true);
	convention("C_WrapKey", CKR_OK, wrap, 40, false);
}

/* An Update that is too small takes nothing: the result is the same. */
static void parts(void)
{
	CK_BYTE out[128], again[128];
	CK_ULONG length = 3, total;

	prepare();
	OK(p->C_DigestInit(h, MECHANISM(CKM_SHA256)));
	OK(p->C_DigestUpdate(h, data, 10));
	convention("C_DigestFinal", CKR_OK, digest_final, 32, true);
	OK(p->C_SignInit(h, MECHANISM(CKM_SHA256_RSA_PKCS), rsa_private));
	OK(p->C_SignUpdate(h, data, 10));
	convention("C_SignFinal", CKR_OK, sign_final, 256, true);
	OK(p->C_EncryptInit(h, MECHANISM_WITH(CKM_AES_CBC_PAD, iv), aes));
	IS(p->C_EncryptUpdate(h, data, 40, out, &length), CKR_BUFFER_TOO_SMALL);
	CHECK(length >= 32 && length <= 48);
	length = sizeof out;
	OK(p->C_EncryptUpdate(h, data, 40, out, &length));
	EQUAL(length, 32);
	total = length;
	convention("C_EncryptFinal", CKR_OK, encrypt_final, 16, true);
	CHECK(memcmp(out, encrypted, total) == 0);
	OK(p->C_DecryptInit(h, MECHANISM_WITH(CKM_AES_CBC_PAD, iv), aes));
	length = sizeof again;
	OK(p->C_DecryptUpdate(h, encrypted, encrypted_length, again, &length));
	EQUAL(length, 32);
	convention("C_DecryptFinal", CKR_OK, decrypt_final, 8, true);
}

static void in_place(void)
{
	CK_BYTE buffer[64] = "the same memory for input and output, which programs do a lot";
	CK_BYTE want[64];
	CK_ULONG length = sizeof buffer;

	prepare();
	memcpy(want, buffer, sizeof want);
	OK(p->C_EncryptInit(h, MECHANISM_WITH(CKM_AES_CBC, iv), aes));
	OK(p->C_Encrypt(h, buffer, sizeof buffer, buffer, &length));
	CHECK(memcmp(want, buffer, sizeof want) != 0);
	OK(p->C_DecryptInit(h, MECHANISM_WITH(CKM_AES_CBC, iv), aes));
	OK(p->C_Decrypt(h, buffer, sizeof buffer, buffer, &length));
	CHECK(memcmp(want, buffer, sizeof want) == 0);
	OK(p->C_EncryptInit(h, MECHANISM_WITH(CKM_AES_CBC, iv), aes));
	OK(p->C_EncryptUpdate(h, buffer, sizeof buffer, buffer, &length));
	length = sizeof want;
	OK(p->C_EncryptFinal(h, want, &length));
	EQUAL(length, 0);
}

const struct test output_tests[] = {
	{"output-whole", "single-part functions follow the two-call convention", whole},
	{"output-parts", "Update and Final follow it too", parts},
	{"in-place", "input and output may be the same memory", in_place},
	{NULL, NULL, NULL},
};
