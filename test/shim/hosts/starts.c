/*
 * starts LIBRARY COUNT: processes that fork while Go is being started for the
 * first time, by several threads at once.
 */
#include "host.h"

static const struct table *table;

static void *init(void *unused)
{
	(void)unused;
	CHECK(table->Init() == 0 && table->Work(3) == 3);
	return NULL;
}

static void process(int round)
{
	pthread_t threads[4];
	pid_t children[4];

	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, init, NULL) == 0);
	for (int i = 0; i < 4; i++) {
		pause_us(round * 13 % 200);
		children[i] = fork();
		if (children[i] == 0) {
			init(NULL);
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++)
		CHECK(wait_child(children[i]) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	_exit(0);
}

int main(int argc, char **argv)
{
	CHECK(argc == 3);
	table = load(argv[1]);
	for (int round = 0; round < atoi(argv[2]); round++) {
		pid_t pid = fork();

		if (pid == 0)
			process(round);
		CHECK(wait_child(pid) == 0);
	}
	return 0;
}
