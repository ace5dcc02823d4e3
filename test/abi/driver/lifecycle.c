/* C_Initialize, C_Finalize, and what goes with them. */
#include "driver.h"

#include <dirent.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

static CK_RV create_mutex(CK_VOID_PTR_PTR mutex)
{
	static int one;

	*mutex = &one;
	return CKR_OK;
}
static CK_RV use_mutex(CK_VOID_PTR mutex)
{
	(void)mutex;
	return CKR_OK;
}

static CK_RV initialize_with(bool create, bool destroy, bool lock, bool unlock, CK_FLAGS flags, void *reserved)
{
	CK_C_INITIALIZE_ARGS args = {create ? create_mutex : NULL, destroy ? use_mutex : NULL, lock ? use_mutex : NULL,
		unlock ? use_mutex : NULL, flags, reserved};

	return p->C_Initialize(&args);
}

static void twice(void)
{
	CK_SESSION_INFO info;

	OK(p->C_Initialize(NULL));
	slot = find_token(TOKEN_LABEL);
	CK_SESSION_HANDLE h = open_session(0);
	IS(p->C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
	OK(p->C_GetSessionInfo(h, &info));
}

static void mutexes(void)
{
	for (int given = 1; given < 15; given++)
		IS(initialize_with(given & 1, given & 2, given & 4, given & 8, CKF_OS_LOCKING_OK, NULL), CKR_ARGUMENTS_BAD);
	OK(initialize_with(true, true, true, true, CKF_OS_LOCKING_OK | CKF_LIBRARY_CANT_CREATE_OS_THREADS, NULL));
	OK(p->C_Finalize(NULL));
	if (ONE_OF(initialize_with(true, true, true, true, 0, NULL), CKR_OK, CKR_CANT_LOCK) == CKR_OK)
		OK(p->C_Finalize(NULL));
	OK(initialize_with(false, false, false, false, CKF_OS_LOCKING_OK, NULL));
	OK(p->C_Finalize(NULL));
	OK(initialize_with(false, false, false, false, 0, NULL));
}

static void reserved(void)
{
	IS(initialize_with(false, false, false, false, CKF_OS_LOCKING_OK, (void *)1), CKR_ARGUMENTS_BAD);
	OK(initialize_with(false, false, false, false, CKF_OS_LOCKING_OK, "configdir='' certPrefix='' flags=readOnly"));
}

static void finalize(void)
{
	CK_INFO info;

	IS(p->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
	initialize();
	IS(p->C_Finalize((void *)1), CKR_ARGUMENTS_BAD);
	OK(p->C_GetInfo(&info));
	OK(p->C_Finalize(NULL));
	IS(p->C_GetInfo(&info), CKR_CRYPTOKI_NOT_INITIALIZED);
	IS(p->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
}

static int entries(const char *directory)
{
	DIR *d = opendir(directory);
	int n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		closedir(d);
	return n;
}

static long resident(void)
{
	long pages = 0, size = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f != NULL && fscanf(f, "%ld %ld", &size, &pages) != 2)
		pages = 0;
	if (f != NULL)
		fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* The first rounds may fill caches and start threads. */
static void cycles(void)
{
	CK_SESSION_HANDLE h = CK_INVALID_HANDLE, old = CK_INVALID_HANDLE;
	CK_SESSION_INFO info;
	int descriptors = 0, threads = 0;
	long memory = 0;

	for (int i = 0; i < 300; i++) {
		begin();
		if (i > 0)
			IS(p->C_GetSessionInfo(old, &info), CKR_SESSION_HANDLE_INVALID);
		h = open_session(CKF_RW_SESSION);
		OK(p->C_Finalize(NULL));
		old = h;
		if (i == 50) {
			descriptors = entries("/proc/self/fd");
			threads = entries("/proc/self/task");
			memory = resident();
		}
	}
	CHECK(entries("/proc/self/fd") <= descriptors);
	CHECK(entries("/proc/self/task") <= threads + 4);
	CHECK(resident() - memory < 16 * 1024);
}

static void *wait_for_event(void *rv)
{
	CK_SLOT_ID where;

	*(CK_RV *)rv = p->C_WaitForSlotEvent(0, &where, NULL);
	return NULL;
}

static void blocked_wait(void)
{
	pthread_t thread;
	struct timespec now;
	CK_RV rv = CKR_OK;

	begin();
	CHECK(pthread_create(&thread, NULL, wait_for_event, &rv) == 0);
	usleep(200 * 1000);
	OK(p->C_Finalize(NULL));
	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += 5;
	if (CHECK(pthread_timedjoin_np(thread, NULL, &now) == 0))
		ONE_OF(rv, CKR_CRYPTOKI_NOT_INITIALIZED, CKR_FUNCTION_NOT_SUPPORTED);
}

static void no_event(void)
{
	CK_SLOT_ID where;

	begin();
	IS(p->C_WaitForSlotEvent(CKF_DONT_BLOCK, &where, NULL), CKR_NO_EVENT);
	IS(p->C_WaitForSlotEvent(CKF_DONT_BLOCK, &where, NULL), CKR_NO_EVENT);
	FAILS(p->C_WaitForSlotEvent(CKF_DONT_BLOCK, NULL, NULL));
	IS(p->C_WaitForSlotEvent(CKF_DONT_BLOCK, &where, &where), CKR_ARGUMENTS_BAD);
}

static void not_parallel(void)
{
	begin();
	CK_SESSION_HANDLE h = open_session(0);
	IS(p->C_GetFunctionStatus(h), CKR_FUNCTION_NOT_PARALLEL);
	IS(p->C_CancelFunction(h), CKR_FUNCTION_NOT_PARALLEL);
}

const struct test lifecycle_tests[] = {
	{"initialize-twice", "a second C_Initialize is refused, and sessions live on", twice},
	{"initialize-mutexes", "all four mutex functions or none; NSS's flags are fine; only mutexes may be CKR_CANT_LOCK", mutexes},
	{"initialize-reserved", "pReserved that is no pointer is refused, a configuration string is not", reserved},
	{"finalize", "C_Finalize ends once, and not with an argument", finalize},
	{"cycles", "hundreds of C_Initialize and C_Finalize leave no descriptor, thread or memory; old handles are dead", cycles},
	{"blocked-wait", "C_Finalize wakes a thread in C_WaitForSlotEvent", blocked_wait},
	{"no-event", "C_WaitForSlotEvent with CKF_DONT_BLOCK answers CKR_NO_EVENT", no_event},
	{"not-parallel", "C_GetFunctionStatus and C_CancelFunction answer CKR_FUNCTION_NOT_PARALLEL", not_parallel},
	{NULL, NULL, NULL},
};
