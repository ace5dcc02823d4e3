/* Templates that are wrong. */
#include "driver.h"

#include <stdlib.h>

static CK_SESSION_HANDLE h;
static CK_OBJECT_HANDLE object;

#define CREATE(...) p->C_CreateObject(h, TEMPLATE(__VA_ARGS__), &object)
#define AES_KEY NUMBER(CKA_CLASS, CKO_SECRET_KEY), NUMBER(CKA_KEY_TYPE, CKK_AES)

static void wrong(void)
{
	static const CK_BYTE value[16] = {1}, odd[15] = {1};
	CK_BBOOL two[2] = {1, 1};

	h = begin_user();
	IS(CREATE(TEXT(CKA_LABEL, "no class")), CKR_TEMPLATE_INCOMPLETE);
	IS(CREATE(NUMBER(CKA_CLASS, CKO_SECRET_KEY), BYTES(CKA_VALUE, value)), CKR_TEMPLATE_INCOMPLETE);
	IS(CREATE(AES_KEY), CKR_TEMPLATE_INCOMPLETE);
	IS(CREATE(NUMBER(CKA_CLASS, CKO_DATA), {0x7ffffff0UL, "x", 1}), CKR_ATTRIBUTE_TYPE_INVALID);
	ONE_OF(CREATE(NUMBER(CKA_CLASS, CKO_DATA), BOOLEAN(CKA_SIGN, yes)), CKR_TEMPLATE_INCONSISTENT, CKR_ATTRIBUTE_TYPE_INVALID);
	IS(CREATE(NUMBER(CKA_CLASS, CKO_DATA), TEXT(CKA_LABEL, "a"), TEXT(CKA_LABEL, "b")), CKR_TEMPLATE_INCONSISTENT);
	IS(CREATE(NUMBER(CKA_CLASS, CKO_DATA), TEXT(CKA_LABEL, "a"), TEXT(CKA_LABEL, "a")), CKR_TEMPLATE_INCONSISTENT);
	FAILS(CREATE(NUMBER(CKA_CLASS, 0x1234567)));
	FAILS(CREATE(NUMBER(CKA_CLASS, CKO_SECRET_KEY), NUMBER(CKA_KEY_TYPE, 0x1234567), BYTES(CKA_VALUE, value)));
	IS(CREATE({CKA_CLASS, (CK_ULONG[]){CKO_DATA}, 4}), CKR_ATTRIBUTE_VALUE_INVALID);
	IS(CREATE(NUMBER(CKA_CLASS, CKO_DATA), {CKA_TOKEN, two, 2}), CKR_ATTRIBUTE_VALUE_INVALID);
	IS(CREATE(NUMBER(CKA_CLASS, CKO_DATA), {CKA_TOKEN, two, 0}), CKR_ATTRIBUTE_VALUE_INVALID);
	FAILS(CREATE(NUMBER(CKA_CLASS, CKO_DATA), {CKA_LABEL, NULL, 10}));
	FAILS(CREATE(NUMBER(CKA_CLASS, CKO_DATA), {CKA_LABEL, "x", ~0UL}));
	FAILS(CREATE(AES_KEY, BYTES(CKA_VALUE, odd)));
	FAILS(CREATE(AES_KEY, BYTES(CKA_VALUE, value), TEXT(CKA_START_DATE, "yesterday")));
	FAILS(CREATE(AES_KEY, BYTES(CKA_VALUE, value), BYTES(CKA_CHECK_VALUE, odd)));
	IS(p->C_CreateObject(h, NULL, 3, &object), CKR_ARGUMENTS_BAD);
	IS(p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_DATA)), NULL), CKR_ARGUMENTS_BAD);
	EQUAL(search(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_SECRET_KEY)), NULL, 0), 0);
	EQUAL(search(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_DATA)), NULL, 0), 0);
}

static void generation(void)
{
	CK_OBJECT_HANDLE public_key, private_key;

	h = begin_user();
	IS(p->C_GenerateKey(h, MECHANISM(CKM_AES_KEY_GEN), NULL, 0, &object), CKR_TEMPLATE_INCOMPLETE);
	FAILS(p->C_GenerateKey(h, MECHANISM(CKM_AES_KEY_GEN), TEMPLATE(NUMBER(CKA_VALUE_LEN, 17)), &object));
	FAILS(p->C_GenerateKey(h, MECHANISM(CKM_AES_KEY_GEN), TEMPLATE(NUMBER(CKA_VALUE_LEN, 16), NUMBER(CKA_KEY_TYPE, CKK_RSA)), &object));
	IS(p->C_GenerateKey(h, MECHANISM(CKM_RSA_PKCS), TEMPLATE(NUMBER(CKA_VALUE_LEN, 16)), &object), CKR_MECHANISM_INVALID);
	FAILS(p->C_GenerateKey(h, MECHANISM_WITH(CKM_AES_KEY_GEN, h), TEMPLATE(NUMBER(CKA_VALUE_LEN, 16)), &object));
	FAILS(p->C_GenerateKeyPair(h, MECHANISM(CKM_RSA_PKCS_KEY_PAIR_GEN), NULL, 0, NULL, 0, &public_key, &private_key));
	FAILS(p->C_GenerateKeyPair(h, MECHANISM(CKM_RSA_PKCS_KEY_PAIR_GEN), TEMPLATE(NUMBER(CKA_MODULUS_BITS, 512)), NULL, 0, &public_key, &private_key));
	FAILS(p->C_GenerateKeyPair(h, MECHANISM(CKM_RSA_PKCS_KEY_PAIR_GEN), TEMPLATE(NUMBER(CKA_MODULUS_BITS, 1UL << 40)), NULL, 0, &public_key, &private_key));
	FAILS(p->C_GenerateKeyPair(h, MECHANISM(CKM_EC_KEY_PAIR_GEN), TEMPLATE(TEXT(CKA_EC_PARAMS, "nonsense")), NULL, 0, &public_key, &private_key));
	OK(p->C_GenerateKeyPair(h, MECHANISM(CKM_EC_KEY_PAIR_GEN), TEMPLATE(BYTES(CKA_EC_PARAMS, p256)), NULL, 0, &public_key, &private_key));
}

static void huge(void)
{
	const CK_ULONG count = 100000;
	CK_ATTRIBUTE *entries = calloc(count, sizeof *entries);

	h = begin_user();
	for (CK_ULONG i = 0; i < count; i++)
		entries[i] = (CK_ATTRIBUTE){CKA_LABEL, "x", 1};
	entries[0] = (CK_ATTRIBUTE)NUMBER(CKA_CLASS, CKO_DATA);
	FAILS(p->C_CreateObject(h, entries, count, &object));
	object = make_data(h, "small", no);
	FAILS(p->C_SetAttributeValue(h, object, entries, count));
	FAILS(p->C_CopyObject(h, object, entries, count, &object));
	CK_RV rv = p->C_FindObjectsInit(h, entries, count);
	if (rv != CKR_OK)
		FAILS(rv);
	else
		OK(p->C_FindObjectsFinal(h));
	for (CK_ULONG i = 0; i < count; i++)
		entries[i] = (CK_ATTRIBUTE){CKA_LABEL, NULL, 0};
	rv = p->C_GetAttributeValue(h, object, entries, count);
	if (rv != CKR_OK)
		FAILS(rv);
	else
		EQUAL(entries[count - 1].ulValueLen, 5);
	free(entries);
}

/* Values at the edges: empty, and a megabyte. */
static void sizes(void)
{
	const size_t large = 1 << 20;
	CK_BYTE *value = malloc(large), *back = malloc(large);

	h = begin_user();
	memset(value, 'v', large);
	OK(CREATE(NUMBER(CKA_CLASS, CKO_DATA), {CKA_VALUE, NULL, 0}, {CKA_LABEL, "", 0}));
	EQUAL(get_bytes(h, object, CKA_VALUE, back, large), 0);
	CK_RV rv = CREATE(NUMBER(CKA_CLASS, CKO_DATA), BOOLEAN(CKA_TOKEN, yes), {CKA_VALUE, value, large});
	if (rv == CKR_OK) {
		EQUAL(get_bytes(h, object, CKA_VALUE, back, large), large);
		CHECK(memcmp(value, back, large) == 0);
	} else {
		FAILS(rv);
	}
	free(value);
	free(back);
}

const struct test template_tests[] = {
	{"wrong-templates", "each mistake in a template has its error, and leaves nothing behind", wrong},
	{"wrong-generation", "keys of sizes, types and curves that cannot be are not made", generation},
	{"huge-template", "a template of a hundred thousand entries is refused or served", huge},
	{"value-sizes", "values may be empty, and large ones come back whole", sizes},
	{NULL, NULL, NULL},
};
