/* C_FindObjects. */
#include "driver.h"

#include <stdlib.h>

#define MANY 1000

static CK_OBJECT_HANDLE seen[MANY + 1];

static int by_number(const void *a, const void *b)
{
	CK_OBJECT_HANDLE x = *(const CK_OBJECT_HANDLE *)a, y = *(const CK_OBJECT_HANDLE *)b;

	return x < y ? -1 : x > y;
}

static void collect(CK_SESSION_HANDLE h, CK_ULONG at_a_time)
{
	CK_OBJECT_HANDLE part[1024];
	CK_ULONG some, total = 0;

	OK(p->C_FindObjectsInit(h, TEMPLATE(TEXT(CKA_LABEL, "one of many"))));
	do {
		OK(p->C_FindObjects(h, part, at_a_time, &some));
		CHECK(some <= at_a_time);
		for (CK_ULONG i = 0; i < some && total < MANY; i++)
			seen[total++] = part[i];
		if (some > 0)
			OK(read_one(h, part[0], CKA_VALUE)); /* programs read between calls */
	} while (some > 0);
	OK(p->C_FindObjects(h, part, at_a_time, &some));
	EQUAL(some, 0);
	OK(p->C_FindObjectsFinal(h));
	EQUAL(total, MANY);
	qsort(seen, total, sizeof *seen, by_number);
	for (CK_ULONG i = 1; i < total; i++)
		CHECK(seen[i] != seen[i - 1]);
}

static void portions(void)
{
	static CK_OBJECT_HANDLE first[MANY];
	CK_SESSION_HANDLE h = begin_user();

	for (int i = 0; i < MANY; i++)
		make_data(h, "one of many", i % 2 ? yes : no);
	collect(h, 1);
	memcpy(first, seen, sizeof first);
	collect(h, 10);
	CHECK(memcmp(first, seen, sizeof first) == 0);
	collect(h, 1024);
	CHECK(memcmp(first, seen, sizeof first) == 0);
}

static void states(void)
{
	CK_OBJECT_HANDLE found;
	CK_ULONG count;

	begin();
	CK_SESSION_HANDLE h = open_session(0);
	IS(p->C_FindObjects(h, &found, 1, &count), CKR_OPERATION_NOT_INITIALIZED);
	IS(p->C_FindObjectsFinal(h), CKR_OPERATION_NOT_INITIALIZED);
	OK(p->C_FindObjectsInit(h, NULL, 0));
	IS(p->C_FindObjectsInit(h, NULL, 0), CKR_OPERATION_ACTIVE);
	OK(p->C_DigestInit(h, MECHANISM(CKM_SHA256))); /* friendlier than the text, which lets a module refuse */
	OK(p->C_FindObjectsFinal(h));
	IS(p->C_FindObjectsFinal(h), CKR_OPERATION_NOT_INITIALIZED);
}

/* What is made or destroyed meanwhile does not disturb a search. */
static void snapshot(void)
{
	CK_OBJECT_HANDLE found[8];
	CK_SESSION_HANDLE h = begin_user();
	CK_ULONG count = 0, size;

	CK_OBJECT_HANDLE one = make_data(h, "snap", no), two = make_data(h, "snap", no);
	OK(p->C_FindObjectsInit(h, TEMPLATE(TEXT(CKA_LABEL, "snap"))));
	OK(p->C_DestroyObject(h, one));
	OK(p->C_FindObjects(h, found, 8, &count));
	CHECK(count == 1 || count == 2);
	IS(p->C_GetObjectSize(h, one, &size), CKR_OBJECT_HANDLE_INVALID);
	OK(p->C_GetObjectSize(h, two, &size));
	OK(p->C_FindObjectsFinal(h));
}

static void private_objects(void)
{
	CK_OBJECT_HANDLE public_key, private_key;
	CK_SESSION_HANDLE h = begin_user();
	CK_ULONG all = search(h, NULL, 0, NULL, 0);

	make_ec(h, yes, &public_key, &private_key);
	EQUAL(search(h, NULL, 0, NULL, 0), all + 2);
	OK(p->C_Logout(h));
	EQUAL(search(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_PRIVATE_KEY)), NULL, 0), 0);
	EQUAL(search(h, TEMPLATE(BOOLEAN(CKA_PRIVATE, yes)), NULL, 0), 0);
	EQUAL(search(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_PUBLIC_KEY)), NULL, 0), 1);
	OK(p->C_Login(h, CKU_SO, PIN(SO_PIN)));
	EQUAL(search(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_PRIVATE_KEY)), NULL, 0), 0);
}

/* NSS, p11-kit and providers look for these on every token. */
static void special_classes(void)
{
	static const CK_OBJECT_CLASS none[] = {CKO_VALIDATION, CKO_TRUST, 0xce534353UL, 0xce534351UL, 0xce534354UL, CKO_HW_FEATURE, CKO_OTP_KEY};
	CK_OBJECT_HANDLE found[16];

	begin();
	CK_SESSION_HANDLE h = open_session(0);
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		EQUAL(search(h, TEMPLATE(NUMBER(CKA_CLASS, none[i]), BOOLEAN(CKA_TOKEN, yes)), NULL, 0), 0);
	EQUAL(search(h, TEMPLATE({0xce534370UL, "x", 1}), NULL, 0), 0);
	CK_ULONG profiles = search(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_PROFILE)), found, 16);
	CHECK(profiles > 0);
	for (CK_ULONG i = 0; i < profiles && i < 16; i++)
		CHECK(get_number(h, found[i], CKA_PROFILE_ID) != CKP_INVALID_ID);
}

/* A sensitive value may not be found by guessing it. */
static void no_oracle(void)
{
	static const CK_BYTE value[16] = "secret value 16";
	CK_OBJECT_HANDLE key;
	CK_SESSION_HANDLE h = begin_user();

	NEED(p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_SECRET_KEY), NUMBER(CKA_KEY_TYPE, CKK_AES), BYTES(CKA_VALUE, value),
		BOOLEAN(CKA_TOKEN, yes), BOOLEAN(CKA_SENSITIVE, yes), TEXT(CKA_LABEL, "sensitive")), &key));
	EQUAL(search(h, TEMPLATE(BYTES(CKA_VALUE, value)), NULL, 0), 0);
	EQUAL(count_label(h, "sensitive"), 1);
}

const struct test search_tests[] = {
	{"portions", "a thousand objects are the same set one, ten or a thousand at a time", portions},
	{"search-states", "C_FindObjects needs C_FindObjectsInit, which runs once at a time", states},
	{"snapshot", "an object destroyed during a search does no harm", snapshot},
	{"private-objects", "private objects are there for the user only, and nobody else is told", private_objects},
	{"special-classes", "searches for classes that are not kept find nothing; profiles are found without a login", special_classes},
	{"no-oracle", "a sensitive value does not match a search", no_oracle},
	{NULL, NULL, NULL},
};
