/* Many threads. */
#include "driver.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

#define THREADS 32
#define ROUNDS 200

static CK_OBJECT_HANDLE public_key, private_key;
static CK_SESSION_HANDLE shared;

static void *own_session(void *unused)
{
	CK_BYTE digest[32] = {1}, signature[64];
	CK_SESSION_HANDLE h = open_session(0);

	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		CK_ULONG length = sizeof signature;
		CK_RV rv = p->C_SignInit(h, MECHANISM(CKM_ECDSA), private_key);
		if (rv == CKR_OK)
			rv = p->C_Sign(h, digest, sizeof digest, signature, &length);
		if (rv == CKR_OK && i % 20 == 0)
			rv = p->C_VerifyInit(h, MECHANISM(CKM_ECDSA), public_key);
		if (rv == CKR_OK && i % 20 == 0)
			rv = p->C_Verify(h, digest, sizeof digest, signature, length);
		if (rv != CKR_OK)
			return (void *)(uintptr_t)rv;
	}
	return (void *)(uintptr_t)p->C_CloseSession(h);
}

/* Two threads in one session may be told that an operation is active or is not,
 * and nothing else. */
static void *same_session(void *unused)
{
	CK_BYTE digest[32], text[8] = "message";

	(void)unused;
	for (int i = 0; i < 2000; i++) {
		CK_ULONG length = sizeof digest;
		CK_RV rv = p->C_DigestInit(shared, MECHANISM(CKM_SHA256));
		if (rv != CKR_OK && rv != CKR_OPERATION_ACTIVE)
			return (void *)(uintptr_t)rv;
		rv = p->C_Digest(shared, text, sizeof text, digest, &length);
		if (rv != CKR_OK && rv != CKR_OPERATION_NOT_INITIALIZED)
			return (void *)(uintptr_t)rv;
	}
	return NULL;
}

/* Handles are made and die while others use them. */
static void *churn(void *unused)
{
	CK_SESSION_HANDLE h = open_session(CKF_RW_SESSION);

	(void)unused;
	for (int i = 0; i < 100; i++) {
		CK_OBJECT_HANDLE object = make_data(h, "churn", i % 10 ? no : yes);
		search(h, TEMPLATE(TEXT(CKA_LABEL, "churn")), NULL, 0);
		CK_RV rv = p->C_DestroyObject(h, object);
		if (rv != CKR_OK)
			return (void *)(uintptr_t)rv;
	}
	return NULL;
}

/* What a call may say while another thread ends the module under it: that it
 * is not initialized, or that what the call names went with it. */
static bool fair(CK_RV rv)
{
	static const CK_RV all[] = {CKR_OK, CKR_CRYPTOKI_NOT_INITIALIZED, CKR_SESSION_HANDLE_INVALID, CKR_KEY_HANDLE_INVALID,
		CKR_OBJECT_HANDLE_INVALID, CKR_OPERATION_NOT_INITIALIZED, CKR_SLOT_ID_INVALID, CKR_DEVICE_REMOVED};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (rv == all[i])
			return true;
	return false;
}

#define FAIR(call) \
	do { \
		CK_RV rv_ = (call); \
		if (!fair(rv_)) \
			return (void *)(uintptr_t)rv_; \
	} while (0)

static atomic_bool ending;

static void *use_everything(void *unused)
{
	(void)unused;
	while (!atomic_load(&ending)) {
		CK_BYTE text[16] = "sixteen letters", out[64];
		CK_ULONG length = sizeof out, count, digest = sizeof out;
		CK_OBJECT_HANDLE key = 0;
		CK_SESSION_HANDLE h = 0;
		CK_TOKEN_INFO info;
		FAIR(p->C_GetSlotList(CK_TRUE, NULL, &count));
		FAIR(p->C_GetTokenInfo(slot, &info));
		FAIR(p->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &h));
		FAIR(p->C_GenerateKey(h, MECHANISM(CKM_AES_KEY_GEN), TEMPLATE(NUMBER(CKA_VALUE_LEN, 16), BOOLEAN(CKA_PRIVATE, no)), &key));
		FAIR(p->C_EncryptInit(h, MECHANISM(CKM_AES_ECB), key));
		FAIR(p->C_Encrypt(h, text, sizeof text, out, &length));
		FAIR(p->C_DigestInit(h, MECHANISM(CKM_SHA256)));
		FAIR(p->C_Digest(h, text, sizeof text, out, &digest));
		FAIR(p->C_FindObjectsInit(h, NULL, 0));
		FAIR(p->C_CloseSession(h));
	}
	return NULL;
}

static int descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

static void finalize_under_load(void)
{
	enum { LOAD = 6, CYCLES = 100 };
	pthread_t threads[LOAD];
	void *rv;

	begin();
	OK(p->C_Finalize(NULL));
	int before = descriptors();
	initialize();
	for (int i = 0; i < LOAD; i++)
		CHECK(pthread_create(&threads[i], NULL, use_everything, NULL) == 0);
	for (int i = 0; i < CYCLES; i++) {
		usleep(5000);
		OK(p->C_Finalize(NULL));
		initialize();
	}
	atomic_store(&ending, true);
	for (int i = 0; i < LOAD; i++) {
		CHECK(pthread_join(threads[i], &rv) == 0);
		OK((CK_RV)(uintptr_t)rv);
	}
	/* Every place of a session is as good as new. */
	for (int i = 0; i < 2 * LOAD; i++) {
		CK_BYTE digest[32];
		CK_ULONG length = sizeof digest;
		CK_SESSION_HANDLE h = open_session(0);
		OK(p->C_DigestInit(h, MECHANISM(CKM_SHA256)));
		OK(p->C_Digest(h, digest, 0, digest, &length));
	}
	OK(p->C_Finalize(NULL));
	EQUAL(descriptors(), before);
}

static void together(void *(*run)(void *), int count)
{
	pthread_t threads[THREADS];
	void *rv;

	for (int i = 0; i < count; i++)
		CHECK(pthread_create(&threads[i], NULL, run, NULL) == 0);
	for (int i = 0; i < count; i++) {
		CHECK(pthread_join(threads[i], &rv) == 0);
		OK((CK_RV)(uintptr_t)rv);
	}
}

static void sign_together(void)
{
	CK_SESSION_HANDLE h = begin_user();

	make_ec(h, yes, &public_key, &private_key);
	together(own_session, THREADS);
}

static void share_a_session(void)
{
	shared = begin_user();
	together(same_session, 2);
	together(same_session, 8);
}

static void churn_together(void)
{
	CK_SESSION_HANDLE h = begin_user();

	together(churn, 8);
	EQUAL(count_label(h, "churn"), 0);
}

const struct test thread_tests[] = {
	{"sign-together", "thirty-two threads sign, each in its session", sign_together},
	{"share-a-session", "threads in one session get a result or are told of the other's operation", share_a_session},
	{"churn", "threads make, find and destroy objects of one token", churn_together},
	{"finalize-under-load", "threads are told when C_Finalize comes between their calls, and nothing is left of them", finalize_under_load},
	{NULL, NULL, NULL},
};
