/* What keys are used for. */
#include "host.h"

#include <string.h>

enum { room = 1 << 18 };

/* sign SESSION MECHANISM KEY DATA */
static CK_RV sign(struct line *l)
{
	CK_SESSION_HANDLE h = number(l);
	CK_MECHANISM *m = mechanism(l);
	CK_RV rv = p->C_SignInit(h, m, number(l));
	struct bytes data = bytes(l);
	CK_ULONG length = room;
	CK_BYTE *out = scratch(length);

	if (rv == CKR_OK)
		rv = p->C_Sign(h, data.at, data.length, out, &length);
	if (rv == CKR_OK)
		tell_bytes(out, length);
	return rv;
}

/* sign-init SESSION MECHANISM KEY: the call alone */
static CK_RV sign_init(struct line *l)
{
	CK_SESSION_HANDLE h = number(l);
	CK_MECHANISM *m = mechanism(l);

	return p->C_SignInit(h, m, number(l));
}

/* sign-often SESSION MECHANISM KEY DATA TIMES: how often it went well */
static CK_RV sign_often(struct line *l)
{
	CK_SESSION_HANDLE h = number(l);
	CK_MECHANISM *m = mechanism(l);
	CK_OBJECT_HANDLE key = number(l);
	struct bytes data = bytes(l);
	CK_ULONG times = number(l), done = 0;
	CK_BYTE *out = scratch(room);
	CK_RV rv = CKR_OK;

	for (; rv == CKR_OK && done < times; done += rv == CKR_OK) {
		CK_ULONG length = room;
		rv = p->C_SignInit(h, m, key);
		if (rv == CKR_OK)
			rv = p->C_Sign(h, data.at, data.length, out, &length);
	}
	tell_number(done);
	return rv;
}

/* verify SESSION MECHANISM KEY DATA SIGNATURE */
static CK_RV verify(struct line *l)
{
	CK_SESSION_HANDLE h = number(l);
	CK_MECHANISM *m = mechanism(l);
	CK_RV rv = p->C_VerifyInit(h, m, number(l));
	struct bytes data = bytes(l), signature = bytes(l);

	return rv == CKR_OK ? p->C_Verify(h, data.at, data.length, signature.at, signature.length) : rv;
}

/* A use in one part (of 0) or in parts of a size. */
struct use {
	CK_RV (*init)(CK_SESSION_HANDLE, CK_MECHANISM_PTR, CK_OBJECT_HANDLE);
	CK_RV (*once)(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR);
	CK_RV (*update)(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG, CK_BYTE_PTR, CK_ULONG_PTR);
	CK_RV (*final)(CK_SESSION_HANDLE, CK_BYTE_PTR, CK_ULONG_PTR);
};

static CK_RV in_parts(const struct use *u, CK_SESSION_HANDLE h, struct bytes data, CK_ULONG part, CK_BYTE *out, CK_ULONG *length)
{
	CK_ULONG filled = 0, n;

	for (CK_ULONG at = 0; at < data.length; at += part) {
		n = room - filled;
		CK_RV rv = u->update(h, data.at + at, part < data.length - at ? part : data.length - at, out + filled, &n);
		if (rv != CKR_OK)
			return rv;
		filled += n;
	}
	n = room - filled;
	CK_RV rv = u->final(h, out + filled, &n);
	*length = filled + n;
	return rv;
}

/* encrypt SESSION MECHANISM KEY DATA PART, and decrypt */
static CK_RV crypt(struct line *l, const struct use *u)
{
	CK_SESSION_HANDLE h = number(l);
	CK_MECHANISM *m = mechanism(l);
	CK_RV rv = u->init(h, m, number(l));
	struct bytes data = bytes(l);
	CK_ULONG part = number(l), length = room;
	CK_BYTE *out = scratch(length);

	if (rv == CKR_OK)
		rv = part == 0 ? u->once(h, data.at, data.length, out, &length) : in_parts(u, h, data, part, out, &length);
	if (rv == CKR_OK)
		tell_bytes(out, length);
	return rv;
}

static CK_RV encrypt(struct line *l)
{
	return crypt(l, &(struct use){p->C_EncryptInit, p->C_Encrypt, p->C_EncryptUpdate, p->C_EncryptFinal});
}

static CK_RV decrypt(struct line *l)
{
	return crypt(l, &(struct use){p->C_DecryptInit, p->C_Decrypt, p->C_DecryptUpdate, p->C_DecryptFinal});
}

/* encrypt-begin SESSION MECHANISM KEY DATA: leaves the operation running */
static CK_RV encrypt_begin(struct line *l)
{
	CK_SESSION_HANDLE h = number(l);
	CK_MECHANISM *m = mechanism(l);
	CK_RV rv = p->C_EncryptInit(h, m, number(l));
	struct bytes data = bytes(l);
	CK_ULONG length = room;

	return rv == CKR_OK ? p->C_EncryptUpdate(h, data.at, data.length, scratch(length), &length) : rv;
}

/* encrypt-end SESSION */
static CK_RV encrypt_end(struct line *l)
{
	CK_ULONG length = room;

	return p->C_EncryptFinal(number(l), scratch(length), &length);
}

/* random SESSION LENGTH */
static CK_RV random_bytes(struct line *l)
{
	CK_SESSION_HANDLE h = number(l);
	CK_ULONG length = number(l);
	CK_BYTE *out = scratch(length + 1);
	CK_RV rv = p->C_GenerateRandom(h, out, length);

	if (rv == CKR_OK)
		tell_bytes(out, length);
	return rv;
}

const struct verb use_verbs[] = {
	{"sign", sign}, {"sign-init", sign_init}, {"sign-often", sign_often}, {"verify", verify}, {"encrypt", encrypt}, {"decrypt", decrypt},
	{"encrypt-begin", encrypt_begin}, {"encrypt-end", encrypt_end}, {"random", random_bytes},
	{NULL, NULL},
};
