/*
 * stacks LIBRARY COUNT: calls from threads with the smallest stacks there are,
 * while the collector is busy; and from deeper in such a stack, where too
 * little is left, an error.
 */
#include <alloca.h>
#include <ucontext.h>

#include "host.h"

static const struct table *table;

static void *all_calls(void *unused)
{
	(void)unused;
	for (int i = 0; i < 20; i++) {
		CHECK(table->Light() == 1 && table->Sign() == 1 && table->Work(4) == 4);
		CHECK(table->Panic() == 1 && table->Sleep(1) == 1);
	}
	return NULL;
}

static void *deep_call(void *unused)
{
	volatile char *room = alloca(6 * 1024);

	(void)unused;
	room[0] = 1;
	CHECK(table->Work(4) == NO_STACK && table->Light() == NO_STACK);
	return NULL;
}

static ucontext_t outside, coroutine;

static void in_coroutine(void)
{
	for (int i = 0; i < 5; i++) {
		CHECK(table->Work(4) == 4 && table->Panic() == 1);
		swapcontext(&coroutine, &outside);
	}
}

/* A call from a stack that is not the thread's own, in turns with calls from
 * that. */
static void *coroutines(void *unused)
{
	size_t size = 64 << 10;
	char *stack = malloc(size);

	(void)unused;
	CHECK(stack != NULL && getcontext(&coroutine) == 0);
	coroutine.uc_stack.ss_sp = stack;
	coroutine.uc_stack.ss_size = size;
	coroutine.uc_link = &outside;
	makecontext(&coroutine, in_coroutine, 0);
	for (int i = 0; i < 5; i++)
		CHECK(swapcontext(&outside, &coroutine) == 0 && table->Work(4) == 4);
	free(stack);
	return NULL;
}

static void *host_starts(void *unused)
{
	(void)unused;
	CHECK(table->Init() == 0 && table->Work(4) == 4);
	return NULL;
}

static void in_small_threads(int count, void *(*function)(void *))
{
	pthread_t threads[16];
	pthread_attr_t attributes;

	CHECK(count <= 16 && pthread_attr_init(&attributes) == 0);
	CHECK(pthread_attr_setstacksize(&attributes, (size_t)sysconf(_SC_THREAD_STACK_MIN)) == 0);
	for (int i = 0; i < count; i++)
		CHECK(pthread_create(&threads[i], &attributes, function, NULL) == 0);
	for (int i = 0; i < count; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

int main(int argc, char **argv)
{
	struct busy busy;

	CHECK(argc == 3);
	table = load(argv[1]);
	in_small_threads(1, host_starts);
	busy_start(&busy, table, 2);
	for (int i = 0; i < atoi(argv[2]); i++) {
		pid_t pid;

		in_small_threads(4, all_calls);
		in_small_threads(2, deep_call);
		in_small_threads(1, coroutines);
		pid = fork();
		if (pid == 0) {
			in_small_threads(1, host_starts);
			in_small_threads(2, all_calls);
			_exit(0);
		}
		CHECK(wait_child(pid) == 0);
	}
	busy_stop(&busy);
	return 0;
}
