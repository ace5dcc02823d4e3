/* Several processes with one token, and forks. */
#include "driver.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs a part of the case in a child, which ends with the number of its failures. */
static pid_t child(void (*run)(void))
{
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		alarm(60);
		run();
		fflush(stdout);
		_exit(0);
	}
	CHECK(pid > 0);
	return pid;
}

static void ended_well(pid_t pid)
{
	int status = 0;

	CHECK(waitpid(pid, &status, 0) == pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail("a child ended with status %#x", status);
}

/* In children failures must reach the parent: they end the child. */
#define MUST(call) \
	do { \
		CK_RV must = (call); \
		if (must != CKR_OK) { \
			printf("%s:%d: %s: CKR_%#lx in a child\n", __FILE__, __LINE__, #call, must); \
			fflush(stdout); \
			_exit(1); \
		} \
	} while (0)

static int to_child[2], to_parent[2];

static void tell(int *pipe) { CHECK(write(pipe[1], "x", 1) == 1); }
static void hear(int *pipe)
{
	char c;

	CHECK(read(pipe[0], &c, 1) == 1);
}

static CK_SESSION_HANDLE child_user(void)
{
	CK_SESSION_HANDLE h;

	MUST(p->C_Initialize(NULL));
	slot = find_token(TOKEN_LABEL);
	MUST(p->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &h));
	MUST(p->C_Login(h, CKU_USER, PIN(USER_PIN)));
	return h;
}

static void other_side(void)
{
	CK_OBJECT_HANDLE found = CK_INVALID_HANDLE;
	CK_SESSION_HANDLE h = child_user();

	MUST(count_label(h, "made by the parent") == 0 ? CKR_OK : CKR_GENERAL_ERROR);
	tell(to_parent);
	hear(to_child);
	MUST(search(h, TEMPLATE(TEXT(CKA_LABEL, "made by the parent")), &found, 1) == 1 ? CKR_OK : CKR_GENERAL_ERROR);
	make_data(h, "made by the child", yes);
	MUST(p->C_DestroyObject(h, found));
	tell(to_parent);
	hear(to_child);
}

static void seen_by_others(void)
{
	CHECK(pipe(to_child) == 0 && pipe(to_parent) == 0);
	pid_t pid = child(other_side);
	CK_SESSION_HANDLE h = begin_user();
	CK_ULONG size;
	hear(to_parent);
	CK_OBJECT_HANDLE mine = make_data(h, "made by the parent", yes);
	tell(to_child);
	hear(to_parent);
	EQUAL(count_label(h, "made by the child"), 1);
	EQUAL(count_label(h, "made by the parent"), 0);
	IS(read_one(h, mine, CKA_VALUE), CKR_OBJECT_HANDLE_INVALID);
	IS(p->C_GetObjectSize(h, mine, &size), CKR_OBJECT_HANDLE_INVALID);
	tell(to_child);
	ended_well(pid);
}

static void busy(void)
{
	CK_OBJECT_HANDLE kept;
	CK_SESSION_HANDLE h = child_user();

	for (int i = 0; i < 50; i++) {
		kept = make_data(h, "by one of eight", yes);
		if (i % 2)
			MUST(p->C_DestroyObject(h, kept));
	}
	MUST(p->C_Finalize(NULL));
}

static void eight(void)
{
	pid_t pids[8];

	for (int i = 0; i < 8; i++)
		pids[i] = child(busy);
	for (int i = 0; i < 8; i++)
		ended_well(pids[i]);
	CK_SESSION_HANDLE h = begin_user();
	EQUAL(count_label(h, "by one of eight"), 8 * 25);
}

static void endless(void)
{
	CK_SESSION_HANDLE h = child_user();

	tell(to_parent);
	for (;;)
		make_data(h, "at the moment of death", yes);
}

/* A process that dies while it writes leaves a store that can be used, with
 * every object that was reported made. */
static void killed(void)
{
	CK_ULONG before = 0;

	CHECK(pipe(to_parent) == 0);
	for (int i = 0; i < 10; i++) {
		pid_t pid = child(endless);
		hear(to_parent);
		usleep((useconds_t)(1000 + 3000 * i));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		CK_SESSION_HANDLE h = begin_user();
		CK_ULONG now = count_label(h, "at the moment of death");
		CHECK(now >= before);
		before = now;
		make_data(h, "after", yes);
		OK(p->C_Finalize(NULL));
	}
	CHECK(before > 0);
}

/* Cuts the largest file below a directory to half. */
static bool tear(const char *directory)
{
	char largest[4096] = "", path[4096];
	off_t size = 0;
	DIR *d = opendir(directory);

	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		struct stat s;
		if (e->d_name[0] == '.' || snprintf(path, sizeof path, "%s/%s", directory, e->d_name) >= (int)sizeof path || stat(path, &s) != 0)
			continue;
		if (S_ISDIR(s.st_mode)) {
			if (tear(path)) {
				closedir(d);
				return true;
			}
		} else if (s.st_size > size) {
			size = s.st_size;
			strcpy(largest, path);
		}
	}
	if (d != NULL)
		closedir(d);
	return size > 4096 && truncate(largest, size / 2) == 0;
}

static void torn(void)
{
	CK_TOKEN_INFO info;
	CK_SLOT_ID list[8];
	CK_ULONG count = 8;
	CK_SESSION_HANDLE h = begin_user();

	for (int i = 0; i < 200; i++)
		make_data(h, "filler, so that there is something to lose", yes);
	OK(p->C_Finalize(NULL));
	CHECK(tear(getenv("NCRYPT11_HOME")));
	OK(p->C_Initialize(NULL));
	OK(p->C_GetSlotList(CK_FALSE, list, &count));
	for (CK_ULONG i = 0; i < count; i++) {
		CK_RV rv = p->C_GetTokenInfo(list[i], &info);
		if (rv != CKR_OK)
			continue; /* says that it is damaged */
		rv = p->C_OpenSession(list[i], CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &h);
		if (rv == CKR_OK && p->C_Login(h, CKU_USER, PIN(USER_PIN)) == CKR_OK) {
			rv = p->C_FindObjectsInit(h, NULL, 0);
			CHECK(rv != CKR_OK || p->C_FindObjectsFinal(h) == CKR_OK);
		}
	}
	OK(p->C_Finalize(NULL));
}

static void signs_in_child(void)
{
	CK_OBJECT_HANDLE found;
	CK_BYTE digest[32] = {1}, signature[64];
	CK_ULONG length = sizeof signature;
	CK_INFO info;

	MUST(p->C_GetInfo(&info) == CKR_CRYPTOKI_NOT_INITIALIZED ? CKR_OK : CKR_GENERAL_ERROR);
	CK_SESSION_HANDLE h = child_user();
	MUST(search(h, TEMPLATE(NUMBER(CKA_CLASS, CKO_PRIVATE_KEY)), &found, 1) == 1 ? CKR_OK : CKR_GENERAL_ERROR);
	MUST(p->C_SignInit(h, MECHANISM(CKM_ECDSA), found));
	MUST(p->C_Sign(h, digest, sizeof digest, signature, &length));
	MUST(p->C_Finalize(NULL));
}

static void only_exits(void) {}

/* Some programs tidy up in the child before they begin anew. */
static void finalizes_first(void)
{
	p->C_Finalize(NULL);
	signs_in_child();
}

static void forks(void)
{
	CK_OBJECT_HANDLE public_key, private_key;
	CK_BYTE digest[32] = {1}, signature[64];
	CK_SESSION_HANDLE h = begin_user();
	void (*const ways[])(void) = {signs_in_child, only_exits, finalizes_first};

	make_ec(h, yes, &public_key, &private_key);
	for (int i = 0; i < 30; i++) {
		CK_ULONG length = sizeof signature;
		OK(p->C_SignInit(h, MECHANISM(CKM_ECDSA), private_key));
		pid_t pid = child(ways[i % 3]);
		OK(p->C_Sign(h, digest, sizeof digest, signature, &length));
		ended_well(pid);
		OK(p->C_VerifyInit(h, MECHANISM(CKM_ECDSA), public_key));
		OK(p->C_Verify(h, digest, sizeof digest, signature, length));
	}
	make_data(h, "the store is whole", yes);
	EQUAL(count_label(h, "the store is whole"), 1);
}

const struct test process_tests[] = {
	{"seen-by-others", "what one process makes or destroys the other sees at its next call", seen_by_others},
	{"eight-processes", "eight processes create and destroy, and nothing is lost", eight},
	{"killed", "a process killed while it writes harms nothing", killed},
	{"torn-store", "a store cut to half is an error, and no crash", torn},
	{"forks", "a forked child signs after its own C_Initialize, and the parent goes on", forks},
	{NULL, NULL, NULL},
};
