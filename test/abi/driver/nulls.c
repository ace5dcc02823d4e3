/*
 * Every function of every list, with NULL for each pointer and each combination
 * of pointers, and with lengths that cannot be: an error, and nothing worse.
 *
 * Arguments are passed as 64-bit integers through one function type. The C
 * standard does not say that this works; the calling conventions of the machines
 * that the module is built for do.
 */
#include "driver.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define MOST 11
#define SCRATCH 4096

typedef CK_RV (*any_function)(CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG);

/*
 * What the arguments are, a letter each:
 *	h session	s slot	k key or object	f flags or a number
 *	p pointer	n length of the pointer before it
 * and the operation that is begun before the call.
 */
enum before { NOTHING, ENCRYPT, DECRYPT, DIGEST, SIGN, VERIFY, FIND };
static const struct {
	const char *name, *arguments;
	enum before before;
} functions[] = {
	{"C_Initialize", "p", NOTHING}, {"C_Finalize", "p", NOTHING}, {"C_GetInfo", "p", NOTHING}, {"C_GetFunctionList", "p", NOTHING},
	{"C_GetSlotList", "fpp", NOTHING}, {"C_GetSlotInfo", "sp", NOTHING}, {"C_GetTokenInfo", "sp", NOTHING},
	{"C_GetMechanismList", "spp", NOTHING}, {"C_GetMechanismInfo", "sfp", NOTHING}, {"C_InitToken", "spnp", NOTHING},
	{"C_InitPIN", "hpn", NOTHING}, {"C_SetPIN", "hpnpn", NOTHING}, {"C_OpenSession", "sfppp", NOTHING}, {"C_CloseSession", "h", NOTHING},
	{"C_CloseAllSessions", "s", NOTHING}, {"C_GetSessionInfo", "hp", NOTHING}, {"C_GetOperationState", "hpp", DIGEST},
	{"C_SetOperationState", "hpnkk", NOTHING}, {"C_Login", "hfpn", NOTHING}, {"C_Logout", "h", NOTHING},
	{"C_CreateObject", "hpnp", NOTHING}, {"C_CopyObject", "hkpnp", NOTHING}, {"C_DestroyObject", "hk", NOTHING},
	{"C_GetObjectSize", "hkp", NOTHING}, {"C_GetAttributeValue", "hkpn", NOTHING}, {"C_SetAttributeValue", "hkpn", NOTHING},
	{"C_FindObjectsInit", "hpn", NOTHING}, {"C_FindObjects", "hpfp", FIND}, {"C_FindObjectsFinal", "h", FIND},
	{"C_EncryptInit", "hpk", NOTHING}, {"C_Encrypt", "hpnpp", ENCRYPT}, {"C_EncryptUpdate", "hpnpp", ENCRYPT}, {"C_EncryptFinal", "hpp", ENCRYPT},
	{"C_DecryptInit", "hpk", NOTHING}, {"C_Decrypt", "hpnpp", DECRYPT}, {"C_DecryptUpdate", "hpnpp", DECRYPT}, {"C_DecryptFinal", "hpp", DECRYPT},
	{"C_DigestInit", "hp", NOTHING}, {"C_Digest", "hpnpp", DIGEST}, {"C_DigestUpdate", "hpn", DIGEST}, {"C_DigestKey", "hk", DIGEST},
	{"C_DigestFinal", "hpp", DIGEST}, {"C_SignInit", "hpk", NOTHING}, {"C_Sign", "hpnpp", SIGN}, {"C_SignUpdate", "hpn", SIGN},
	{"C_SignFinal", "hpp", SIGN}, {"C_SignRecoverInit", "hpk", NOTHING}, {"C_SignRecover", "hpnpp", NOTHING}, {"C_VerifyInit", "hpk", NOTHING},
	{"C_Verify", "hpnpn", VERIFY}, {"C_VerifyUpdate", "hpn", VERIFY}, {"C_VerifyFinal", "hpn", VERIFY}, {"C_VerifyRecoverInit", "hpk", NOTHING},
	{"C_VerifyRecover", "hpnpp", NOTHING}, {"C_DigestEncryptUpdate", "hpnpp", ENCRYPT}, {"C_DecryptDigestUpdate", "hpnpp", DECRYPT},
	{"C_SignEncryptUpdate", "hpnpp", ENCRYPT}, {"C_DecryptVerifyUpdate", "hpnpp", DECRYPT}, {"C_GenerateKey", "hppnp", NOTHING},
	{"C_GenerateKeyPair", "hppnpnpp", NOTHING}, {"C_WrapKey", "hpkkpp", NOTHING}, {"C_UnwrapKey", "hpkpnpnp", NOTHING},
	{"C_DeriveKey", "hpkpnp", NOTHING}, {"C_SeedRandom", "hpn", NOTHING}, {"C_GenerateRandom", "hpn", NOTHING}, {"C_GetFunctionStatus", "h", NOTHING},
	{"C_CancelFunction", "h", NOTHING}, {"C_WaitForSlotEvent", "fpp", NOTHING}, {"C_GetInterfaceList", "pp", NOTHING},
	{"C_GetInterface", "pppf", NOTHING}, {"C_LoginUser", "hfpnpn", NOTHING}, {"C_SessionCancel", "hf", SIGN},
	{"C_MessageEncryptInit", "hpk", NOTHING}, {"C_EncryptMessage", "hpnpnpnpp", NOTHING}, {"C_EncryptMessageBegin", "hpnpn", NOTHING},
	{"C_EncryptMessageNext", "hpnpnppf", NOTHING}, {"C_MessageEncryptFinal", "h", NOTHING}, {"C_MessageDecryptInit", "hpk", NOTHING},
	{"C_DecryptMessage", "hpnpnpnpp", NOTHING}, {"C_DecryptMessageBegin", "hpnpn", NOTHING}, {"C_DecryptMessageNext", "hpnpnppf", NOTHING},
	{"C_MessageDecryptFinal", "h", NOTHING}, {"C_MessageSignInit", "hpk", NOTHING}, {"C_SignMessage", "hpnpnpp", NOTHING},
	{"C_SignMessageBegin", "hpn", NOTHING}, {"C_SignMessageNext", "hpnpnpp", NOTHING}, {"C_MessageSignFinal", "h", NOTHING},
	{"C_MessageVerifyInit", "hpk", NOTHING}, {"C_VerifyMessage", "hpnpnpn", NOTHING}, {"C_VerifyMessageBegin", "hpn", NOTHING},
	{"C_VerifyMessageNext", "hpnpnpn", NOTHING}, {"C_MessageVerifyFinal", "h", NOTHING}, {"C_EncapsulateKey", "hpkpnppp", NOTHING},
	{"C_DecapsulateKey", "hpkpnpnp", NOTHING}, {"C_VerifySignatureInit", "hpkpn", NOTHING}, {"C_VerifySignature", "hpn", NOTHING},
	{"C_VerifySignatureUpdate", "hpn", NOTHING}, {"C_VerifySignatureFinal", "h", NOTHING}, {"C_GetSessionValidationFlags", "hfp", NOTHING},
	{"C_AsyncComplete", "hpp", NOTHING}, {"C_AsyncGetID", "hpp", NOTHING}, {"C_AsyncJoin", "hpnpn", NOTHING},
	{"C_WrapKeyAuthenticated", "hpkkpnpp", NOTHING}, {"C_UnwrapKeyAuthenticated", "hpkpnpnpnp", NOTHING},
};
#define FUNCTIONS (sizeof functions / sizeof *functions)

static CK_SESSION_HANDLE h;
static CK_OBJECT_HANDLE aes, object;
static CK_BYTE scratch[MOST][SCRATCH];
static volatile const char *calling;

/* A crash or a hang says in which function it was. */
static void crashed(int signal)
{
	static const char text[] = "crashed or hung in ";

	(void)signal;
	if (write(1, text, sizeof text - 1) > 0 && write(1, (const char *)calling, strlen((const char *)calling)) > 0)
		_exit(3);
	_exit(3);
}

static any_function function(const void *list, size_t i)
{
	any_function f;

	memcpy(&f, (const char *)list + (i + 1) * sizeof f, sizeof f);
	return f;
}

static CK_RV call(const void *list, size_t i, CK_ULONG nulls, CK_ULONG length)
{
	CK_ULONG a[MOST] = {0};

	memset(scratch, 0, sizeof scratch);
	for (size_t j = 0, pointers = 0; functions[i].arguments[j] != 0; j++)
		switch (functions[i].arguments[j]) {
		case 'h':
			a[j] = h;
			break;
		case 's':
			a[j] = slot;
			break;
		case 'k':
			a[j] = object;
			break;
		case 'f':
			a[j] = strcmp(functions[i].name, "C_WaitForSlotEvent") == 0 ? CKF_DONT_BLOCK : 1;
			break;
		case 'n':
			a[j] = length;
			break;
		case 'p':
			a[j] = nulls & (1UL << pointers++) ? 0 : (CK_ULONG)scratch[j];
		}
	calling = functions[i].name;
	alarm(20);
	CK_RV rv = function(list, i)(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10]);
	alarm(0);
	return rv;
}

static size_t pointers(size_t i)
{
	size_t n = 0;

	for (const char *a = functions[i].arguments; *a != 0; a++)
		n += *a == 'p';
	return n;
}

/* A session, a key, a public object, and the operation of the row. */
static void prepare(enum before before)
{
	static CK_BYTE iv[16];
	CK_MECHANISM_PTR cbc = MECHANISM_WITH(CKM_AES_CBC_PAD, iv), sha = MECHANISM(CKM_SHA256), cmac = MECHANISM(CKM_AES_CMAC);
	CK_SESSION_INFO info;

	if (p->C_GetSessionInfo(h, &info) != CKR_OK) {
		p->C_Initialize(NULL);
		h = open_session(CKF_RW_SESSION);
		aes = CK_INVALID_HANDLE;
	}
	CK_RV rv = p->C_Login(h, CKU_USER, PIN(USER_PIN));
	if (aes == CK_INVALID_HANDLE || rv == CKR_OK)
		aes = make_aes(h, no, no);
	CK_ULONG size;
	if (p->C_GetObjectSize(h, object, &size) != CKR_OK)
		object = make_data(h, "nulls", no);
	OK(p->C_SessionCancel(h, ~0UL));
	switch (before) {
	case ENCRYPT:
		OK(p->C_EncryptInit(h, cbc, aes));
		break;
	case DECRYPT:
		OK(p->C_DecryptInit(h, cbc, aes));
		break;
	case DIGEST:
		OK(p->C_DigestInit(h, sha));
		break;
	case SIGN:
		OK(p->C_SignInit(h, cmac, aes));
		break;
	case VERIFY:
		OK(p->C_VerifyInit(h, cmac, aes));
		break;
	case FIND:
		OK(p->C_FindObjectsInit(h, NULL, 0));
		break;
	case NOTHING:
		break;
	}
}

static void watch(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGALRM, SIGFPE, SIGILL};

	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		signal(signals[i], crashed);
}

/* What a caught panic gives. */
static void judge(const char *name, CK_ULONG nulls, CK_ULONG length, CK_RV rv)
{
	if (rv == CKR_GENERAL_ERROR || rv == CKR_DEVICE_ERROR)
		fail("%s with NULL for the pointers %#lx and lengths %#lx: CKR_%#lx", name, nulls, length, rv);
}

static void sweep(const void *list, size_t count)
{
	begin();
	for (size_t i = 0; i < count; i++)
		for (CK_ULONG nulls = 0; nulls < 1UL << pointers(i); nulls++) {
			prepare(functions[i].before);
			judge(functions[i].name, nulls, 16, call(list, i, nulls, 16));
		}
}

static void nulls_2_40(void)
{
	CK_FUNCTION_LIST *list = NULL;

	NEED(get_function_list(&list));
	watch();
	sweep(list, 68);
}

static void nulls_3_0(void)
{
	CK_INTERFACE *found = NULL;

	NEED(get_interface(NULL, &(CK_VERSION){3, 0}, &found, 0));
	watch();
	sweep(found->pFunctionList, 92);
}

static void nulls_3_2(void)
{
	EQUAL(FUNCTIONS, 104);
	watch();
	sweep(p, FUNCTIONS);
}

/* Lengths of which the caller's memory can hold none: with NULL for nothing and
 * for each single pointer. */
static void lengths(void)
{
	static const CK_ULONG wrong[] = {~0UL, ~0UL - 15, 1UL << 63, 1UL << 62, ~0UL / sizeof(CK_ATTRIBUTE) + 1, 0};

	watch();
	begin();
	for (size_t i = 0; i < FUNCTIONS; i++)
		for (size_t j = 0; j < sizeof wrong / sizeof *wrong; j++)
			for (size_t k = 0; strchr(functions[i].arguments, 'n') != NULL && k <= pointers(i); k++) {
				CK_ULONG nulls = k == 0 ? 0 : 1UL << (k - 1);
				prepare(functions[i].before);
				CK_RV rv = call(p, i, nulls, wrong[j]);
				judge(functions[i].name, nulls, wrong[j], rv);
				if (rv == CKR_OK && wrong[j] != 0)
					fail("%s took a length of %#lx", functions[i].name, wrong[j]);
			}
}

static void refused(size_t i, CK_RV rv)
{
	if (rv != CKR_CRYPTOKI_NOT_INITIALIZED)
		fail("%s before C_Initialize: CKR_%#lx", functions[i].name, rv);
}

static bool may_be_called(const char *name)
{
	return strcmp(name, "C_Initialize") == 0 || strcmp(name, "C_GetFunctionList") == 0 || strcmp(name, "C_GetInterface") == 0 ||
		strcmp(name, "C_GetInterfaceList") == 0;
}

static void uninitialized(void)
{
	watch();
	for (size_t i = 0; i < FUNCTIONS; i++)
		if (!may_be_called(functions[i].name)) {
			refused(i, call(p, i, 0, 16));
			refused(i, call(p, i, ~0UL, 16));
		}
	initialize();
	NEED(p->C_Finalize(NULL));
	for (size_t i = 0; i < FUNCTIONS; i++)
		if (!may_be_called(functions[i].name))
			refused(i, call(p, i, 0, 16));
}

const struct test null_tests[] = {
	{"nulls-2.40", "no pointer that is NULL crashes a function of the list of version 2.40", nulls_2_40},
	{"nulls-3.0", "no pointer that is NULL crashes a function of the list of version 3.0", nulls_3_0},
	{"nulls-3.2", "no pointer that is NULL crashes a function of the list of version 3.2", nulls_3_2},
	{"lengths", "no length that cannot be is believed", lengths},
	{"uninitialized", "before C_Initialize and after C_Finalize every function but four says so", uninitialized},
	{NULL, NULL, NULL},
};
