/* NCrypt beside C_Initialize, in forked children, and in many threads at once. */
#include "driver.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static BYTE hash[32] = {1};

static SECURITY_STATUS sign(NCRYPT_KEY_HANDLE key)
{
	BYTE out[64];
	DWORD size;

	return n->NCryptSignHash(key, NULL, hash, sizeof hash, out, sizeof out, &size, 0);
}

/* How many private keys the C_* functions see with a label, in the first token that has one. */
static CK_ULONG labelled(const char *label)
{
	CK_SLOT_ID slots[8];
	CK_ULONG count = 8, found = 0;
	CK_SESSION_HANDLE h;
	CK_OBJECT_HANDLE objects[4];
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof class}, {CKA_NCRYPT_KEY_NAME, (void *)label, strlen(label)}};

	NEED(p->C_GetSlotList(CK_TRUE, slots, &count));
	for (CK_ULONG i = 0; i < count && found == 0; i++) {
		if (p->C_OpenSession(slots[i], CKF_SERIAL_SESSION, NULL, NULL, &h) != CKR_OK)
			continue;
		NEED(p->C_FindObjectsInit(h, wanted, 2));
		NEED(p->C_FindObjects(h, objects, 4, &found));
		NEED(p->C_FindObjectsFinal(h));
		NEED(p->C_CloseAllSessions(slots[i]));
	}
	return found;
}

static void beside(bool first)
{
	NCRYPT_KEY_HANDLE key;

	if (first)
		NEED(p->C_Initialize(NULL));
	NCRYPT_PROV_HANDLE provider = open_provider();
	key = make_key(provider, NCRYPT_ECDSA_P256_ALGORITHM, u"shared");
	if (!first) {
		CHECK(p->C_GetSlotList(CK_TRUE, NULL, &(CK_ULONG){0}) == CKR_CRYPTOKI_NOT_INITIALIZED);
		NEED(p->C_Initialize(NULL));
	}
	CHECK(p->C_Initialize(NULL) == CKR_CRYPTOKI_ALREADY_INITIALIZED);
	CHECK(labelled("shared") == 1);
	OK(sign(key)); /* C_CloseAllSessions has not ended it */
	NEED(p->C_Finalize(NULL));
	CHECK(p->C_GetSlotList(CK_TRUE, NULL, &(CK_ULONG){0}) == CKR_CRYPTOKI_NOT_INITIALIZED);
	OK(sign(key));
	NEED(p->C_Initialize(NULL));
	CHECK(labelled("shared") == 1);
	OK(n->NCryptDeleteKey(key, 0));
	CHECK(labelled("shared") == 0);
	NEED(p->C_Finalize(NULL));
	OK(n->NCryptFreeObject(provider));
}

static void after_initialize(void)
{
	beside(true);
}

static void before_initialize(void)
{
	beside(false);
}

/* What a child does; it ends with the number of what failed. */
static int child(NCRYPT_PROV_HANDLE provider, NCRYPT_KEY_HANDLE key)
{
	NCRYPT_PROV_HANDLE own = 0;
	NCRYPT_KEY_HANDLE again = 0;

	if (sign(key) != NTE_INVALID_HANDLE || n->NCryptFreeObject(provider) != NTE_INVALID_HANDLE)
		return 1;
	if (n->NCryptOpenStorageProvider(&own, NULL, 0) != ERROR_SUCCESS)
		return 2;
	if (own == provider || sign(key) != NTE_INVALID_HANDLE || n->NCryptFreeObject(provider) != NTE_INVALID_HANDLE)
		return 3;
	if (n->NCryptOpenKey(own, &again, u"inherited", 0, 0) != ERROR_SUCCESS || sign(again) != ERROR_SUCCESS)
		return 4;
	if (p->C_GetSlotList(CK_TRUE, NULL, &(CK_ULONG){0}) != CKR_CRYPTOKI_NOT_INITIALIZED)
		return 5;
	return p->C_Initialize(NULL) == CKR_OK && labelled("inherited") == 1 && sign(again) == ERROR_SUCCESS ? 0 : 6;
}

static void forks(bool initialized)
{
	if (initialized)
		NEED(p->C_Initialize(NULL));
	NCRYPT_PROV_HANDLE provider = open_provider();
	NCRYPT_KEY_HANDLE key = make_key(provider, NCRYPT_ECDSA_P256_ALGORITHM, u"inherited");

	for (int i = 0; i < 3; i++) {
		int status = -1;
		pid_t pid = fork();
		if (pid == 0)
			_exit(child(provider, key));
		CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
		if (status != 0)
			fail("the child ended with %#x", (unsigned)status);
		OK(sign(key));
	}
}

static void fork_alone(void)
{
	forks(false);
}

static void fork_initialized(void)
{
	forks(true);
}

static pthread_barrier_t barrier;

static void *worker(void *argument)
{
	NCRYPT_PROV_HANDLE provider = 0;
	NCRYPT_KEY_HANDLE key = 0;
	WCHAR name[] = {u'a', 0};
	size_t number = *(size_t *)argument;

	name[0] = (WCHAR)(u'a' + number);
	pthread_barrier_wait(&barrier);
	OK(n->NCryptOpenStorageProvider(&provider, NULL, 0));
	OK(n->NCryptCreatePersistedKey(provider, &key, NCRYPT_ECDSA_P256_ALGORITHM, name, 0, 0));
	OK(n->NCryptFinalizeKey(key, 0));
	for (int i = 0; i < 20; i++)
		OK(sign(key));
	OK(n->NCryptDeleteKey(key, 0));
	OK(n->NCryptFreeObject(provider));
	return NULL;
}

static void threads(void)
{
	pthread_t all[8];
	size_t numbers[8];

	pthread_barrier_init(&barrier, NULL, 8);
	for (size_t i = 0; i < 8; i++) {
		numbers[i] = i;
		CHECK(pthread_create(&all[i], NULL, worker, &numbers[i]) == 0);
	}
	for (size_t i = 0; i < 8; i++)
		pthread_join(all[i], NULL);
}

const struct test process_tests[] = {
	{"after-initialize", "after C_Initialize both interfaces have one engine, and C_Finalize leaves NCrypt's keys", after_initialize},
	{"before-initialize", "C_Initialize takes the engine that NCrypt has started", before_initialize},
	{"fork", "in a child the parent's handles are refused, and the child opens its own", fork_alone},
	{"fork-initialized", "so it is where the parent had called C_Initialize, which the child has not", fork_initialized},
	{"threads", "many threads may be the first", threads},
	{NULL, NULL, NULL},
};
