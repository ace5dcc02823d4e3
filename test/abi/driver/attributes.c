/* Reading and changing attributes. */
#include "driver.h"

#include <stdlib.h>

static void one_way(void)
{
	CK_OBJECT_HANDLE copy;
	CK_SESSION_HANDLE h = begin_user();
	CK_OBJECT_HANDLE key = make_aes(h, no, no), open = make_aes(h, no, yes);

	IS(p->C_SetAttributeValue(h, key, TEMPLATE(BOOLEAN(CKA_SENSITIVE, no))), CKR_ATTRIBUTE_READ_ONLY);
	IS(p->C_SetAttributeValue(h, key, TEMPLATE(BOOLEAN(CKA_EXTRACTABLE, yes))), CKR_ATTRIBUTE_READ_ONLY);
	IS(p->C_CopyObject(h, key, TEMPLATE(BOOLEAN(CKA_SENSITIVE, no)), &copy), CKR_ATTRIBUTE_READ_ONLY);
	IS(p->C_CopyObject(h, key, TEMPLATE(BOOLEAN(CKA_EXTRACTABLE, yes)), &copy), CKR_ATTRIBUTE_READ_ONLY);
	EQUAL(get_bool(h, key, CKA_SENSITIVE), CK_TRUE);
	EQUAL(get_bool(h, key, CKA_EXTRACTABLE), CK_FALSE);
	OK(p->C_SetAttributeValue(h, open, TEMPLATE(BOOLEAN(CKA_SENSITIVE, yes))));
	OK(p->C_SetAttributeValue(h, open, TEMPLATE(BOOLEAN(CKA_EXTRACTABLE, no))));
	IS(read_one(h, open, CKA_VALUE), CKR_ATTRIBUTE_SENSITIVE);
}

static void sensitive(void)
{
	static const CK_ATTRIBUTE_TYPE secrets[] = {CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_PRIME_2, CKA_EXPONENT_1, CKA_EXPONENT_2, CKA_COEFFICIENT};
	CK_OBJECT_HANDLE public_key, private_key;
	CK_SESSION_HANDLE h = begin_user();
	CK_BYTE modulus[512], secret[512];

	make_rsa(h, no, &public_key, &private_key);
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
		CK_ATTRIBUTE mixed[] = {{secrets[i], secret, sizeof secret}, {CKA_MODULUS, modulus, sizeof modulus}};
		memset(secret, 0xaa, sizeof secret);
		IS(p->C_GetAttributeValue(h, private_key, mixed, 2), CKR_ATTRIBUTE_SENSITIVE);
		EQUAL(mixed[0].ulValueLen, CK_UNAVAILABLE_INFORMATION);
		EQUAL(mixed[1].ulValueLen, 256);
		EQUAL(secret[0], 0xaa);
		IS(p->C_GetAttributeValue(h, private_key, &(CK_ATTRIBUTE){secrets[i], NULL, 0}, 1), CKR_ATTRIBUTE_SENSITIVE);
	}
	make_ec(h, no, &public_key, &private_key);
	IS(read_one(h, private_key, CKA_VALUE), CKR_ATTRIBUTE_SENSITIVE);
	IS(read_one(h, make_aes(h, no, no), CKA_VALUE), CKR_ATTRIBUTE_SENSITIVE);
	OK(read_one(h, make_aes(h, no, yes), CKA_VALUE));
}

static void mixed(void)
{
	CK_SESSION_HANDLE h = begin_user();
	CK_OBJECT_HANDLE object = make_data(h, "label", no);
	CK_BYTE label[16], value[16], small[2];
	CK_BBOOL token = 99;
	CK_ATTRIBUTE a[] = {
		{CKA_LABEL, label, sizeof label}, {CKA_MODULUS, value, sizeof value}, {CKA_VALUE, small, sizeof small},
		{CKA_TOKEN, &token, sizeof token}, {CKA_VALUE, NULL, 0}, {0x7fffffff, NULL, 0},
	};

	CK_RV rv = p->C_GetAttributeValue(h, object, a, 6);
	CHECK(rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_BUFFER_TOO_SMALL);
	EQUAL(a[0].ulValueLen, 5);
	CHECK(memcmp(label, "label", 5) == 0);
	EQUAL(a[1].ulValueLen, CK_UNAVAILABLE_INFORMATION);
	EQUAL(a[2].ulValueLen, CK_UNAVAILABLE_INFORMATION);
	EQUAL(a[3].ulValueLen, 1);
	EQUAL(token, CK_FALSE);
	EQUAL(a[4].ulValueLen, 5);
	EQUAL(a[5].ulValueLen, CK_UNAVAILABLE_INFORMATION);
	IS(p->C_GetAttributeValue(h, object, &(CK_ATTRIBUTE){CKA_VALUE, small, sizeof small}, 1), CKR_BUFFER_TOO_SMALL);
	IS(p->C_GetAttributeValue(h, object, &(CK_ATTRIBUTE){CKA_CERTIFICATE_TYPE, small, sizeof small}, 1), CKR_ATTRIBUTE_TYPE_INVALID);
	IS(p->C_GetAttributeValue(h, object + 77, a, 1), CKR_OBJECT_HANDLE_INVALID);
}

/* Many programs give up on a key of which an attribute cannot be read. */
static void defaults(void)
{
	static const CK_ATTRIBUTE_TYPE empty[] = {CKA_ID, CKA_LABEL, CKA_SUBJECT, CKA_START_DATE, CKA_END_DATE};
	static const CK_ATTRIBUTE_TYPE in_keys[] = {CKA_ALWAYS_AUTHENTICATE, CKA_PUBLIC_KEY_INFO, CKA_TOKEN, CKA_PRIVATE, CKA_MODIFIABLE, CKA_COPYABLE,
		CKA_DESTROYABLE, CKA_DERIVE, CKA_SIGN_RECOVER, CKA_DECRYPT, CKA_UNWRAP, CKA_WRAP_WITH_TRUSTED, CKA_KEY_TYPE, CKA_CLASS};
	CK_OBJECT_HANDLE public_key, private_key;
	CK_SESSION_HANDLE h = begin_user();
	CK_BYTE value[8];

	make_rsa(h, no, &public_key, &private_key);
	for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
		EQUAL(get_bytes(h, private_key, empty[i], value, sizeof value), 0);
		EQUAL(get_bytes(h, public_key, empty[i], value, sizeof value), 0);
	}
	for (size_t i = 0; i < sizeof in_keys / sizeof *in_keys; i++)
		if (read_one(h, private_key, in_keys[i]) != CKR_OK)
			fail("attribute %#lx of a private key cannot be read", in_keys[i]);
	EQUAL(get_bool(h, public_key, CKA_TRUSTED), CK_FALSE);
}

static void public_part(void)
{
	CK_OBJECT_HANDLE public_key, private_key, bad;
	CK_BYTE a[1024], b[1024];
	CK_SESSION_HANDLE h = begin_user();

	make_rsa(h, no, &public_key, &private_key);
	EQUAL(get_bytes(h, private_key, CKA_MODULUS, a, sizeof a), 256);
	EQUAL(get_bytes(h, public_key, CKA_MODULUS, b, sizeof b), 256);
	CHECK(memcmp(a, b, 256) == 0 && a[0] >= 0x80);
	EQUAL(get_bytes(h, private_key, CKA_PUBLIC_EXPONENT, a, sizeof a), 3);
	EQUAL(get_number(h, public_key, CKA_MODULUS_BITS), 2048);
	size_t n = get_bytes(h, private_key, CKA_PUBLIC_KEY_INFO, a, sizeof a);
	CHECK(n > 256 && n == get_bytes(h, public_key, CKA_PUBLIC_KEY_INFO, b, sizeof b) && memcmp(a, b, n) == 0);

	make_ec(h, no, &public_key, &private_key);
	EQUAL(get_bytes(h, private_key, CKA_EC_PARAMS, a, sizeof a), sizeof p256);
	EQUAL(get_bytes(h, public_key, CKA_EC_POINT, a, sizeof a), 67);
	CHECK(a[0] == 0x04 && a[1] == 65 && a[2] == 0x04);
	NEED(p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_PUBLIC_KEY), NUMBER(CKA_KEY_TYPE, CKK_EC), BYTES(CKA_EC_PARAMS, p256),
		{CKA_EC_POINT, a + 2, 65}), &public_key));
	EQUAL(get_bytes(h, public_key, CKA_EC_POINT, b, sizeof b), 67);
	CHECK(memcmp(a, b, 67) == 0);
	OK(p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_PUBLIC_KEY), NUMBER(CKA_KEY_TYPE, CKK_EC), BYTES(CKA_EC_PARAMS, p256),
		{CKA_EC_POINT, a, 67}), &public_key));
	a[10] ^= 1; /* no longer on the curve */
	FAILS(p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_PUBLIC_KEY), NUMBER(CKA_KEY_TYPE, CKK_EC), BYTES(CKA_EC_PARAMS, p256),
		{CKA_EC_POINT, a, 67}), &bad));
}

/* NSS gives keys their CKA_ID after it has made them. */
static void set_id(void)
{
	static const CK_BYTE id[20] = "0123456789012345678";
	CK_OBJECT_HANDLE public_key, private_key;
	CK_SESSION_HANDLE h = begin_user();

	make_ec(h, yes, &public_key, &private_key);
	OK(p->C_SetAttributeValue(h, public_key, TEMPLATE(BYTES(CKA_ID, id))));
	OK(p->C_SetAttributeValue(h, private_key, TEMPLATE(BYTES(CKA_ID, id))));
	EQUAL(search(h, TEMPLATE(BYTES(CKA_ID, id)), NULL, 0), 2);
	EQUAL(search(h, TEMPLATE(BYTES(CKA_ID, id), NUMBER(CKA_CLASS, CKO_PRIVATE_KEY)), NULL, 0), 1);
	OK(p->C_Finalize(NULL));
	h = begin_user();
	EQUAL(search(h, TEMPLATE(BYTES(CKA_ID, id)), NULL, 0), 2);
}

static void all_or_nothing(void)
{
	CK_SESSION_HANDLE h = begin_user();
	CK_OBJECT_HANDLE object = make_data(h, "before", yes);

	FAILS(p->C_SetAttributeValue(h, object, TEMPLATE(TEXT(CKA_LABEL, "after"), NUMBER(CKA_CLASS, CKO_PUBLIC_KEY))));
	EQUAL(count_label(h, "after"), 0);
	EQUAL(count_label(h, "before"), 1);
	IS(p->C_SetAttributeValue(open_session(0), object, TEMPLATE(TEXT(CKA_LABEL, "after"))), CKR_SESSION_READ_ONLY);
}

const struct test attribute_tests[] = {
	{"one-way", "CKA_SENSITIVE never becomes false, CKA_EXTRACTABLE never true", one_way},
	{"sensitive", "no secret of a sensitive key can be read, and the rest of the call is served", sensitive},
	{"mixed-reads", "C_GetAttributeValue serves every entry that it can", mixed},
	{"defaults", "attributes with a default can be read where nothing was given", defaults},
	{"public-part", "private keys tell their public part; points are taken raw and as OCTET STRING, and checked", public_part},
	{"set-id", "CKA_ID can be set after generation, and keys are found by it", set_id},
	{"all-or-nothing", "C_SetAttributeValue changes all that it was asked, or nothing", all_or_nothing},
	{NULL, NULL, NULL},
};
