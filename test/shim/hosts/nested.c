/* nested LIBRARY DEPTH: each child makes the next, all working, all alive. */
#include "host.h"

static void descend(const struct table *table, int depth)
{
	pid_t pid;

	CHECK(table->Init() == 0 && table->Work(4) == 4 && table->Panic() == 1);
	if (depth == 0)
		return;
	pid = fork();
	if (pid == 0) {
		descend(table, depth - 1);
		_exit(0);
	}
	CHECK(wait_child(pid) == 0);
	CHECK(table->Work(4) == 4); /* and the parent is as it was */
}

int main(int argc, char **argv)
{
	CHECK(argc == 3);
	descend(load(argv[1]), atoi(argv[2]));
	return 0;
}
