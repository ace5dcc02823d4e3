/* Two operations in one call: PKCS #11 v3.2, section 5.17; and the signature
 * that is given before the data. */
#include "driver.h"

static CK_BYTE iv[16], text[64] = "each part goes through a cipher, its plaintext through another", cipher[64], out[64], want[32], got[64];
static CK_SESSION_HANDLE h;
static CK_OBJECT_HANDLE key;
static CK_ULONG length;

static void start(void)
{
	h = begin_user();
	key = make_aes(h, no, no);
	length = sizeof cipher;
	OK(p->C_EncryptInit(h, MECHANISM_WITH(CKM_AES_CBC, iv), key));
	OK(p->C_Encrypt(h, text, sizeof text, cipher, &length));
	length = sizeof want;
	OK(p->C_DigestInit(h, MECHANISM(CKM_SHA256)));
	OK(p->C_Digest(h, text, sizeof text, want, &length));
}

static void check_digest(void)
{
	length = sizeof got;
	OK(p->C_DigestFinal(h, got, &length));
	EQUAL(length, 32);
	CHECK(memcmp(got, want, 32) == 0);
}

static void digest_encrypt(void)
{
	start();
	OK(p->C_DigestInit(h, MECHANISM(CKM_SHA256)));
	OK(p->C_EncryptInit(h, MECHANISM_WITH(CKM_AES_CBC, iv), key));
	length = 1;
	OK(p->C_DigestEncryptUpdate(h, text, 32, NULL, &length));
	EQUAL(length, 32);
	length = 31;
	IS(p->C_DigestEncryptUpdate(h, text, 32, out, &length), CKR_BUFFER_TOO_SMALL);
	EQUAL(length, 32);
	OK(p->C_DigestEncryptUpdate(h, text, 32, out, &length));
	memcpy(out + 32, text + 32, 32); /* in place */
	OK(p->C_DigestEncryptUpdate(h, out + 32, 32, out + 32, &length));
	CHECK(memcmp(out, cipher, sizeof cipher) == 0);
	length = sizeof got;
	OK(p->C_EncryptFinal(h, got, &length));
	check_digest();

	OK(p->C_DigestInit(h, MECHANISM(CKM_SHA256)));
	OK(p->C_DecryptInit(h, MECHANISM_WITH(CKM_AES_CBC, iv), key));
	length = sizeof out;
	OK(p->C_DecryptDigestUpdate(h, out, sizeof out, out, &length));
	CHECK(length == sizeof text && memcmp(out, text, sizeof text) == 0);
	check_digest();
}

static void sign_encrypt(void)
{
	CK_BYTE mac[32];
	CK_ULONG mac_length = sizeof mac;

	start();
	CK_OBJECT_HANDLE secret = make_secret(h, 32);
	OK(p->C_SignInit(h, MECHANISM(CKM_SHA256_HMAC), secret));
	OK(p->C_EncryptInit(h, MECHANISM_WITH(CKM_AES_CBC, iv), key));
	length = sizeof out;
	OK(p->C_SignEncryptUpdate(h, text, sizeof text, out, &length));
	CHECK(length == sizeof cipher && memcmp(out, cipher, sizeof cipher) == 0);
	OK(p->C_SignFinal(h, mac, &mac_length));

	OK(p->C_VerifyInit(h, MECHANISM(CKM_SHA256_HMAC), secret));
	OK(p->C_DecryptInit(h, MECHANISM_WITH(CKM_AES_CBC, iv), key));
	OK(p->C_DecryptVerifyUpdate(h, cipher, sizeof cipher, out, &length));
	CHECK(length == sizeof text && memcmp(out, text, sizeof text) == 0);
	OK(p->C_VerifyFinal(h, mac, mac_length));
	OK(p->C_VerifyInit(h, MECHANISM(CKM_SHA256_HMAC), secret));
	OK(p->C_Verify(h, text, sizeof text, mac, mac_length));
}

/* No plaintext is passed on where no ciphertext was produced. */
static void dual_errors(void)
{
	CK_AES_CTR_PARAMS ctr = {4, {0}};
	CK_OBJECT_HANDLE public_key, private_key;

	start();
	OK(p->C_EncryptInit(h, MECHANISM_WITH(CKM_AES_CBC, iv), key));
	length = sizeof out;
	IS(p->C_DigestEncryptUpdate(h, text, 16, out, &length), CKR_OPERATION_NOT_INITIALIZED);

	ctr.cb[15] = 15; /* one block is left */
	OK(p->C_DigestInit(h, MECHANISM(CKM_SHA256)));
	OK(p->C_DigestUpdate(h, text, sizeof text));
	OK(p->C_EncryptInit(h, MECHANISM_WITH(CKM_AES_CTR, ctr), key));
	IS(p->C_DigestEncryptUpdate(h, text, 32, out, &length), CKR_DATA_LEN_RANGE);
	IS(p->C_EncryptFinal(h, out, &length), CKR_OPERATION_NOT_INITIALIZED);
	check_digest();

	/* A mechanism without parts beside a cipher: both end. */
	make_ec(h, no, &public_key, &private_key);
	OK(p->C_SignInit(h, MECHANISM(CKM_ECDSA), private_key));
	OK(p->C_EncryptInit(h, MECHANISM_WITH(CKM_AES_CBC, iv), key));
	length = sizeof out;
	FAILS(p->C_SignEncryptUpdate(h, text, 16, out, &length));
	IS(p->C_EncryptFinal(h, out, &length), CKR_OPERATION_NOT_INITIALIZED);
	IS(p->C_SignFinal(h, out, &length), CKR_OPERATION_NOT_INITIALIZED);
}

static void signature_first(void)
{
	CK_BYTE mac[32];

	start();
	CK_OBJECT_HANDLE secret = make_secret(h, 32);
	length = sizeof mac;
	OK(p->C_SignInit(h, MECHANISM(CKM_SHA256_HMAC), secret));
	OK(p->C_Sign(h, text, sizeof text, mac, &length));
	OK(p->C_VerifySignatureInit(h, MECHANISM(CKM_SHA256_HMAC), secret, mac, length));
	OK(p->C_VerifySignature(h, text, sizeof text));
	OK(p->C_VerifySignatureInit(h, MECHANISM(CKM_SHA256_HMAC), secret, mac, length));
	OK(p->C_VerifySignatureUpdate(h, text, 10));
	OK(p->C_VerifySignatureUpdate(h, text + 10, sizeof text - 10));
	OK(p->C_VerifySignatureFinal(h));

	/* The signature that was given first is the one that counts. */
	mac[0] ^= 1;
	OK(p->C_VerifySignatureInit(h, MECHANISM(CKM_SHA256_HMAC), secret, mac, length));
	mac[0] ^= 1;
	IS(p->C_VerifySignature(h, text, sizeof text), CKR_SIGNATURE_INVALID);
	OK(p->C_VerifySignatureInit(h, MECHANISM(CKM_SHA256_HMAC), secret, want, 32));
	IS(p->C_Verify(h, text, sizeof text, mac, length), CKR_OPERATION_NOT_INITIALIZED);
	OK(p->C_VerifySignatureInit(h, MECHANISM(CKM_SHA256_HMAC), secret, want, 32));
	OK(p->C_VerifySignatureUpdate(h, text, sizeof text));
	IS(p->C_VerifyFinal(h, mac, length), CKR_OPERATION_NOT_INITIALIZED);
	OK(p->C_VerifyInit(h, MECHANISM(CKM_SHA256_HMAC), secret));
	IS(p->C_VerifySignature(h, text, sizeof text), CKR_OPERATION_NOT_INITIALIZED);
}

const struct test dual_tests[] = {
	{"digest-encrypt", "a part is digested and encrypted in one call, and the way back", digest_encrypt},
	{"sign-encrypt", "a part is signed and encrypted in one call, and the way back", sign_encrypt},
	{"dual-errors", "a part that was not encrypted was not digested; an error ends both operations", dual_errors},
	{"signature-first", "C_VerifySignatureInit takes the signature, and no other call another one", signature_first},
	{NULL, NULL, NULL},
};
