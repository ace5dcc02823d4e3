/* Signatures, as the programs that make the most of them do it. */
#include "driver.h"

static CK_SESSION_HANDLE h;
static CK_OBJECT_HANDLE public_key, private_key;
static CK_BYTE signature[512];
static CK_ULONG length;

static void sign_and_verify(CK_MECHANISM_PTR m, const CK_BYTE *data, CK_ULONG n, CK_ULONG want)
{
	length = want; /* exactly: OpenSSH and NSS ask for no size */
	OK(p->C_SignInit(h, m, private_key));
	OK(p->C_Sign(h, (CK_BYTE *)data, n, signature, &length));
	EQUAL(length, want);
	OK(p->C_VerifyInit(h, m, public_key));
	OK(p->C_Verify(h, (CK_BYTE *)data, n, signature, length));
	signature[length / 2] ^= 1;
	OK(p->C_VerifyInit(h, m, public_key));
	IS(p->C_Verify(h, (CK_BYTE *)data, n, signature, length), CKR_SIGNATURE_INVALID);
	signature[length / 2] ^= 1;
	OK(p->C_VerifyInit(h, m, public_key));
	IS(p->C_Verify(h, (CK_BYTE *)data, n, signature, length - 1), CKR_SIGNATURE_LEN_RANGE);
}

static void rsa(void)
{
	CK_BYTE info[256] = {0x30, 0x31};

	h = begin_user();
	make_rsa(h, no, &public_key, &private_key);
	for (CK_ULONG n = 35; n <= 83; n += 16)
		sign_and_verify(MECHANISM(CKM_RSA_PKCS), info, n, 256);
	sign_and_verify(MECHANISM(CKM_RSA_PKCS), info, 256 - 11, 256);
	OK(p->C_SignInit(h, MECHANISM(CKM_RSA_PKCS), private_key));
	IS(p->C_Sign(h, info, 256 - 10, signature, &length), CKR_DATA_LEN_RANGE);
	sign_and_verify(MECHANISM(CKM_SHA256_RSA_PKCS), info, sizeof info, 256);
	sign_and_verify(MECHANISM(CKM_SHA256_RSA_PKCS), NULL, 0, 256);
}

static void pss(void)
{
	CK_RSA_PKCS_PSS_PARAMS params = {CKM_SHA256, CKG_MGF1_SHA256, 32};
	CK_BYTE hash[32] = {1};

	h = begin_user();
	make_rsa(h, no, &public_key, &private_key);
	sign_and_verify(MECHANISM_WITH(CKM_RSA_PKCS_PSS, params), hash, 32, 256);
	OK(p->C_SignInit(h, MECHANISM_WITH(CKM_RSA_PKCS_PSS, params), private_key));
	IS(p->C_Sign(h, hash, 31, signature, &length), CKR_DATA_LEN_RANGE);
	sign_and_verify(MECHANISM_WITH(CKM_SHA256_RSA_PKCS_PSS, params), hash, 7, 256);
	params.hashAlg = CKM_SHA384;
	IS(p->C_SignInit(h, MECHANISM_WITH(CKM_SHA256_RSA_PKCS_PSS, params), private_key), CKR_MECHANISM_PARAM_INVALID);
	params = (CK_RSA_PKCS_PSS_PARAMS){CKM_SHA256, CKG_MGF1_SHA256, 1UL << 40};
	FAILS(p->C_SignInit(h, MECHANISM_WITH(CKM_RSA_PKCS_PSS, params), private_key));
	params = (CK_RSA_PKCS_PSS_PARAMS){0x1234, CKG_MGF1_SHA256, 32};
	IS(p->C_SignInit(h, MECHANISM_WITH(CKM_RSA_PKCS_PSS, params), private_key), CKR_MECHANISM_PARAM_INVALID);
	IS(p->C_SignInit(h, MECHANISM(CKM_RSA_PKCS_PSS), private_key), CKR_MECHANISM_PARAM_INVALID);
}

static void recover(void)
{
	CK_BYTE text[20] = "to be recovered", back[256];
	CK_ULONG n = sizeof back;

	h = begin_user();
	make_rsa(h, no, &public_key, &private_key);
	length = sizeof signature;
	OK(p->C_SignRecoverInit(h, MECHANISM(CKM_RSA_PKCS), private_key));
	OK(p->C_SignRecover(h, text, sizeof text, signature, &length));
	OK(p->C_VerifyRecoverInit(h, MECHANISM(CKM_RSA_PKCS), public_key));
	OK(p->C_VerifyRecover(h, signature, length, back, &n));
	EQUAL(n, sizeof text);
	CHECK(memcmp(text, back, sizeof text) == 0);
	signature[9] ^= 1;
	n = 1; /* what is wrong with the signature counts before the size */
	OK(p->C_VerifyRecoverInit(h, MECHANISM(CKM_RSA_PKCS), public_key));
	IS(p->C_VerifyRecover(h, signature, length, back, &n), CKR_SIGNATURE_INVALID);
}

static void ecdsa(void)
{
	static const CK_BYTE p384[] = {6, 5, 0x2b, 0x81, 4, 0, 0x22}, p521[] = {6, 5, 0x2b, 0x81, 4, 0, 0x23};
	static const struct {
		const CK_BYTE *oid;
		size_t size;
		CK_ULONG signature;
	} curves[] = {{p256, sizeof p256, 64}, {p384, sizeof p384, 96}, {p521, sizeof p521, 132}};
	static const CK_ULONG lengths[] = {20, 32, 48, 64};
	CK_BYTE digest[64] = {0xff, 1};

	h = begin_user();
	for (size_t i = 0; i < 3; i++) {
		NEED(p->C_GenerateKeyPair(h, MECHANISM(CKM_EC_KEY_PAIR_GEN), TEMPLATE({CKA_EC_PARAMS, (void *)curves[i].oid, curves[i].size}),
			TEMPLATE(BOOLEAN(CKA_SIGN, yes)), &public_key, &private_key));
		for (size_t j = 0; j < sizeof lengths / sizeof *lengths; j++)
			sign_and_verify(MECHANISM(CKM_ECDSA), digest, lengths[j], curves[i].signature);
		sign_and_verify(MECHANISM(CKM_ECDSA_SHA256), digest, 3, curves[i].signature);
	}
}

static void eddsa(void)
{
	static const CK_BYTE by_name[] = "\x13\x0c" "edwards25519", by_oid[] = {6, 3, 0x2b, 0x65, 0x70};
	CK_EDDSA_PARAMS params = {CK_FALSE, 0, NULL};
	CK_BYTE text[100] = "a message";

	h = begin_user();
	NEED(p->C_GenerateKeyPair(h, MECHANISM(CKM_EC_EDWARDS_KEY_PAIR_GEN), TEMPLATE({CKA_EC_PARAMS, (void *)by_name, sizeof by_name - 1}),
		TEMPLATE(BOOLEAN(CKA_SIGN, yes)), &public_key, &private_key));
	NEED(p->C_GenerateKeyPair(h, MECHANISM(CKM_EC_EDWARDS_KEY_PAIR_GEN), TEMPLATE(BYTES(CKA_EC_PARAMS, by_oid)),
		TEMPLATE(BOOLEAN(CKA_SIGN, yes)), &public_key, &private_key));
	sign_and_verify(MECHANISM(CKM_EDDSA), text, sizeof text, 64);
	sign_and_verify(MECHANISM_WITH(CKM_EDDSA, params), text, 0, 64);
}

static void macs(void)
{
	CK_BYTE text[100] = "a message";
	CK_ULONG ten = 10, many = 1000;

	h = begin_user();
	public_key = private_key = make_secret(h, 32);
	sign_and_verify(MECHANISM(CKM_SHA256_HMAC), text, sizeof text, 32);
	sign_and_verify(MECHANISM_WITH(CKM_SHA256_HMAC_GENERAL, ten), text, sizeof text, 10);
	FAILS(p->C_SignInit(h, MECHANISM_WITH(CKM_SHA256_HMAC_GENERAL, many), private_key));
	public_key = private_key = make_aes(h, no, no);
	sign_and_verify(MECHANISM(CKM_AES_CMAC), text, sizeof text, 16);
	sign_and_verify(MECHANISM_WITH(CKM_AES_CMAC_GENERAL, ten), text, 0, 10);
}

/* In parts of every size, and in one. */
static void parts(void)
{
	CK_BYTE text[100], whole[256];
	CK_ULONG n = sizeof whole;

	h = begin_user();
	make_rsa(h, no, &public_key, &private_key);
	memset(text, 'p', sizeof text);
	OK(p->C_SignInit(h, MECHANISM(CKM_SHA512_RSA_PKCS), private_key));
	OK(p->C_Sign(h, text, sizeof text, whole, &n));
	OK(p->C_SignInit(h, MECHANISM(CKM_SHA512_RSA_PKCS), private_key));
	OK(p->C_SignUpdate(h, NULL, 0));
	OK(p->C_SignUpdate(h, text, 1));
	OK(p->C_SignUpdate(h, text + 1, 99));
	length = sizeof signature;
	OK(p->C_SignFinal(h, signature, &length));
	CHECK(length == n && memcmp(whole, signature, n) == 0);
	OK(p->C_VerifyInit(h, MECHANISM(CKM_SHA512_RSA_PKCS), public_key));
	OK(p->C_VerifyUpdate(h, text, 60));
	OK(p->C_VerifyUpdate(h, text + 60, 40));
	OK(p->C_VerifyFinal(h, whole, n));
}

const struct test signing_tests[] = {
	{"rsa", "CKM_RSA_PKCS takes a DigestInfo of any hash, and no more than fits", rsa},
	{"pss", "CKM_RSA_PKCS_PSS takes a hash of the right length, and parameters that agree", pss},
	{"recover", "what is signed with recovery is recovered; a bad signature is told before a short buffer", recover},
	{"ecdsa", "CKM_ECDSA gives r and s of full length for hashes shorter and longer than the order", ecdsa},
	{"eddsa", "CKM_EDDSA with curves by name and by OID, with and without parameters", eddsa},
	{"macs", "HMAC and CMAC, whole and cut", macs},
	{"signing-parts", "the parts in which data comes make no difference", parts},
	{NULL, NULL, NULL},
};
