/*
 * COUNT programs that initialize the module, and then become a daemon: their
 * child has a session of its own and a child, which goes on, and both parents
 * end. The mode says what the program had begun before: "idle" nothing,
 * "sessions" sessions and a login, "signing" two threads that sign.
 */
#include "host.h"

/* go_on is the daemon: what was begun before is gone, and it begins anew. */
static void go_on(int report)
{
	CK_INFO info;

	WANT(CKR_CRYPTOKI_NOT_INITIALIZED, p11->C_GetInfo(&info));
	begin_and_sign("daemon");
	OK(p11->C_Finalize(NULL));
	begin_and_sign("daemon");
	CHECK(write(report, "x", 1) == 1);
	exit(0);
}

/* program ends at once, and leaves a daemon. */
static void program(int round, int report)
{
	static struct signers signers;
	pid_t pid;

	host_load();
	if (mode_is("idle"))
		initialize();
	else
		begin_and_sign("parent");
	if (mode_is("signing"))
		signers_start(&signers, 2);
	pid = fork();
	CHECK(pid >= 0);
	if (pid > 0) {
		if (round % 2)
			exit(0);
		_exit(0);
	}
	CHECK(setsid() > 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid > 0)
		_exit(0);
	go_on(report);
}

/* await_daemon waits for what the daemon reports, and until nobody is left who could. */
static void await_daemon(int report)
{
	char said[2];
	ssize_t count, all = 0;

	alarm(HANG_SECONDS);
	while ((count = read(report, said, 1)) > 0)
		all += count;
	alarm(0);
	CHECK(count == 0 && all == 1);
}

int main(int argc, char **argv)
{
	host_arguments(argc, argv);
	for (int round = 0; round < host.count; round++) {
		int ends[2];
		pid_t pid;

		CHECK(pipe(ends) == 0);
		pid = fork();
		if (pid == 0) {
			close(ends[0]);
			program(round, ends[1]);
		}
		close(ends[1]);
		CHECK(wait_child(pid) == 0);
		await_daemon(ends[0]);
		close(ends[0]);
	}
	return 0;
}
