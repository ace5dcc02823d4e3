/*
 * Forks where somebody is being asked for a PIN. The mode:
 *   login     the program forks while a thread of it is inside C_Login or C_Logout
 *   askpass   a program prints the PIN, started between C_OpenSession and C_Login with every descriptor closed, as ssh-askpass is
 *   popen     the same by popen
 *   notify    C_OpenSession is given a callback that forks. The module has nothing to notify of, and does not call it
 */
#include "host.h"

static atomic_int stop, notified;

static void *keep_logging_in(void *argument)
{
	CK_SESSION_HANDLE session = open_session();
	atomic_long *logins = argument;

	while (!stop) {
		login(session);
		(*logins)++;
		OK(p11->C_Logout(session));
	}
	return NULL;
}

static void child(int round)
{
	begin_and_sign("child");
	if (round % 2)
		exit(0);
	_exit(0);
}

static void run_child(int round)
{
	pid_t pid = fork();

	if (pid == 0)
		child(round);
	CHECK(wait_child(pid) == 0);
}

static void forks_in_login(void)
{
	atomic_long logins = 0;
	pthread_t thread;

	initialize();
	CHECK(pthread_create(&thread, NULL, keep_logging_in, &logins) == 0);
	for (int round = 0; round < host.count; round++) {
		long before = logins;
		double start = seconds();

		while (logins == before) { /* so that each fork is at another moment of a login */
			CHECK(seconds() - start < HANG_SECONDS);
			pause_us(200);
		}
		pause_us(round * 997L % 30000);
		run_child(round);
	}
	stop = 1;
	CHECK(pthread_join(thread, NULL) == 0);
}

/* read_answer reads a line, without its end. */
static void read_answer(int from, char *answer, size_t size)
{
	size_t length = 0;
	ssize_t n;

	while ((n = read(from, answer + length, size - 1 - length)) > 0)
		length += (size_t)n;
	CHECK(n == 0 && length > 0);
	answer[length] = 0;
	answer[strcspn(answer, "\n")] = 0;
}

static void ask(char *answer, size_t size)
{
	int ends[2];
	pid_t pid;

	CHECK(pipe(ends) == 0);
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], 1);
		for (int fd = 3; fd < 1024; fd++)
			close(fd);
		execlp("echo", "echo", host.pin, NULL);
		_exit(1);
	}
	close(ends[1]);
	read_answer(ends[0], answer, size);
	close(ends[0]);
	CHECK(wait_child(pid) == 0);
}

static void ask_shell(char *answer, size_t size)
{
	char command[64];
	FILE *asked;

	snprintf(command, sizeof command, "echo %s", host.pin);
	asked = popen(command, "r");
	CHECK(asked != NULL && fgets(answer, (int)size, asked) != NULL && pclose(asked) == 0);
	answer[strcspn(answer, "\n")] = 0;
}

static void asks(void (*question)(char *, size_t))
{
	char answer[64];

	for (int round = 0; round < host.count; round++) {
		CK_SESSION_HANDLE session;

		initialize();
		session = open_session();
		question(answer, sizeof answer);
		login_with(session, answer);
		sign_as("parent", session, find_key(session));
		run_child(round);
		OK(p11->C_Finalize(NULL));
	}
}

static CK_RV notify(CK_SESSION_HANDLE session, CK_NOTIFICATION event, CK_VOID_PTR application)
{
	pid_t pid = fork();

	(void)session, (void)event, (void)application;
	if (pid == 0)
		child(0);
	notified++;
	return wait_child(pid) == 0 ? CKR_OK : CKR_CANCEL;
}

static void notifies(void)
{
	initialize();
	for (int round = 0; round < host.count; round++) {
		CK_SESSION_HANDLE session;

		OK(p11->C_OpenSession(slot(), CKF_SERIAL_SESSION, NULL, notify, &session));
		login(session);
		sign_as("parent", session, find_key(session));
		run_child(round);
		OK(p11->C_Logout(session));
		OK(p11->C_CloseSession(session));
	}
	CHECK(notified == 0);
}

int main(int argc, char **argv)
{
	host_arguments(argc, argv);
	host_load();
	if (mode_is("login"))
		forks_in_login();
	else if (mode_is("notify"))
		notifies();
	else
		asks(mode_is("askpass") ? ask : ask_shell);
	return 0;
}
