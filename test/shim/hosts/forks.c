/*
 * forks LIBRARY COUNT BUSY [clone] [signals]: COUNT children, while BUSY threads
 * of the parent are inside the library. A child works in four threads; every
 * third one has a child of its own. clone: every third by raw clone(). signals:
 * under a rain of signals whose handlers lack SA_ONSTACK.
 */
#include "host.h"

static const struct table *table;

static void *calls(void *unused)
{
	(void)unused;
	for (int i = 0; i < 20; i++)
		CHECK(table->Light() == 1);
	CHECK(table->Work(4) == 4);
	return NULL;
}

static void child(int round)
{
	pthread_t threads[4];

	CHECK(table->Light() == NOT_RUNNING);
	CHECK(table->InChild());
	CHECK(table->Init() == 0);
	CHECK(table->Light() == 1);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, calls, NULL) == 0);
	CHECK(table->Work(6) == 6);
	CHECK(table->Panic() == 1 && table->Panic() == 1);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	if (round % 3 == 0) {
		pid_t pid = fork();

		if (pid == 0) {
			CHECK(table->Init() == 0 && table->Work(5) == 5);
			_exit(0);
		}
		CHECK(wait_child(pid) == 0);
	}
	if (round % 2)
		exit(0);
	_exit(0);
}

static volatile long handled;

static void handler(int signal)
{
	char frame[2048];

	memset(frame, signal, sizeof frame);
	handled += frame[sizeof frame - 1] != 0;
}

static void start_signals(void)
{
	static const int signals[] = {SIGALRM, SIGPROF, SIGCHLD, SIGUSR1, SIGURG};
	struct itimerval real = {{0, 500}, {0, 500}}, profile = {{0, 1000}, {0, 1000}};

	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

		CHECK(sigaction(signals[i], &action, NULL) == 0);
	}
	CHECK(setitimer(ITIMER_REAL, &real, NULL) == 0 && setitimer(ITIMER_PROF, &profile, NULL) == 0);
}

int main(int argc, char **argv)
{
	int count = atoi(argv[2]), clones = 0, signals = 0, failed = 0;
	struct busy busy;

	for (int i = 4; i < argc; i++) {
		clones |= strcmp(argv[i], "clone") == 0;
		signals |= strcmp(argv[i], "signals") == 0;
	}
	table = load(argv[1]);
	CHECK(table->Init() == 0 && table->Work(10) == 10);
	if (signals)
		start_signals();
	busy_start(&busy, table, atoi(argv[3]));
	for (int round = 0; round < count; round++) {
		pid_t pid = clones && round % 3 == 1 ? raw_fork() : fork();

		if (pid == 0)
			child(round);
		failed += wait_child(pid) != 0;
	}
	busy_stop(&busy);
	CHECK(table->Work(5) == 5);
	if (signals)
		CHECK(handled > count);
	printf("%d children, %d failed, %ld signals; %s\n", count, failed, handled, table->Status());
	return failed != 0;
}
