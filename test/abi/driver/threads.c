/* Many threads. */
#include "driver.h"

#include <pthread.h>
#include <stdint.h>

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
	{NULL, NULL, NULL},
};
