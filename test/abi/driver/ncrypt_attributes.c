/* The attributes of ncrypt11's own: keys in two steps, archiving, export policies, blobs, properties. */
#include "driver.h"

static CK_SESSION_HANDLE h;
static CK_BYTE buffer[4096];
static CK_ULONG length;

#define AES_KEY(...) TEMPLATE(NUMBER(CKA_CLASS, CKO_SECRET_KEY), NUMBER(CKA_KEY_TYPE, CKK_AES), BYTES(CKA_VALUE, value), \
	BOOLEAN(CKA_ENCRYPT, yes), TEXT(CKA_LABEL, "ncrypt"), __VA_ARGS__)

static const CK_BYTE value[16] = {0x42, 1, 2, 3};

static CK_RV encrypt(CK_OBJECT_HANDLE key)
{
	CK_RV rv = p->C_EncryptInit(h, MECHANISM(CKM_AES_ECB), key);

	length = sizeof buffer;
	return rv != CKR_OK ? rv : p->C_Encrypt(h, (CK_BYTE_PTR)value, sizeof value, buffer, &length);
}

static CK_RV wrap(CK_OBJECT_HANDLE by, CK_OBJECT_HANDLE key)
{
	length = sizeof buffer;
	return p->C_WrapKey(h, MECHANISM(CKM_AES_KEY_WRAP), by, key, buffer, &length);
}

static void two_steps(void)
{
	CK_OBJECT_HANDLE key;
	CK_ATTRIBUTE final[] = {NUMBER(CKA_NCRYPT_STATE, CK_NCRYPT_STATE_FINAL)};

	h = begin_user();
	CK_SESSION_HANDLE other = open_session(CKF_RW_SESSION);
	NEED(p->C_CreateObject(h, AES_KEY(BOOLEAN(CKA_TOKEN, yes), BOOLEAN(CKA_NCRYPT_DO_NOT_FINALIZE, yes)), &key));
	EQUAL(get_number(h, key, CKA_NCRYPT_STATE), CK_NCRYPT_STATE_IMPORTED);
	IS(read_one(h, key, CKA_NCRYPT_DO_NOT_FINALIZE), CKR_ATTRIBUTE_TYPE_INVALID);
	IS(encrypt(key), CKR_KEY_FUNCTION_NOT_PERMITTED);
	EQUAL(count_label(other, "ncrypt"), 0);
	IS(p->C_SetAttributeValue(other, key, final, 1), CKR_OBJECT_HANDLE_INVALID);
	OK(p->C_SetAttributeValue(h, key, TEMPLATE(NUMBER(CKA_NCRYPT_KEY_USAGE, 1), TEXT(CKA_NCRYPT_KEY_NAME, "a name"))));
	OK(p->C_SetAttributeValue(h, key, final, 1));
	IS(p->C_SetAttributeValue(h, key, final, 1), CKR_ATTRIBUTE_READ_ONLY);
	EQUAL(get_number(h, key, CKA_NCRYPT_STATE), CK_NCRYPT_STATE_PERSISTED);
	EQUAL(get_number(h, key, CKA_NCRYPT_KEY_USAGE), 1);
	OK(encrypt(key));
	EQUAL(count_label(other, "ncrypt"), 1);
	NEED(p->C_CreateObject(h, AES_KEY(BOOLEAN(CKA_NCRYPT_DO_NOT_FINALIZE, yes)), &key));
	OK(p->C_SetAttributeValue(h, key, final, 1));
	EQUAL(get_number(h, key, CKA_NCRYPT_STATE), CK_NCRYPT_STATE_EPHEMERAL);
}

static void archiving(void)
{
	CK_OBJECT_HANDLE key, plain;

	h = begin_user();
	CK_OBJECT_HANDLE by = make_aes(h, no, no);
	NEED(p->C_CreateObject(h, AES_KEY(NUMBER(CKA_NCRYPT_EXPORT_POLICY, 4)), &key));
	EQUAL(get_number(h, key, CKA_NCRYPT_ARCHIVES_LEFT), 1);
	EQUAL(get_number(h, key, CKA_NCRYPT_EXPORT_POLICY), 4);
	EQUAL(get_bool(h, key, CKA_EXTRACTABLE), CK_FALSE);
	IS(read_one(h, key, CKA_VALUE), CKR_ATTRIBUTE_SENSITIVE);
	OK(p->C_WrapKey(h, MECHANISM(CKM_AES_KEY_WRAP), by, key, NULL, &length));
	length--;
	IS(p->C_WrapKey(h, MECHANISM(CKM_AES_KEY_WRAP), by, key, buffer, &length), CKR_BUFFER_TOO_SMALL);
	OK(wrap(by, key));
	IS(wrap(by, key), CKR_KEY_UNEXTRACTABLE);
	EQUAL(get_number(h, key, CKA_NCRYPT_ARCHIVES_LEFT), 0);

	/* Neither a length nor a buffer without room is an archive. */
	NEED(p->C_CreateObject(h, AES_KEY(NUMBER(CKA_NCRYPT_EXPORT_POLICY, 8)), &plain));
	CK_ATTRIBUTE attribute = {CKA_VALUE, NULL, 0};
	OK(p->C_GetAttributeValue(h, plain, &attribute, 1));
	EQUAL(attribute.ulValueLen, sizeof value);
	attribute = (CK_ATTRIBUTE){CKA_VALUE, buffer, sizeof value - 1};
	IS(p->C_GetAttributeValue(h, plain, &attribute, 1), CKR_BUFFER_TOO_SMALL);
	EQUAL(get_number(h, plain, CKA_NCRYPT_ARCHIVES_LEFT), 1);
	attribute = (CK_ATTRIBUTE){CKA_VALUE, buffer, sizeof value};
	OK(p->C_GetAttributeValue(h, plain, &attribute, 1));
	CHECK(memcmp(buffer, value, sizeof value) == 0);
	IS(p->C_GetAttributeValue(h, plain, &attribute, 1), CKR_ATTRIBUTE_SENSITIVE);
	IS(wrap(by, plain), CKR_KEY_UNEXTRACTABLE);
}

static void one_mechanism(void)
{
	CK_RSA_PKCS_OAEP_PARAMS oaep = {CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, NULL, 0};
	CK_RSA_AES_KEY_WRAP_PARAMS params = {256, &oaep};
	CK_OBJECT_HANDLE key, public_key, private_key;

	h = begin_user();
	CK_OBJECT_HANDLE by = make_aes(h, no, no);
	make_rsa(h, no, &public_key, &private_key);
	NEED(p->C_CreateObject(h, AES_KEY(NUMBER(CKA_NCRYPT_EXPORT_POLICY, 0x10)), &key));
	EQUAL(get_number(h, key, CKA_NCRYPT_EXPORT_POLICY), 0x10);
	IS(wrap(by, key), CKR_KEY_NOT_WRAPPABLE);
	length = sizeof buffer;
	IS(p->C_WrapKey(h, MECHANISM_WITH(CKM_RSA_PKCS_OAEP, oaep), public_key, key, buffer, &length), CKR_KEY_NOT_WRAPPABLE);
	length = sizeof buffer;
	OK(p->C_WrapKey(h, MECHANISM_WITH(CKM_RSA_AES_KEY_WRAP, params), public_key, key, buffer, &length));
	IS(p->C_SetAttributeValue(h, key, TEMPLATE(NUMBER(CKA_NCRYPT_EXPORT_POLICY, 1))), CKR_ATTRIBUTE_READ_ONLY);
	IS(p->C_SetAttributeValue(h, key, TEMPLATE(NUMBER(CKA_NCRYPT_EXPORT_POLICY, 4))), CKR_ATTRIBUTE_READ_ONLY);
	IS(p->C_CreateObject(h, AES_KEY(NUMBER(CKA_NCRYPT_EXPORT_POLICY, 0x20)), &key), CKR_ATTRIBUTE_VALUE_INVALID);
}

/* A KeyDataBlob: KDBM, version 1, 16 bytes. */
static void blobs(void)
{
	CK_BYTE blob[12 + 16] = {'K', 'D', 'B', 'M', 1, 0, 0, 0, 16};
	CK_OBJECT_HANDLE key;

	h = begin_user();
	memcpy(blob + 12, value, sizeof value);
	NEED(p->C_CreateObject(h, TEMPLATE(TEXT(CKA_NCRYPT_BLOB_TYPE, "KeyDataBlob"), BYTES(CKA_NCRYPT_BLOB, blob), BOOLEAN(CKA_SENSITIVE, no),
		BOOLEAN(CKA_EXTRACTABLE, yes), BOOLEAN(CKA_NCRYPT_NO_VALIDATE, yes)), &key));
	EQUAL(get_bytes(h, key, CKA_VALUE, buffer, sizeof buffer), sizeof value);
	CHECK(memcmp(buffer, value, sizeof value) == 0);
	EQUAL(get_number(h, key, CKA_KEY_TYPE), CKK_AES);
	IS(read_one(h, key, CKA_NCRYPT_BLOB), CKR_ATTRIBUTE_TYPE_INVALID);
	IS(read_one(h, key, CKA_NCRYPT_NO_VALIDATE), CKR_ATTRIBUTE_TYPE_INVALID);
	IS(p->C_CreateObject(h, TEMPLATE(BYTES(CKA_NCRYPT_BLOB, blob)), &key), CKR_TEMPLATE_INCOMPLETE);
	blob[8]++;
	IS(p->C_CreateObject(h, TEMPLATE(TEXT(CKA_NCRYPT_BLOB_TYPE, "KeyDataBlob"), BYTES(CKA_NCRYPT_BLOB, blob)), &key), CKR_ATTRIBUTE_VALUE_INVALID);
	IS(p->C_CreateObject(h, TEMPLATE(TEXT(CKA_NCRYPT_BLOB_TYPE, "PRIVATEBLOB"), {CKA_NCRYPT_BLOB, blob, 0}), &key), CKR_ATTRIBUTE_VALUE_INVALID);
}

static void properties(void)
{
	static const char of[] = "ncrypt11 property of ";
	char application[200];
	CK_OBJECT_HANDLE key, property, found[2];

	h = begin_user();
	NEED(p->C_CreateObject(h, AES_KEY(BOOLEAN(CKA_TOKEN, yes)), &key));
	memcpy(application, of, sizeof of - 1);
	size_t n = sizeof of - 1 + get_bytes(h, key, CKA_UNIQUE_ID, application + sizeof of - 1, sizeof application - sizeof of);
	NEED(p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_DATA), BOOLEAN(CKA_TOKEN, yes), BOOLEAN(CKA_PRIVATE, no), {CKA_APPLICATION, application, n},
		TEXT(CKA_NCRYPT_PROP_NAME, "color"), TEXT(CKA_NCRYPT_PROP_VALUE, "blue")), &property));
	CK_ATTRIBUTE named[] = {TEXT(CKA_NCRYPT_PROP_NAME, "color")};
	EQUAL(search(h, named, 1, found, 2), 1);
	EQUAL(found[0], property);
	EQUAL(get_bytes(h, property, CKA_NCRYPT_PROP_VALUE, buffer, sizeof buffer), 4);
	CHECK(memcmp(buffer, "blue", 4) == 0);
	OK(p->C_SetAttributeValue(h, property, TEMPLATE(TEXT(CKA_NCRYPT_PROP_VALUE, "red"))));
	EQUAL(get_bytes(h, property, CKA_VALUE, buffer, sizeof buffer), 3);
	IS(read_one(h, key, CKA_NCRYPT_PROP_NAME), CKR_ATTRIBUTE_TYPE_INVALID);
	IS(p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_DATA), TEXT(CKA_NCRYPT_PROP_NAME, "color")), &property), CKR_TEMPLATE_INCONSISTENT);
}

const struct test ncrypt_attribute_tests[] = {
	{"ncrypt-two-steps", "a key that is not final is its session's, and of no use, until it is", two_steps},
	{"ncrypt-archiving", "a key that may be archived leaves once; what is given to nobody is no archive", archiving},
	{"ncrypt-one-mechanism", "export policy 0x10 lets a key out by CKM_RSA_AES_KEY_WRAP alone", one_mechanism},
	{"ncrypt-blobs", "CKA_NCRYPT_BLOB is taken apart in C_CreateObject, and never read", blobs},
	{"ncrypt-properties", "properties have their names and values under NCrypt's names", properties},
	{NULL, NULL, NULL},
};
