/*
 * exits LIBRARY COUNT: processes that load the library, use it, and end without
 * a word: returning from main, exit, _exit and quick_exit, with other threads
 * signing. Each must end by itself and with its own status.
 */
#include "host.h"

static int status_of(int round) { return 3 + round % 50; }

static void finish(int round)
{
	switch (round % 3) {
	case 0:
		exit(status_of(round));
	case 1:
		quick_exit(status_of(round));
	default:
		_exit(status_of(round));
	}
}

static void process(const char *library, int round)
{
	const struct table *table = load(library);
	struct busy busy;

	CHECK(table->Init() == 0);
	busy_start(&busy, table, 2);
	if (round % 2)
		CHECK(table->Work(3) == 3);
	else
		pause_us(round % 7 * 100);
	finish(round);
}

int main(int argc, char **argv)
{
	CHECK(argc == 3);
	for (int round = 0; round < atoi(argv[2]); round++) {
		pid_t pid = fork();
		int status;

		if (pid == 0)
			process(argv[1], round);
		status = wait_child(pid);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == status_of(round));
	}
	return 0;
}
