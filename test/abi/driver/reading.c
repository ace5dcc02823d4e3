/* Reading attributes, and searching. */
#include "driver.h"

size_t get_bytes(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, void *buffer, size_t size)
{
	CK_ATTRIBUTE a = {type, buffer, size};
	CK_RV rv = p->C_GetAttributeValue(h, object, &a, 1);

	if (rv != CKR_OK) {
		fail("attribute %#lx cannot be read: CKR_%#lx", type, rv);
		return 0;
	}
	return a.ulValueLen;
}

CK_BBOOL get_bool(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
	CK_BBOOL value = 99;

	EQUAL(get_bytes(h, object, type, &value, sizeof value), sizeof value);
	return value;
}

CK_ULONG get_number(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
	CK_ULONG value = 0x7777;

	EQUAL(get_bytes(h, object, type, &value, sizeof value), sizeof value);
	return value;
}

CK_RV read_one(CK_SESSION_HANDLE h, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
	CK_BYTE value[8192];
	CK_ATTRIBUTE a = {type, value, sizeof value};

	return p->C_GetAttributeValue(h, object, &a, 1);
}

CK_ULONG search(CK_SESSION_HANDLE h, CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE *found, CK_ULONG room)
{
	CK_ULONG total = 0, some = 0;
	CK_OBJECT_HANDLE part[64];

	if (OK(p->C_FindObjectsInit(h, template, count)) != CKR_OK)
		return 0;
	do {
		OK(p->C_FindObjects(h, part, 64, &some));
		for (CK_ULONG i = 0; i < some && total + i < room; i++)
			found[total + i] = part[i];
		total += some;
	} while (some > 0);
	OK(p->C_FindObjectsFinal(h));
	return total;
}

CK_ULONG count_label(CK_SESSION_HANDLE h, const char *label)
{
	return search(h, TEMPLATE({CKA_LABEL, (void *)label, strlen(label)}), NULL, 0);
}
