/* Tokens, sessions, keys and attributes for the cases. */
#include "driver.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

CK_SLOT_ID slot;
CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
const CK_BYTE p256[10] = {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};

void initialize(void)
{
	CK_C_INITIALIZE_ARGS args = {NULL, NULL, NULL, NULL, CKF_OS_LOCKING_OK, NULL};

	NEED(p->C_Initialize(&args));
}

bool padded(const CK_UTF8CHAR *text, size_t size, const char *want)
{
	size_t length = size;

	if (memchr(text, 0, size) != NULL)
		return false;
	while (length > 0 && text[length - 1] == ' ')
		length--;
	return want == NULL || (strlen(want) == length && memcmp(text, want, length) == 0);
}

static CK_ULONG slots(CK_SLOT_ID *list, CK_ULONG room)
{
	CK_ULONG count = 0;

	NEED(p->C_GetSlotList(CK_FALSE, NULL, &count));
	count = room;
	NEED(p->C_GetSlotList(CK_FALSE, list, &count));
	return count;
}

CK_SLOT_ID find_token(const char *label)
{
	CK_SLOT_ID list[64];
	CK_ULONG count = slots(list, 64);

	for (CK_ULONG i = 0; i < count; i++) {
		CK_TOKEN_INFO info;
		if (p->C_GetTokenInfo(list[i], &info) == CKR_OK && (info.flags & CKF_TOKEN_INITIALIZED) &&
			padded(info.label, sizeof info.label, label))
			return list[i];
	}
	return CK_UNAVAILABLE_INFORMATION;
}

CK_SLOT_ID empty_slot(void)
{
	CK_SLOT_ID list[64];
	CK_ULONG count = slots(list, 64);

	for (CK_ULONG i = 0; i < count; i++) {
		CK_TOKEN_INFO info;
		if (p->C_GetTokenInfo(list[i], &info) == CKR_OK && !(info.flags & CKF_TOKEN_INITIALIZED))
			return list[i];
	}
	fail("no slot for a new token");
	exit(1);
}

void begin(void)
{
	initialize();
	slot = find_token(TOKEN_LABEL);
	if (slot == CK_UNAVAILABLE_INFORMATION) {
		fail("the token %s is not there", TOKEN_LABEL);
		exit(1);
	}
}

CK_SESSION_HANDLE open_session(CK_FLAGS flags)
{
	CK_SESSION_HANDLE h = CK_INVALID_HANDLE;

	NEED(p->C_OpenSession(slot, CKF_SERIAL_SESSION | flags, NULL, NULL, &h));
	return h;
}

CK_SESSION_HANDLE begin_user(void)
{
	begin();
	CK_SESSION_HANDLE h = open_session(CKF_RW_SESSION);
	NEED(p->C_Login(h, CKU_USER, PIN(USER_PIN)));
	return h;
}

CK_FLAGS token_flags(void)
{
	CK_TOKEN_INFO info;

	NEED(p->C_GetTokenInfo(slot, &info));
	return info.flags;
}

CK_STATE state_of(CK_SESSION_HANDLE h)
{
	CK_SESSION_INFO info = {0, 99, 0, 0};

	OK(p->C_GetSessionInfo(h, &info));
	return info.state;
}

CK_OBJECT_HANDLE make_data(CK_SESSION_HANDLE h, const char *label, CK_BBOOL token)
{
	CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;

	NEED(p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_DATA), BOOLEAN(CKA_TOKEN, token), BOOLEAN(CKA_PRIVATE, no),
		{CKA_LABEL, (void *)label, strlen(label)}, TEXT(CKA_VALUE, "value")), &object));
	return object;
}

CK_OBJECT_HANDLE make_aes(CK_SESSION_HANDLE h, CK_BBOOL token, CK_BBOOL extractable)
{
	CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
	CK_BBOOL sensitive = !extractable;

	NEED(p->C_GenerateKey(h, MECHANISM(CKM_AES_KEY_GEN), TEMPLATE(NUMBER(CKA_VALUE_LEN, 32), BOOLEAN(CKA_TOKEN, token),
		BOOLEAN(CKA_SENSITIVE, sensitive), BOOLEAN(CKA_EXTRACTABLE, extractable), BOOLEAN(CKA_ENCRYPT, yes), BOOLEAN(CKA_DECRYPT, yes),
		BOOLEAN(CKA_SIGN, yes), BOOLEAN(CKA_VERIFY, yes), BOOLEAN(CKA_WRAP, yes), BOOLEAN(CKA_UNWRAP, yes)), &key));
	return key;
}

CK_OBJECT_HANDLE make_secret(CK_SESSION_HANDLE h, CK_ULONG length)
{
	CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;

	NEED(p->C_GenerateKey(h, MECHANISM(CKM_GENERIC_SECRET_KEY_GEN), TEMPLATE(NUMBER(CKA_VALUE_LEN, length), BOOLEAN(CKA_TOKEN, no),
		BOOLEAN(CKA_SIGN, yes), BOOLEAN(CKA_VERIFY, yes), BOOLEAN(CKA_EXTRACTABLE, yes), BOOLEAN(CKA_SENSITIVE, no)), &key));
	return key;
}

CK_OBJECT_HANDLE import_secret(CK_SESSION_HANDLE h, CK_KEY_TYPE type, const void *value, size_t length)
{
	CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;

	NEED(p->C_CreateObject(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_SECRET_KEY), NUMBER(CKA_KEY_TYPE, type), {CKA_VALUE, (void *)value, length},
		BOOLEAN(CKA_ENCRYPT, yes), BOOLEAN(CKA_DECRYPT, yes), BOOLEAN(CKA_SIGN, yes), BOOLEAN(CKA_VERIFY, yes),
		BOOLEAN(CKA_WRAP, yes), BOOLEAN(CKA_UNWRAP, yes), BOOLEAN(CKA_EXTRACTABLE, yes), BOOLEAN(CKA_SENSITIVE, no)), &key));
	return key;
}

void make_rsa(CK_SESSION_HANDLE h, CK_BBOOL token, CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
	NEED(p->C_GenerateKeyPair(h, MECHANISM(CKM_RSA_PKCS_KEY_PAIR_GEN),
		TEMPLATE(NUMBER(CKA_MODULUS_BITS, 2048), BOOLEAN(CKA_TOKEN, token), BOOLEAN(CKA_VERIFY, yes), BOOLEAN(CKA_ENCRYPT, yes),
			BOOLEAN(CKA_WRAP, yes), BOOLEAN(CKA_VERIFY_RECOVER, yes)),
		TEMPLATE(BOOLEAN(CKA_TOKEN, token), BOOLEAN(CKA_SENSITIVE, yes), BOOLEAN(CKA_SIGN, yes), BOOLEAN(CKA_DECRYPT, yes),
			BOOLEAN(CKA_UNWRAP, yes), BOOLEAN(CKA_SIGN_RECOVER, yes)),
		public_key, private_key));
}

void make_ec(CK_SESSION_HANDLE h, CK_BBOOL token, CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
	NEED(p->C_GenerateKeyPair(h, MECHANISM(CKM_EC_KEY_PAIR_GEN),
		TEMPLATE(BYTES(CKA_EC_PARAMS, p256), BOOLEAN(CKA_TOKEN, token), BOOLEAN(CKA_VERIFY, yes)),
		TEMPLATE(BOOLEAN(CKA_TOKEN, token), BOOLEAN(CKA_SENSITIVE, yes), BOOLEAN(CKA_SIGN, yes), BOOLEAN(CKA_DERIVE, yes)),
		public_key, private_key));
}

void *edge(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (size + page - 1) / page * page;
	char *memory = mmap(NULL, pages + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED || mprotect(memory + pages, page, PROT_NONE) != 0) {
		fail("no memory");
		exit(1);
	}
	return memory + pages - size;
}

void *at_edge(const void *data, size_t size)
{
	return memcpy(edge(size), data, size);
}
