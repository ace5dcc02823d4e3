/* Structures, lists, values and parameters that end where memory ends: neither
 * the driver's sanitizer nor the C library sees what Go code reads and writes. */
#include "driver.h"

static void structures(void)
{
	CK_ULONG *count = edge(sizeof *count);
	CK_INTERFACE **found = edge(sizeof *found);

	begin();
	CK_SESSION_HANDLE *h = edge(sizeof *h);
	OK(p->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, h));
	OK(p->C_GetInfo(edge(sizeof(CK_INFO))));
	OK(p->C_GetSlotInfo(slot, edge(sizeof(CK_SLOT_INFO))));
	OK(p->C_GetTokenInfo(slot, edge(sizeof(CK_TOKEN_INFO))));
	OK(p->C_GetSessionInfo(*h, edge(sizeof(CK_SESSION_INFO))));
	OK(p->C_GetMechanismInfo(slot, CKM_AES_GCM, edge(sizeof(CK_MECHANISM_INFO))));
	OK(p->C_GetSlotList(CK_FALSE, NULL, count));
	OK(p->C_GetSlotList(CK_FALSE, edge(*count * sizeof(CK_SLOT_ID)), count));
	OK(p->C_GetMechanismList(slot, NULL, count));
	OK(p->C_GetMechanismList(slot, edge(*count * sizeof(CK_MECHANISM_TYPE)), count));
	OK(p->C_GetInterfaceList(NULL, count));
	OK(p->C_GetInterfaceList(edge(*count * sizeof(CK_INTERFACE)), count));
	OK(p->C_GetInterface(at_edge("PKCS 11", 8), at_edge(&(CK_VERSION){3, 0}, sizeof(CK_VERSION)), found, 0));
	OK(p->C_GenerateRandom(*h, edge(77), 77));
	OK(p->C_Login(*h, CKU_USER, at_edge(USER_PIN, 4), 4));
}

/* A label for C_InitToken is 32 bytes and has no end. */
static void token_label(void)
{
	initialize();
	slot = empty_slot();
	OK(p->C_InitToken(slot, at_edge(SO_PIN, 8), 8, at_edge("exactly thirty-two bytes, no end", 32)));
}

static void attributes(void)
{
	CK_SESSION_HANDLE h = begin_user();
	CK_ATTRIBUTE made[] = {
		{CKA_CLASS, at_edge(&(CK_ULONG){CKO_DATA}, sizeof(CK_ULONG)), sizeof(CK_ULONG)},
		{CKA_TOKEN, at_edge(&yes, 1), 1},
		{CKA_LABEL, at_edge("edge", 4), 4},
		{CKA_VALUE, at_edge("value", 5), 5},
	};
	CK_OBJECT_HANDLE *object = edge(sizeof *object), *found = edge(3 * sizeof *found);
	CK_ULONG *n = edge(sizeof *n);

	OK(p->C_CreateObject(h, at_edge(made, sizeof made), 4, object));
	CK_ATTRIBUTE asked[] = {{CKA_LABEL, edge(4), 4}, {CKA_VALUE, edge(5), 5}, {CKA_CLASS, edge(sizeof(CK_ULONG)), sizeof(CK_ULONG)}};
	OK(p->C_GetAttributeValue(h, *object, at_edge(asked, sizeof asked), 3));
	CK_ATTRIBUTE small = {CKA_VALUE, edge(4), 4};
	IS(p->C_GetAttributeValue(h, *object, &small, 1), CKR_BUFFER_TOO_SMALL);
	OK(p->C_SetAttributeValue(h, *object, at_edge(made + 3, sizeof *made), 1));
	OK(p->C_FindObjectsInit(h, at_edge(made + 2, sizeof *made), 1));
	OK(p->C_FindObjects(h, found, 3, n));
	EQUAL(*n, 1);
	OK(p->C_FindObjectsFinal(h));
	OK(p->C_GetObjectSize(h, *object, n));
}

static void parameters(void)
{
	CK_SESSION_HANDLE h = begin_user();
	CK_OBJECT_HANDLE key = make_aes(h, no, no), public_key, private_key;
	CK_GCM_PARAMS gcm = {edge(12), 12, 96, edge(5), 5, 128};
	CK_GCM_PARAMS *at = at_edge(&gcm, sizeof gcm);
	CK_MECHANISM m = {CKM_AES_GCM, at, sizeof gcm};
	CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256, 32};
	CK_RSA_PKCS_OAEP_PARAMS oaep = {CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, edge(3), 3};

	OK(p->C_EncryptInit(h, at_edge(&m, sizeof m), key));
	OK(p->C_SessionCancel(h, CKF_ENCRYPT));
	m = (CK_MECHANISM){CKM_AES_GCM, (char *)at + 16, sizeof gcm - 16}; /* shorter than any layout of it */
	FAILS(p->C_EncryptInit(h, &m, key));
	make_rsa(h, no, &public_key, &private_key);
	m = (CK_MECHANISM){CKM_RSA_PKCS_PSS, at_edge(&pss, sizeof pss), sizeof pss};
	OK(p->C_SignInit(h, &m, private_key));
	m = (CK_MECHANISM){CKM_RSA_PKCS_OAEP, at_edge(&oaep, sizeof oaep), sizeof oaep};
	OK(p->C_EncryptInit(h, &m, public_key));
	m = (CK_MECHANISM){CKM_AES_CBC, edge(16), 16};
	OK(p->C_DecryptInit(h, &m, key));
}

const struct test edge_tests[] = {
	{"edge-structures", "structures and lists are not written past their end", structures},
	{"edge-label", "the label of C_InitToken is read to its 32nd byte and no further", token_label},
	{"edge-attributes", "templates and values are read and written within their lengths", attributes},
	{"edge-parameters", "parameters of mechanisms are read within their lengths", parameters},
	{NULL, NULL, NULL},
};
