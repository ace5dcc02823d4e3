/*
 * endings LIBRARY COUNT: threads that call the library while they end, from the
 * destructor of a key that was made after Go's. Go has let go of the thread then, and
 * another thread has taken what it kept for it, so the call starts on a small stack:
 * signals must be blocked as in a thread's first call. They are, since Go's own
 * destructor puts the mask back that the thread had in its first call.
 */
#include "host.h"

static const struct table *table;
static pthread_key_t at_end;
static volatile long handled;
static volatile int ended;

static void handler(int signal)
{
	char frame[64 * 1024];

	memset(frame, signal, sizeof frame);
	handled += frame[sizeof frame - 1] != 0;
}

/* taker has Go serve a thread that lives on until it is told to end. */
static void *taker(void *state)
{
	volatile int *taken = state;

	CHECK(table->Light() == 1);
	*taken = 1;
	while (*taken == 1)
		pause_us(20);
	return NULL;
}

/* is_blocked is called back by the library. */
static int is_blocked(void)
{
	sigset_t mask;

	return pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0 && sigismember(&mask, SIGUSR1);
}

static void call_at_end(void *unused)
{
	volatile int taken = 0;
	pthread_t other;

	(void)unused;
	CHECK(pthread_create(&other, NULL, taker, (void *)&taken) == 0);
	while (!taken)
		pause_us(20);
	CHECK(table->Callback(is_blocked) == 1); /* as in a thread's first call */
	for (int i = 0; i < 3; i++)
		CHECK(table->Light() == 1 && table->Work(3) == 3 && table->Panic() == 1);
	taken = 2;
	CHECK(pthread_join(other, NULL) == 0);
	ended++;
}

static void *thread_with_ending(void *unused)
{
	(void)unused;
	CHECK(table->Callback(is_blocked) == 1);
	CHECK(table->Light() == 1 && table->Work(3) == 3);
	CHECK(pthread_setspecific(at_end, &at_end) == 0);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	int count;

	CHECK(argc == 3);
	count = atoi(argv[2]);
	table = load(argv[1]);
	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	CHECK(table->Init() == 0 && table->Work(4) == 4);
	CHECK(pthread_key_create(&at_end, call_at_end) == 0);
	for (int i = 0; i < count; i++) {
		pthread_t thread;

		CHECK(pthread_create(&thread, NULL, thread_with_ending, NULL) == 0);
		while (pthread_tryjoin_np(thread, NULL) != 0) {
			pthread_kill(thread, SIGUSR1);
			pause_us(20);
		}
		CHECK(ended == i + 1);
	}
	CHECK(handled > count);
	return 0;
}
