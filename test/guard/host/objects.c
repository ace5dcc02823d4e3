/* Objects: making, finding, reading and destroying them. */
#include "host.h"

/* create SESSION ATTRIBUTE... */
static CK_RV create(struct line *l)
{
	CK_SESSION_HANDLE h = number(l);
	CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
	struct attributes a;

	attributes(l, &a);
	CK_RV rv = p->C_CreateObject(h, a.list, a.count, &object);
	tell_number(object);
	return rv;
}

/* copy SESSION OBJECT ATTRIBUTE... */
static CK_RV copy(struct line *l)
{
	CK_SESSION_HANDLE h = number(l);
	CK_OBJECT_HANDLE from = number(l), object = CK_INVALID_HANDLE;
	struct attributes a;

	attributes(l, &a);
	CK_RV rv = p->C_CopyObject(h, from, a.list, a.count, &object);
	tell_number(object);
	return rv;
}

/* generate SESSION MECHANISM ATTRIBUTE... */
static CK_RV generate(struct line *l)
{
	CK_SESSION_HANDLE h = number(l);
	CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
	CK_MECHANISM *m = mechanism(l);
	struct attributes a;

	attributes(l, &a);
	CK_RV rv = p->C_GenerateKey(h, m, a.list, a.count, &key);
	tell_number(key);
	return rv;
}

/* pair SESSION MECHANISM ATTRIBUTE-OF-PUBLIC... / ATTRIBUTE-OF-PRIVATE... */
static CK_RV pair(struct line *l)
{
	CK_SESSION_HANDLE h = number(l);
	CK_OBJECT_HANDLE public_key = CK_INVALID_HANDLE, private_key = CK_INVALID_HANDLE;
	CK_MECHANISM *m = mechanism(l);
	struct attributes of_public, of_private;

	attributes(l, &of_public);
	attributes(l, &of_private);
	CK_RV rv = p->C_GenerateKeyPair(h, m, of_public.list, of_public.count, of_private.list, of_private.count, &public_key, &private_key);
	tell_number(public_key);
	tell_number(private_key);
	return rv;
}

/* unwrap SESSION MECHANISM KEY WRAPPED ATTRIBUTE... */
static CK_RV unwrap(struct line *l)
{
	CK_SESSION_HANDLE h = number(l);
	CK_MECHANISM *m = mechanism(l);
	CK_OBJECT_HANDLE by = number(l), key = CK_INVALID_HANDLE;
	struct bytes wrapped = bytes(l);
	struct attributes a;

	attributes(l, &a);
	CK_RV rv = p->C_UnwrapKey(h, m, by, wrapped.at, wrapped.length, a.list, a.count, &key);
	tell_number(key);
	return rv;
}

/* wrap SESSION MECHANISM KEY OTHER-KEY */
static CK_RV wrap(struct line *l)
{
	CK_SESSION_HANDLE h = number(l);
	CK_MECHANISM *m = mechanism(l);
	CK_OBJECT_HANDLE by = number(l), key = number(l);
	CK_ULONG length = 1 << 14;
	CK_BYTE *out = scratch(length);
	CK_RV rv = p->C_WrapKey(h, m, by, key, out, &length);

	if (rv == CKR_OK)
		tell_bytes(out, length);
	return rv;
}

/* derive SESSION MECHANISM KEY ATTRIBUTE... */
static CK_RV derive(struct line *l)
{
	CK_SESSION_HANDLE h = number(l);
	CK_MECHANISM *m = mechanism(l);
	CK_OBJECT_HANDLE base = number(l), key = CK_INVALID_HANDLE;
	struct attributes a;

	attributes(l, &a);
	CK_RV rv = p->C_DeriveKey(h, m, base, a.list, a.count, &key);
	tell_number(key);
	return rv;
}

/* find SESSION ATTRIBUTE...: the handles */
static CK_RV find(struct line *l)
{
	CK_SESSION_HANDLE h = number(l);
	CK_OBJECT_HANDLE found[64];
	CK_ULONG count = 0;
	struct attributes a;

	attributes(l, &a);
	CK_RV rv = p->C_FindObjectsInit(h, a.list, a.count);
	if (rv != CKR_OK)
		return rv;
	rv = p->C_FindObjects(h, found, 64, &count);
	CK_RV ended = p->C_FindObjectsFinal(h);
	for (CK_ULONG i = 0; rv == CKR_OK && i < count; i++)
		tell_number(found[i]);
	return rv == CKR_OK ? ended : rv;
}

/* count SESSION ATTRIBUTE...: how many there are */
static CK_RV count(struct line *l)
{
	CK_SESSION_HANDLE h = number(l);
	CK_OBJECT_HANDLE found[64];
	CK_ULONG some = 0, all = 0;
	struct attributes a;

	attributes(l, &a);
	CK_RV rv = p->C_FindObjectsInit(h, a.list, a.count);
	if (rv != CKR_OK)
		return rv;
	do {
		rv = p->C_FindObjects(h, found, 64, &some);
		all += some;
	} while (rv == CKR_OK && some > 0);
	CK_RV ended = p->C_FindObjectsFinal(h);
	tell_number(all);
	return rv == CKR_OK ? ended : rv;
}

/* get SESSION OBJECT TYPE */
static CK_RV get(struct line *l)
{
	CK_SESSION_HANDLE h = number(l);
	CK_OBJECT_HANDLE object = number(l);
	CK_ATTRIBUTE a = {number(l), scratch(1 << 14), 1 << 14};
	CK_RV rv = p->C_GetAttributeValue(h, object, &a, 1);

	if (rv == CKR_OK)
		tell_bytes(a.pValue, a.ulValueLen);
	return rv;
}

/* set SESSION OBJECT ATTRIBUTE... */
static CK_RV set(struct line *l)
{
	CK_SESSION_HANDLE h = number(l);
	CK_OBJECT_HANDLE object = number(l);
	struct attributes a;

	attributes(l, &a);
	return p->C_SetAttributeValue(h, object, a.list, a.count);
}

/* destroy SESSION OBJECT */
static CK_RV destroy(struct line *l)
{
	CK_SESSION_HANDLE h = number(l);

	return p->C_DestroyObject(h, number(l));
}

const struct verb object_verbs[] = {
	{"create", create}, {"copy", copy}, {"generate", generate}, {"pair", pair}, {"unwrap", unwrap}, {"wrap", wrap}, {"derive", derive},
	{"find", find}, {"count", count}, {"get", get}, {"set", set}, {"destroy", destroy},
	{NULL, NULL},
};
