/*
 * What C programs that use the module have in common. Each is run as
 *     PROGRAM MODULE TOKEN PIN RECORD MODE COUNT
 * and ends with 0, or says what failed and ends with 1. Whoever signs appends a
 * line to RECORD, "ROLE NAME SIGNATURE", which the test verifies with the public
 * key alone: ECDSA over the SHA-256 of NAME.
 */
#ifndef HOST_H
#define HOST_H

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "p11.h"

#define CHECK(condition)                                                                                    \
	do {                                                                                                \
		if (!(condition)) {                                                                         \
			dprintf(2, "%s:%d: pid %d: %s does not hold (errno %d)\n", __FILE__, __LINE__,       \
				(int)getpid(), #condition, errno);                                          \
			_exit(1);                                                                           \
		}                                                                                           \
	} while (0)

#define OK(call) WANT(CKR_OK, call)

#define WANT(wanted, call)                                                                                  \
	do {                                                                                                \
		CK_RV rv_ = (call);                                                                         \
		if (rv_ != (wanted)) {                                                                      \
			dprintf(2, "%s:%d: pid %d: %s gave 0x%lx, not %s\n", __FILE__, __LINE__,            \
				(int)getpid(), #call, rv_, #wanted);                                        \
			_exit(1);                                                                           \
		}                                                                                           \
	} while (0)

/* HANG_SECONDS is how long a child may take that has a second's work to do. */
enum { HANG_SECONDS = 40 };

static struct {
	const char *module, *token, *pin, *mode;
	int count, record;
	void *library;
} host;

static CK_FUNCTION_LIST *p11;

static inline void host_load(void)
{
	CK_RV (*list)(CK_FUNCTION_LIST_PTR_PTR);

	host.library = dlopen(host.module, RTLD_NOW | RTLD_LOCAL);
	if (host.library == NULL) {
		dprintf(2, "%s\n", dlerror());
		_exit(1);
	}
	list = (CK_RV(*)(CK_FUNCTION_LIST_PTR_PTR))dlsym(host.library, "C_GetFunctionList");
	CHECK(list != NULL);
	OK(list(&p11));
}

static inline void host_arguments(int argc, char **argv)
{
	CHECK(argc == 7);
	host.module = argv[1];
	host.token = argv[2];
	host.pin = argv[3];
	host.record = open(argv[4], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	host.mode = argv[5];
	host.count = atoi(argv[6]);
	CHECK(host.record >= 0 && host.count > 0);
}

static inline int mode_is(const char *mode) { return strcmp(host.mode, mode) == 0; }

static inline void initialize(void)
{
	CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};

	OK(p11->C_Initialize(&args));
}

/* slot is that of the token, whose label is padded with blanks. */
static inline CK_SLOT_ID slot(void)
{
	CK_SLOT_ID slots[16];
	CK_ULONG count = 16;
	CK_TOKEN_INFO info;
	size_t length = strlen(host.token);

	OK(p11->C_GetSlotList(CK_TRUE, slots, &count));
	for (CK_ULONG i = 0; i < count; i++) {
		OK(p11->C_GetTokenInfo(slots[i], &info));
		if (memcmp(info.label, host.token, length) == 0 && info.label[length] == ' ')
			return slots[i];
	}
	CHECK(!"the token is there");
	return 0;
}

static inline CK_SESSION_HANDLE open_session(void)
{
	CK_SESSION_HANDLE session;

	OK(p11->C_OpenSession(slot(), CKF_SERIAL_SESSION, NULL, NULL, &session));
	return session;
}

static inline void login_with(CK_SESSION_HANDLE session, const char *pin)
{
	OK(p11->C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR)pin, strlen(pin)));
}

static inline void login(CK_SESSION_HANDLE session) { login_with(session, host.pin); }

static inline CK_OBJECT_HANDLE find_key(CK_SESSION_HANDLE session)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof class}, {CKA_LABEL, "signer", 6}};
	CK_OBJECT_HANDLE key;
	CK_ULONG count = 0;

	OK(p11->C_FindObjectsInit(session, template, 2));
	OK(p11->C_FindObjects(session, &key, 1, &count));
	OK(p11->C_FindObjectsFinal(session));
	CHECK(count == 1);
	return key;
}

static inline void sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, const char *name, CK_BYTE signature[64])
{
	CK_MECHANISM mechanism = {CKM_ECDSA_SHA256, NULL, 0};
	CK_ULONG length = 64;

	OK(p11->C_SignInit(session, &mechanism, key));
	OK(p11->C_Sign(session, (CK_BYTE_PTR)name, strlen(name), signature, &length));
	CHECK(length == 64);
}

/* hexadecimal writes two digits for each byte and a NUL. */
static inline void hexadecimal(char *to, const CK_BYTE *from, size_t count)
{
	for (size_t i = 0; i < count; i++)
		snprintf(to + 2 * i, 3, "%02x", from[i]);
}

static atomic_long names;

/* name_one makes a name that no other signature of this test has. */
static inline void name_one(char *name, size_t size)
{
	snprintf(name, size, "%d-%ld", (int)getpid(), atomic_fetch_add(&names, 1));
}

/* record appends a signature. One write is one line, whoever else writes. */
static inline void record(const char *role, const char *name, const CK_BYTE signature[64])
{
	char digits[129], line[256];
	int length;

	hexadecimal(digits, signature, 64);
	length = snprintf(line, sizeof line, "%s %s %s\n", role, name, digits);
	CHECK(write(host.record, line, (size_t)length) == length);
}

/* sign_as signs a name of its own, and records it. */
static inline void sign_as(const char *role, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
	char name[64];
	CK_BYTE signature[64];

	name_one(name, sizeof name);
	sign(session, key, name, signature);
	record(role, name, signature);
}

/* begin_and_sign does what a program does that has just been started. */
static inline CK_SESSION_HANDLE begin_and_sign(const char *role)
{
	CK_SESSION_HANDLE session;

	initialize();
	session = open_session();
	login(session);
	sign_as(role, session, find_key(session));
	return session;
}

static inline double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline void pause_us(long us)
{
	struct timespec time = {us / 1000000, us % 1000000 * 1000};

	nanosleep(&time, NULL);
}

/* wait_child returns the wait status. Of a child that does not end it prints the stacks, kills it, and returns -1. */
static inline int wait_child(pid_t pid)
{
	double start = seconds();
	char command[120];
	int status;

	CHECK(pid > 0);
	for (;;) {
		pid_t done = waitpid(pid, &status, WNOHANG);

		if (done == pid)
			return status;
		CHECK(done == 0 || errno == EINTR);
		if (seconds() - start > HANG_SECONDS)
			break;
		pause_us(300);
	}
	snprintf(command, sizeof command, "gdb -nx -batch -p %d -ex 'thread apply all bt' >&2 </dev/null", (int)pid);
	dprintf(2, "HANG: child %d\n", (int)pid);
	if (system(command) != 0)
		dprintf(2, "no account of its stacks\n");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

/* Threads that sign, each in a session of its own, until they are told to stop. */
struct signers {
	pthread_t threads[8];
	int count;
	atomic_int stop;
	atomic_long signatures;
};

static inline void *keep_signing(void *argument)
{
	enum { RECORDED = 64, BURST = 8 }; /* of so many signatures one; and so many without a rest, which leaves others a processor */
	struct signers *signers = argument;
	CK_SESSION_HANDLE session = open_session();
	CK_OBJECT_HANDLE key = find_key(session);

	for (long i = 0; !signers->stop; i++) {
		CK_BYTE signature[64];

		if (i % RECORDED == 0)
			sign_as("parent", session, key);
		else
			sign(session, key, "unrecorded", signature);
		signers->signatures++;
		if (i % BURST == BURST - 1)
			pause_us(500);
	}
	OK(p11->C_CloseSession(session));
	return NULL;
}

static inline void signers_start(struct signers *signers, int count)
{
	memset(signers, 0, sizeof *signers);
	signers->count = count;
	for (int i = 0; i < count; i++)
		CHECK(pthread_create(&signers->threads[i], NULL, keep_signing, signers) == 0);
	while (signers->signatures < count)
		pause_us(500);
}

static inline void signers_stop(struct signers *signers)
{
	signers->stop = 1;
	for (int i = 0; i < signers->count; i++)
		CHECK(pthread_join(signers->threads[i], NULL) == 0);
}

#endif
