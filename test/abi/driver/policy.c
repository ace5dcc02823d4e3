/* What a key's attributes allow. */
#include "driver.h"

static void wrap_to_nowhere(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE with, CK_OBJECT_HANDLE key, CK_RV a, CK_RV b)
{
	CK_BYTE wrapped[4096];
	CK_ULONG length = sizeof wrapped;

	ONE_OF(p->C_WrapKey(h, MECHANISM(CKM_AES_KEY_WRAP_KWP), with, key, wrapped, &length), a, b);
}

static void unextractable(void)
{
	CK_OBJECT_HANDLE key;
	CK_SESSION_HANDLE h = begin_user();
	CK_OBJECT_HANDLE wrapping = make_aes(h, no, no);

	wrap_to_nowhere(h, wrapping, make_aes(h, no, no), CKR_KEY_UNEXTRACTABLE, CKR_KEY_NOT_WRAPPABLE);
	NEED(p->C_GenerateKey(h, MECHANISM(CKM_AES_KEY_GEN), TEMPLATE(NUMBER(CKA_VALUE_LEN, 16), BOOLEAN(CKA_SENSITIVE, yes)), &key));
	wrap_to_nowhere(h, wrapping, key, CKR_KEY_UNEXTRACTABLE, CKR_KEY_NOT_WRAPPABLE);
	wrap_to_nowhere(h, wrapping, make_aes(h, no, yes), CKR_OK, CKR_OK);
}

static void trusted(void)
{
	CK_OBJECT_HANDLE target, bad;
	CK_SESSION_HANDLE h = begin_user();
	CK_OBJECT_HANDLE wrapping = make_aes(h, no, no);

	NEED(p->C_GenerateKey(h, MECHANISM(CKM_AES_KEY_GEN), TEMPLATE(NUMBER(CKA_VALUE_LEN, 16), BOOLEAN(CKA_EXTRACTABLE, yes),
		BOOLEAN(CKA_WRAP_WITH_TRUSTED, yes)), &target));
	wrap_to_nowhere(h, wrapping, target, CKR_KEY_NOT_WRAPPABLE, CKR_KEY_NOT_WRAPPABLE);
	IS(p->C_SetAttributeValue(h, target, TEMPLATE(BOOLEAN(CKA_WRAP_WITH_TRUSTED, no))), CKR_ATTRIBUTE_READ_ONLY);
	IS(p->C_SetAttributeValue(h, wrapping, TEMPLATE(BOOLEAN(CKA_TRUSTED, yes))), CKR_ATTRIBUTE_READ_ONLY);
	IS(p->C_GenerateKey(h, MECHANISM(CKM_AES_KEY_GEN), TEMPLATE(NUMBER(CKA_VALUE_LEN, 16), BOOLEAN(CKA_TRUSTED, yes)), &bad),
		CKR_ATTRIBUTE_READ_ONLY);
}

static void templates(void)
{
	CK_ATTRIBUTE only_aes[] = {NUMBER(CKA_KEY_TYPE, CKK_AES)}, closed[] = {BOOLEAN(CKA_EXTRACTABLE, no)};
	CK_OBJECT_HANDLE wrapping, back;
	CK_SESSION_HANDLE h = begin_user();
	CK_BYTE wrapped[128];
	CK_ULONG length = sizeof wrapped;

	NEED(p->C_GenerateKey(h, MECHANISM(CKM_AES_KEY_GEN), TEMPLATE(NUMBER(CKA_VALUE_LEN, 32), BOOLEAN(CKA_WRAP, yes), BOOLEAN(CKA_UNWRAP, yes),
		BYTES(CKA_WRAP_TEMPLATE, only_aes), BYTES(CKA_UNWRAP_TEMPLATE, closed)), &wrapping));
	wrap_to_nowhere(h, wrapping, make_secret(h, 32), CKR_KEY_HANDLE_INVALID, CKR_KEY_HANDLE_INVALID);
	OK(p->C_WrapKey(h, MECHANISM(CKM_AES_KEY_WRAP_KWP), wrapping, make_aes(h, no, yes), wrapped, &length));
	IS(p->C_UnwrapKey(h, MECHANISM(CKM_AES_KEY_WRAP_KWP), wrapping, wrapped, length, TEMPLATE(NUMBER(CKA_CLASS, CKO_SECRET_KEY),
		NUMBER(CKA_KEY_TYPE, CKK_AES), BOOLEAN(CKA_EXTRACTABLE, yes)), &back), CKR_TEMPLATE_INCONSISTENT);
	OK(p->C_UnwrapKey(h, MECHANISM(CKM_AES_KEY_WRAP_KWP), wrapping, wrapped, length, TEMPLATE(NUMBER(CKA_CLASS, CKO_SECRET_KEY),
		NUMBER(CKA_KEY_TYPE, CKK_AES)), &back));
	EQUAL(get_bool(h, back, CKA_EXTRACTABLE), CK_FALSE);
}

/* Read in two steps: the size of the array, the sizes in it, the values. */
static void read_template(void)
{
	CK_ATTRIBUTE inner[] = {NUMBER(CKA_KEY_TYPE, CKK_AES), TEXT(CKA_LABEL, "inner")}, back[2];
	CK_OBJECT_HANDLE key;
	CK_SESSION_HANDLE h = begin_user();
	CK_ATTRIBUTE outer = {CKA_WRAP_TEMPLATE, NULL, 0};
	CK_ULONG type = 99;
	char label[5];

	NEED(p->C_GenerateKey(h, MECHANISM(CKM_AES_KEY_GEN), TEMPLATE(NUMBER(CKA_VALUE_LEN, 32), BOOLEAN(CKA_WRAP, yes),
		BYTES(CKA_WRAP_TEMPLATE, inner)), &key));
	OK(p->C_GetAttributeValue(h, key, &outer, 1));
	EQUAL(outer.ulValueLen, sizeof inner);
	memset(back, 0, sizeof back);
	outer.pValue = back;
	OK(p->C_GetAttributeValue(h, key, &outer, 1));
	for (int i = 0; i < 2; i++)
		if (back[i].type == CKA_KEY_TYPE) {
			EQUAL(back[i].ulValueLen, sizeof type);
			back[i].pValue = &type;
		} else {
			EQUAL(back[i].type, CKA_LABEL);
			EQUAL(back[i].ulValueLen, sizeof label);
			back[i].pValue = label;
		}
	OK(p->C_GetAttributeValue(h, key, &outer, 1));
	EQUAL(type, CKK_AES);
	CHECK(memcmp(label, "inner", 5) == 0);
}

static void allowed_mechanisms(void)
{
	CK_MECHANISM_TYPE only[] = {CKM_SHA256_RSA_PKCS_PSS}, back[4];
	CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256, 32};
	CK_OBJECT_HANDLE public_key, private_key;
	CK_SESSION_HANDLE h = begin_user();

	NEED(p->C_GenerateKeyPair(h, MECHANISM(CKM_RSA_PKCS_KEY_PAIR_GEN), TEMPLATE(NUMBER(CKA_MODULUS_BITS, 2048)),
		TEMPLATE(BOOLEAN(CKA_SIGN, yes), BYTES(CKA_ALLOWED_MECHANISMS, only)), &public_key, &private_key));
	IS(p->C_SignInit(h, MECHANISM(CKM_RSA_PKCS), private_key), CKR_MECHANISM_INVALID);
	OK(p->C_SignInit(h, MECHANISM_WITH(CKM_SHA256_RSA_PKCS_PSS, pss), private_key));
	EQUAL(get_bytes(h, private_key, CKA_ALLOWED_MECHANISMS, back, sizeof back), sizeof only);
	EQUAL(back[0], CKM_SHA256_RSA_PKCS_PSS);
}

static void usage(void)
{
	CK_OBJECT_HANDLE key, public_key, private_key;
	CK_SESSION_HANDLE h = begin_user();
	CK_BYTE iv[16] = {0};

	NEED(p->C_GenerateKey(h, MECHANISM(CKM_AES_KEY_GEN), TEMPLATE(NUMBER(CKA_VALUE_LEN, 16), BOOLEAN(CKA_ENCRYPT, yes), BOOLEAN(CKA_DECRYPT, no),
		BOOLEAN(CKA_SIGN, no), BOOLEAN(CKA_WRAP, no)), &key));
	OK(p->C_EncryptInit(h, MECHANISM_WITH(CKM_AES_CBC, iv), key));
	IS(p->C_DecryptInit(h, MECHANISM_WITH(CKM_AES_CBC, iv), key), CKR_KEY_FUNCTION_NOT_PERMITTED);
	IS(p->C_SignInit(h, MECHANISM(CKM_AES_CMAC), key), CKR_KEY_FUNCTION_NOT_PERMITTED);
	wrap_to_nowhere(h, key, make_aes(h, no, yes), CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_KEY_FUNCTION_NOT_PERMITTED);
	make_ec(h, no, &public_key, &private_key);
	IS(p->C_SignInit(h, MECHANISM(CKM_RSA_PKCS), private_key), CKR_KEY_TYPE_INCONSISTENT);
	ONE_OF(p->C_SignInit(h, MECHANISM(CKM_ECDSA), public_key), CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_FUNCTION_NOT_PERMITTED);
	IS(p->C_SignInit(h, MECHANISM(CKM_SHA256), private_key), CKR_MECHANISM_INVALID);
	IS(p->C_SignInit(h, MECHANISM(0x7fffffff), private_key), CKR_MECHANISM_INVALID);
	IS(p->C_SignInit(h, MECHANISM(CKM_ECDSA), 0x123456), CKR_KEY_HANDLE_INVALID);
	IS(p->C_SignInit(h, MECHANISM(CKM_ECDSA), make_data(h, "no key", no)), CKR_KEY_HANDLE_INVALID);
}

static void always_authenticate(void)
{
	CK_OBJECT_HANDLE public_key, key;
	CK_SESSION_HANDLE h = begin_user();
	CK_BYTE digest[32] = {7}, signature[64];
	CK_ULONG length = sizeof signature;

	NEED(p->C_GenerateKeyPair(h, MECHANISM(CKM_EC_KEY_PAIR_GEN), TEMPLATE(BYTES(CKA_EC_PARAMS, p256)),
		TEMPLATE(BOOLEAN(CKA_SIGN, yes), BOOLEAN(CKA_PRIVATE, yes), BOOLEAN(CKA_ALWAYS_AUTHENTICATE, yes)), &public_key, &key));
	EQUAL(get_bool(h, key, CKA_ALWAYS_AUTHENTICATE), CK_TRUE);
	IS(p->C_Login(h, CKU_CONTEXT_SPECIFIC, PIN(USER_PIN)), CKR_OPERATION_NOT_INITIALIZED);
	OK(p->C_SignInit(h, MECHANISM(CKM_ECDSA), key));
	IS(p->C_Sign(h, digest, sizeof digest, signature, &length), CKR_USER_NOT_LOGGED_IN);
	IS(p->C_Login(h, CKU_CONTEXT_SPECIFIC, PIN("wrong")), CKR_PIN_INCORRECT);
	IS(p->C_Sign(h, digest, sizeof digest, signature, &length), CKR_USER_NOT_LOGGED_IN);
	OK(p->C_Login(h, CKU_CONTEXT_SPECIFIC, PIN(USER_PIN)));
	OK(p->C_Sign(h, digest, sizeof digest, NULL, &length));
	EQUAL(length, 64);
	OK(p->C_Sign(h, digest, sizeof digest, signature, &length));
	OK(p->C_SignInit(h, MECHANISM(CKM_ECDSA), key));
	IS(p->C_Sign(h, digest, sizeof digest, signature, &length), CKR_USER_NOT_LOGGED_IN);
	OK(p->C_Login(h, CKU_CONTEXT_SPECIFIC, PIN(USER_PIN)));
	OK(p->C_Sign(h, digest, sizeof digest, signature, &length));
}

const struct test policy_tests[] = {
	{"unextractable", "a key that is not extractable is not wrapped, nor is one of which nothing was said", unextractable},
	{"trusted", "CKA_WRAP_WITH_TRUSTED is obeyed, and the user makes no key trusted", trusted},
	{"wrap-templates", "CKA_WRAP_TEMPLATE and CKA_UNWRAP_TEMPLATE are obeyed", templates},
	{"read-template", "a template attribute is read back in steps", read_template},
	{"allowed-mechanisms", "CKA_ALLOWED_MECHANISMS is obeyed and read back", allowed_mechanisms},
	{"usage", "a key serves what its attributes and its type allow", usage},
	{"always-authenticate", "CKA_ALWAYS_AUTHENTICATE: a login for each operation, which waits for it", always_authenticate},
	{NULL, NULL, NULL},
};
