/* Encryption. */
#include "driver.h"

static CK_SESSION_HANDLE h;
static CK_OBJECT_HANDLE key;
static CK_BYTE out[256], back[256];
static CK_ULONG length, n;

/* NIST SP 800-38D test case 4, with AES-128. */
static const CK_BYTE gcm_key[16] = {0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a, 0x8f, 0x94, 0x67, 0x30, 0x83, 0x08};
static const CK_BYTE gcm_iv[12] = {0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce, 0xdb, 0xad, 0xde, 0xca, 0xf8, 0x88};
static const CK_BYTE gcm_aad[20] = {0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xab, 0xad, 0xda, 0xd2};
static const CK_BYTE gcm_text[60] = {0xd9, 0x31, 0x32, 0x25, 0xf8, 0x84, 0x06, 0xe5, 0xa5, 0x59, 0x09, 0xc5, 0xaf, 0xf5, 0x26, 0x9a, 0x86, 0xa7, 0xa9, 0x53,
	0x15, 0x34, 0xf7, 0xda, 0x2e, 0x4c, 0x30, 0x3d, 0x8a, 0x31, 0x8a, 0x72, 0x1c, 0x3c, 0x0c, 0x95, 0x95, 0x68, 0x09, 0x53, 0x2f, 0xcf, 0x0e, 0x24, 0x49,
	0xa6, 0xb5, 0x25, 0xb1, 0x6a, 0xed, 0xf5, 0xaa, 0x0d, 0xe6, 0x57, 0xba, 0x63, 0x7b, 0x39};
static const CK_BYTE gcm_tag[16] = {0x5b, 0xc9, 0x4f, 0xbc, 0x32, 0x21, 0xa5, 0xdb, 0x94, 0xfa, 0xe9, 0x5a, 0xe7, 0x12, 0x1a, 0x47};

static CK_RV encrypt_init(CK_MECHANISM_PTR m) { return p->C_EncryptInit(h, m, key); }
static CK_RV decrypt_init(CK_MECHANISM_PTR m) { return p->C_DecryptInit(h, m, key); }

static void gcm(void)
{
	CK_GCM_PARAMS params = {(CK_BYTE *)gcm_iv, 12, 96, (CK_BYTE *)gcm_aad, 20, 128};

	h = begin_user();
	key = import_secret(h, CKK_AES, gcm_key, sizeof gcm_key);
	length = sizeof out;
	OK(encrypt_init(MECHANISM_WITH(CKM_AES_GCM, params)));
	OK(p->C_Encrypt(h, (CK_BYTE *)gcm_text, 60, out, &length));
	EQUAL(length, 76);
	CHECK(memcmp(out + 60, gcm_tag, 16) == 0);
	n = sizeof back;
	params.ulIvBits = 0; /* some programs leave it so */
	OK(decrypt_init(MECHANISM_WITH(CKM_AES_GCM, params)));
	OK(p->C_Decrypt(h, out, length, back, &n));
	CHECK(n == 60 && memcmp(back, gcm_text, 60) == 0);
}

/* Nothing of the plaintext is given out before the tag was checked. */
static void gcm_parts(void)
{
	CK_GCM_PARAMS params = {(CK_BYTE *)gcm_iv, 12, 96, (CK_BYTE *)gcm_aad, 20, 128};
	CK_ULONG some = sizeof back;

	h = begin_user();
	key = import_secret(h, CKK_AES, gcm_key, sizeof gcm_key);
	length = sizeof out;
	OK(encrypt_init(MECHANISM_WITH(CKM_AES_GCM, params)));
	OK(p->C_Encrypt(h, (CK_BYTE *)gcm_text, 60, out, &length));
	OK(decrypt_init(MECHANISM_WITH(CKM_AES_GCM, params)));
	OK(p->C_DecryptUpdate(h, out, 50, back, &some));
	EQUAL(some, 0);
	some = sizeof back;
	OK(p->C_DecryptUpdate(h, out + 50, 26, back, &some));
	EQUAL(some, 0);
	OK(p->C_DecryptFinal(h, NULL, &some));
	CHECK(some >= 60);
	some = sizeof back;
	OK(p->C_DecryptFinal(h, back, &some));
	CHECK(some == 60 && memcmp(back, gcm_text, 60) == 0);
	out[70] ^= 1;
	n = sizeof back;
	memset(back, 0, sizeof back);
	OK(decrypt_init(MECHANISM_WITH(CKM_AES_GCM, params)));
	IS(p->C_Decrypt(h, out, length, back, &n), CKR_ENCRYPTED_DATA_INVALID);
	CHECK(memcmp(back, gcm_text, 16) != 0);
	OK(decrypt_init(MECHANISM_WITH(CKM_AES_GCM, params)));
	FAILS(p->C_Decrypt(h, out, 15, back, &n));
}

static void gcm_sizes(void)
{
	CK_BYTE iv[64] = {9};
	static const CK_ULONG ivs[] = {1, 8, 12, 16, 60}, tags[] = {96, 104, 112, 120, 128};

	h = begin_user();
	key = make_aes(h, no, no);
	for (size_t i = 0; i < 5; i++)
		for (size_t j = 0; j < 5; j++) {
			CK_GCM_PARAMS params = {iv, ivs[i], 8 * ivs[i], NULL, 0, tags[j]};
			length = sizeof out;
			OK(encrypt_init(MECHANISM_WITH(CKM_AES_GCM, params)));
			OK(p->C_Encrypt(h, (CK_BYTE *)gcm_text, 33, out, &length));
			EQUAL(length, 33 + tags[j] / 8);
			n = sizeof back;
			OK(decrypt_init(MECHANISM_WITH(CKM_AES_GCM, params)));
			OK(p->C_Decrypt(h, out, length, back, &n));
			CHECK(n == 33 && memcmp(back, gcm_text, 33) == 0);
		}
}

/* Every length of data, whole and in two parts, gives the same. */
static void cbc_pad(void)
{
	CK_BYTE iv[16] = {3}, in_parts[256];

	h = begin_user();
	key = make_aes(h, no, no);
	for (CK_ULONG size = 0; size <= 48; size++) {
		length = sizeof out;
		OK(encrypt_init(MECHANISM_WITH(CKM_AES_CBC_PAD, iv)));
		OK(p->C_Encrypt(h, (CK_BYTE *)gcm_text, size, out, &length));
		EQUAL(length, size / 16 * 16 + 16);
		CK_ULONG first = sizeof in_parts, last = sizeof in_parts;
		OK(encrypt_init(MECHANISM_WITH(CKM_AES_CBC_PAD, iv)));
		OK(p->C_EncryptUpdate(h, (CK_BYTE *)gcm_text, size, in_parts, &first));
		OK(p->C_EncryptFinal(h, in_parts + first, &last));
		CHECK(first + last == length && memcmp(out, in_parts, length) == 0);
		n = sizeof back;
		OK(decrypt_init(MECHANISM_WITH(CKM_AES_CBC_PAD, iv)));
		OK(p->C_Decrypt(h, out, length, back, &n));
		CHECK(n == size && memcmp(back, gcm_text, size) == 0);
	}
	OK(decrypt_init(MECHANISM_WITH(CKM_AES_CBC_PAD, iv)));
	IS(p->C_Decrypt(h, out, 0, back, &n), CKR_ENCRYPTED_DATA_LEN_RANGE);
	OK(encrypt_init(MECHANISM_WITH(CKM_AES_CBC, iv)));
	n = sizeof back;
	OK(p->C_EncryptUpdate(h, (CK_BYTE *)gcm_text, 17, back, &n));
	n = sizeof back;
	IS(p->C_EncryptFinal(h, back, &n), CKR_DATA_LEN_RANGE);
}

static void ctr(void)
{
	CK_AES_CTR_PARAMS params = {128, {1}};
	CK_AES_CTR_PARAMS narrow = {4, {0}};

	h = begin_user();
	key = make_aes(h, no, no);
	length = sizeof out;
	OK(encrypt_init(MECHANISM_WITH(CKM_AES_CTR, params)));
	OK(p->C_Encrypt(h, (CK_BYTE *)gcm_text, 60, out, &length));
	EQUAL(length, 60);
	n = sizeof back;
	OK(decrypt_init(MECHANISM_WITH(CKM_AES_CTR, params)));
	OK(p->C_Decrypt(h, out, 60, back, &n));
	CHECK(n == 60 && memcmp(back, gcm_text, 60) == 0);
	OK(encrypt_init(MECHANISM_WITH(CKM_AES_CTR, narrow)));
	n = sizeof back;
	OK(p->C_EncryptUpdate(h, (CK_BYTE *)out, 256, back, &n)); /* 16 blocks: all that 4 bits count */
	IS(p->C_EncryptUpdate(h, (CK_BYTE *)out, 1, back, &n), CKR_DATA_LEN_RANGE);
}

static void rsa(void)
{
	CK_OBJECT_HANDLE public_key, private_key;
	CK_RSA_PKCS_OAEP_PARAMS oaep = {CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, NULL, 0};
	CK_RSA_PKCS_OAEP_PARAMS empty = {CKM_SHA256, CKG_MGF1_SHA256, 0, NULL, 0};
	CK_MECHANISM_PTR ways[] = {MECHANISM(CKM_RSA_PKCS), MECHANISM_WITH(CKM_RSA_PKCS_OAEP, oaep), MECHANISM_WITH(CKM_RSA_PKCS_OAEP, empty)};

	h = begin_user();
	make_rsa(h, no, &public_key, &private_key);
	for (size_t i = 0; i < 3; i++) {
		length = sizeof out;
		OK(p->C_EncryptInit(h, ways[i], public_key));
		OK(p->C_Encrypt(h, (CK_BYTE *)gcm_text, 32, out, &length));
		EQUAL(length, 256);
		n = sizeof back;
		OK(p->C_DecryptInit(h, ways[i], private_key));
		OK(p->C_Decrypt(h, out, length, back, &n));
		CHECK(n == 32 && memcmp(back, gcm_text, 32) == 0);
	}
	OK(p->C_DecryptInit(h, ways[1], private_key));
	FAILS(p->C_Decrypt(h, out, 255, back, &n));
	out[100] ^= 1;
	OK(p->C_DecryptInit(h, ways[1], private_key));
	FAILS(p->C_Decrypt(h, out, 256, back, &n));
	n = sizeof back;
	OK(p->C_EncryptInit(h, ways[1], public_key));
	IS(p->C_Encrypt(h, out, 256 - 66 + 1, back, &n), CKR_DATA_LEN_RANGE);
}

const struct test encryption_tests[] = {
	{"gcm", "AES-GCM appends its tag", gcm},
	{"gcm-parts", "AES-GCM gives out nothing before its tag was checked, and nothing where it is wrong", gcm_parts},
	{"gcm-sizes", "AES-GCM with IVs and tags of many lengths", gcm_sizes},
	{"cbc-pad", "AES-CBC with padding at every length, whole and in parts", cbc_pad},
	{"ctr", "AES-CTR, and the end of its counter", ctr},
	{"rsa-encryption", "RSA encryption, v1.5 and OAEP", rsa},
	{NULL, NULL, NULL},
};
