/* ML-DSA and ML-KEM, and a key on curve25519. */
#include "driver.h"

static NCRYPT_KEY_HANDLE make_set(LPCWSTR algorithm, LPCWSTR set)
{
	NCRYPT_KEY_HANDLE key = 0;

	NEED(n->NCryptCreatePersistedKey(open_provider(), &key, algorithm, NULL, 0, 0));
	NEED(n->NCryptSetProperty(key, NCRYPT_PARAMETER_SET_NAME_PROPERTY, (PBYTE)set, (DWORD)length(set), 0));
	NEED(n->NCryptFinalizeKey(key, 0));
	return key;
}

static void mldsa(void)
{
	NCRYPT_KEY_HANDLE key = make_set(BCRYPT_MLDSA_ALGORITHM, BCRYPT_MLDSA_PARAMETER_SET_87), public_key = 0;
	BYTE message[1000] = {1, 2, 3}, context[255] = {4};
	BCRYPT_PQDSA_PADDING_INFO info = {context, sizeof context, NULL}, empty = {NULL, 0, NULL}, hashed = {NULL, 0, BCRYPT_SHA256_ALGORITHM},
		nowhere = {NULL, 1, NULL};
	BYTE *signature = edge(4627), *blob = edge(12 + 6 + 2592);
	DWORD size = 0;

	OK(n->NCryptSignHash(key, &info, message, sizeof message, NULL, 0, &size, NCRYPT_PAD_PQDSA_FLAG));
	CHECK(size == 4627);
	IS(n->NCryptSignHash(key, &info, message, sizeof message, signature, 4626, &size, NCRYPT_PAD_PQDSA_FLAG), NTE_BUFFER_TOO_SMALL);
	OK(n->NCryptSignHash(key, &info, message, sizeof message, signature, 4627, &size, NCRYPT_PAD_PQDSA_FLAG));
	OK(n->NCryptExportKey(key, 0, BCRYPT_PUBLIC_KEY_BLOB, NULL, blob, 12 + 6 + 2592, &size, 0));
	CHECK(memcmp(blob, "DSPK", 4) == 0);
	OK(n->NCryptImportKey(open_provider(), 0, BCRYPT_PQDSA_PUBLIC_BLOB, NULL, &public_key, blob, size, 0));
	OK(n->NCryptVerifySignature(public_key, &info, message, sizeof message, signature, 4627, NCRYPT_PAD_PQDSA_FLAG));
	IS(n->NCryptVerifySignature(public_key, &empty, message, sizeof message, signature, 4627, NCRYPT_PAD_PQDSA_FLAG), NTE_BAD_SIGNATURE);
	OK(n->NCryptSignHash(key, NULL, message, sizeof message, signature, 4627, &size, 0));
	OK(n->NCryptVerifySignature(public_key, &empty, message, sizeof message, signature, 4627, NCRYPT_PAD_PQDSA_FLAG));
	IS(n->NCryptSignHash(key, &hashed, message, 32, signature, 4627, &size, NCRYPT_PAD_PQDSA_FLAG), NTE_NOT_SUPPORTED);
	IS(n->NCryptSignHash(key, &nowhere, message, 32, signature, 4627, &size, NCRYPT_PAD_PQDSA_FLAG), NULL_POINTER);
	IS(n->NCryptSignHash(key, &info, message, 32, signature, 4627, &size, NCRYPT_PAD_PQDSA_FLAG | NCRYPT_PAD_PSS_FLAG), NTE_BAD_FLAGS);
}

static void mlkem(void)
{
	NCRYPT_KEY_HANDLE key = make_set(BCRYPT_MLKEM_ALGORITHM, BCRYPT_MLKEM_PARAMETER_SET_768);
	BYTE *ours = edge(32), *theirs = edge(32), *ciphertext = edge(1088);
	DWORD secret_size = 0, ciphertext_size = 0;

	OK(n->NCryptEncapsulate(key, NULL, 0, &secret_size, NULL, 0, &ciphertext_size, 0));
	CHECK(secret_size == 32 && ciphertext_size == 1088);
	secret_size = ciphertext_size = 0;
	IS(n->NCryptEncapsulate(key, ours, 32, &secret_size, ciphertext, 1087, &ciphertext_size, 0), NTE_BUFFER_TOO_SMALL);
	CHECK(secret_size == 32 && ciphertext_size == 1088);
	OK(n->NCryptEncapsulate(key, ours, 32, &secret_size, ciphertext, 1088, &ciphertext_size, 0));
	secret_size = 0;
	OK(n->NCryptDecapsulate(key, ciphertext, 1088, NULL, 0, &secret_size, 0));
	CHECK(secret_size == 32);
	IS(n->NCryptDecapsulate(key, ciphertext, 1088, theirs, 31, &secret_size, 0), NTE_BUFFER_TOO_SMALL);
	OK(n->NCryptDecapsulate(key, ciphertext, 1088, theirs, 32, &secret_size, 0));
	CHECK(memcmp(ours, theirs, 32) == 0);
	ciphertext[7] ^= 1;
	OK(n->NCryptDecapsulate(key, ciphertext, 1088, theirs, 32, &secret_size, 0));
	CHECK(memcmp(ours, theirs, 32) != 0);
	IS(n->NCryptDecapsulate(key, ciphertext, 1087, theirs, 32, &secret_size, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptDecapsulate(key, NULL, 1088, theirs, 32, &secret_size, 0), NULL_POINTER);
	IS(n->NCryptDecapsulate(key, NULL, 0, theirs, 32, &secret_size, 0), NULL_POINTER);
	IS(n->NCryptDecapsulate(key, ciphertext, 1088, theirs, 32, NULL, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptEncapsulate(key, ours, 32, NULL, ciphertext, 1088, &ciphertext_size, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptEncapsulate(key, ours, 32, &secret_size, ciphertext, 1088, NULL, 0), NTE_INVALID_PARAMETER);
	IS(n->NCryptEncapsulate(key, ours, 32, &secret_size, ciphertext, 1088, &ciphertext_size, NCRYPT_PAD_PSS_FLAG), NTE_BAD_FLAGS);
	IS(n->NCryptEncapsulate(make_key(open_provider(), NCRYPT_ECDSA_P256_ALGORITHM, NULL), ours, 32, &secret_size, ciphertext, 1088, &ciphertext_size, 0),
		NTE_NOT_SUPPORTED);
	OK(n->NCryptFreeObject(key));
	IS(n->NCryptEncapsulate(key, ours, 32, &secret_size, ciphertext, 1088, &ciphertext_size, 0), NTE_INVALID_HANDLE);
	IS(n->NCryptDecapsulate(0, ciphertext, 1088, theirs, 32, &secret_size, 0), NTE_INVALID_HANDLE);
}

static void curve25519(void)
{
	NCRYPT_KEY_HANDLE keys[2] = {0};
	NCRYPT_SECRET_HANDLE secrets[2] = {0};
	BYTE out[2][32] = {{0}};
	DWORD size = 0;

	for (int i = 0; i < 2; i++) {
		NEED(n->NCryptCreatePersistedKey(open_provider(), &keys[i], BCRYPT_ECDH_ALGORITHM, NULL, 0, 0));
		NEED(n->NCryptSetProperty(keys[i], NCRYPT_ECC_CURVE_NAME_PROPERTY, (PBYTE)BCRYPT_ECC_CURVE_25519, (DWORD)length(BCRYPT_ECC_CURVE_25519), 0));
		NEED(n->NCryptFinalizeKey(keys[i], 0));
	}
	for (int i = 0; i < 2; i++) {
		NEED(n->NCryptSecretAgreement(keys[i], keys[1 - i], &secrets[i], 0));
		OK(n->NCryptDeriveKey(secrets[i], BCRYPT_KDF_RAW_SECRET, NULL, out[i], 32, &size, 0));
		CHECK(size == 32);
	}
	CHECK(memcmp(out[0], out[1], 32) == 0 && memcmp(out[0], (BYTE[32]){0}, 32) != 0);
}

const struct test postquantum_tests[] = {
	{"mldsa", "signatures of messages, with and without a context", mldsa},
	{"mlkem", "two sides have one secret; both lengths can be asked for", mlkem},
	{"curve25519", "two keys for ECDH on curve25519 agree", curve25519},
	{NULL, NULL, NULL},
};
