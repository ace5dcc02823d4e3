/*
 * COUNT children of a program whose threads are signing. What the children do is
 * the mode:
 *   initialize  begin anew, log in and sign
 *   call        call functions at once, which they may not
 *   exit        end, by exit and its handlers or by _exit
 *   exec        become another program, by fork, vfork, posix_spawn or system
 *   nested      begin anew and have a child that does the same, four deep
 *   threads     as initialize, with four threads of the child, born of any thread of the parent
 */
#include "host.h"

#include <spawn.h>

extern char **environ;

static CK_SESSION_HANDLE parents_session;

static void end(int round)
{
	if (round % 2)
		exit(0);
	_exit(0);
}

static void initialize_child(int round)
{
	CK_INFO info;

	WANT(CKR_CRYPTOKI_NOT_INITIALIZED, p11->C_GetInfo(&info));
	begin_and_sign("child");
	if (round % 4 < 2)
		OK(p11->C_Finalize(NULL));
	end(round);
}

static void call_child(int round)
{
	CK_MECHANISM mechanism = {CKM_ECDSA_SHA256, NULL, 0};
	CK_SESSION_HANDLE session;
	CK_SLOT_ID slots[4];
	CK_ULONG count = 4;
	CK_BYTE bytes[64];

	WANT(CKR_CRYPTOKI_NOT_INITIALIZED, p11->C_GetSlotList(CK_TRUE, slots, &count));
	WANT(CKR_CRYPTOKI_NOT_INITIALIZED, p11->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &session));
	WANT(CKR_CRYPTOKI_NOT_INITIALIZED, p11->C_SignInit(parents_session, &mechanism, 1));
	count = sizeof bytes;
	WANT(CKR_CRYPTOKI_NOT_INITIALIZED, p11->C_Sign(parents_session, bytes, 4, bytes, &count));
	WANT(CKR_CRYPTOKI_NOT_INITIALIZED, p11->C_GenerateRandom(parents_session, bytes, sizeof bytes));
	WANT(CKR_CRYPTOKI_NOT_INITIALIZED, p11->C_CloseSession(parents_session));
	WANT(CKR_CRYPTOKI_NOT_INITIALIZED, p11->C_Logout(parents_session));
	WANT(CKR_CRYPTOKI_NOT_INITIALIZED, p11->C_Finalize(NULL));
	end(round);
}

/* exec_child gives the process whose program is /bin/true. */
static pid_t exec_child(int round)
{
	char *arguments[] = {"true", NULL};
	pid_t pid = 0;

	switch (round % 4) {
	case 0:
		pid = fork();
		break;
	case 1:
		pid = vfork();
		break;
	case 2:
		CHECK(posix_spawn(&pid, "/bin/true", NULL, NULL, arguments, environ) == 0);
		return pid;
	default:
		CHECK(system("true") == 0);
		pid = fork();
	}
	if (pid == 0) {
		execv("/bin/true", arguments);
		_exit(1);
	}
	return pid;
}

/* nested_child goes on as its own child, until that is deep enough, and waits for it. */
static void nested_child(void)
{
	enum { DEPTH = 4 };
	pid_t pid = 0;

	for (int depth = 0; pid == 0;) {
		begin_and_sign("child");
		pid = ++depth < DEPTH ? fork() : -1;
	}
	if (pid > 0) {
		CK_SESSION_HANDLE session = open_session();

		CHECK(wait_child(pid) == 0);
		sign_as("child", session, find_key(session));
	}
	end(pid > 0);
}

static void *sign_once(void *unused)
{
	CK_SESSION_HANDLE session = open_session();

	(void)unused;
	sign_as("child", session, find_key(session));
	return NULL;
}

static void threads_child(int round)
{
	pthread_t threads[4];

	begin_and_sign("child");
	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, sign_once, NULL) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	end(round);
}

static pid_t make_child(int round)
{
	pid_t pid;

	if (mode_is("exec"))
		return exec_child(round);
	pid = fork();
	if (pid != 0)
		return pid;
	if (mode_is("initialize"))
		initialize_child(round);
	else if (mode_is("call"))
		call_child(round);
	else if (mode_is("nested"))
		nested_child();
	else if (mode_is("threads"))
		threads_child(round);
	end(round);
	return 0;
}

struct rounds {
	atomic_int next, failed;
};

static void *make_children(void *argument)
{
	struct rounds *rounds = argument;
	int round;

	if (mode_is("threads")) /* one that has been inside the module itself */
		sign_as("parent", open_session(), find_key(open_session()));
	while ((round = atomic_fetch_add(&rounds->next, 1)) < host.count)
		rounds->failed += wait_child(make_child(round)) != 0;
	return NULL;
}

int main(int argc, char **argv)
{
	struct signers signers;
	struct rounds rounds = {0};
	pthread_t threads[3];
	int count = 1;

	host_arguments(argc, argv);
	host_load();
	parents_session = begin_and_sign("parent");
	signers_start(&signers, 2);
	if (mode_is("threads") || mode_is("initialize"))
		count = 3; /* several threads fork */
	for (int i = 0; i < count; i++)
		CHECK(pthread_create(&threads[i], NULL, make_children, &rounds) == 0);
	for (int i = 0; i < count; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	signers_stop(&signers);
	sign_as("parent", parents_session, find_key(parents_session));
	OK(p11->C_Finalize(NULL));
	CHECK(rounds.failed == 0);
	return 0;
}
