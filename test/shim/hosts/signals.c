/*
 * signals LIBRARY KIND SECONDS: hosts with signal habits that Go does not
 * expect.
 */
#include <fcntl.h>
#include <setjmp.h>

#include "host.h"

static const struct table *table;
static int seconds;
static volatile long handled;

/* A frame this large on an ordinary goroutine's stack would run over its end. */
static void handler(int signal)
{
	char frame[64 * 1024];

	memset(frame, signal, sizeof frame);
	handled += frame[sizeof frame - 1] != 0;
}

static void install(int signal, int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	CHECK(sigaction(signal, &action, NULL) == 0);
}

static void *child_rain(void *stop)
{
	while (!*(volatile int *)stop) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		CHECK(wait_child(pid) == 0);
	}
	return NULL;
}

/* A thread's first call is another than its later ones: threads come and go. */
static void *newcomer(void *unused)
{
	(void)unused;
	CHECK(table->Light() == 1 && table->Sign() == 1 && table->Work(2) == 2);
	return NULL;
}

/* Timers every 0.5 ms and children ending, with handlers without SA_ONSTACK. */
static void rain(void)
{
	pthread_t visitor;
	struct itimerval every = {{0, 500}, {0, 500}};
	int stop = 0;
	struct busy busy;
	pthread_t forker;

	install(SIGALRM, SA_RESTART);
	CHECK(table->Init() == 0); /* one handler before, the others after */
	install(SIGPROF, SA_RESTART);
	install(SIGCHLD, SA_RESTART);
	busy_start(&busy, table, 3);
	CHECK(pthread_create(&forker, NULL, child_rain, &stop) == 0);
	CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0 && setitimer(ITIMER_PROF, &every, NULL) == 0);
	for (long long end = milliseconds() + seconds * 1000LL; milliseconds() < end;) {
		CHECK(pthread_create(&visitor, NULL, newcomer, NULL) == 0);
		CHECK(table->Work(8) == 8 && table->Panic() == 1);
		CHECK(pthread_join(visitor, NULL) == 0);
	}
	stop = 1;
	CHECK(pthread_join(forker, NULL) == 0);
	busy_stop(&busy);
	CHECK(handled > seconds * 100);
}

/* The master of nginx: SIGCHLD blocked, waited for in sigsuspend. The signal
 * must come to the waiting thread, not to one of Go's. */
static void wait_for_child(void)
{
	sigset_t set, old;

	install(SIGCHLD, 0);
	CHECK(table->Init() == 0 && table->Work(20) == 20);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0);
	for (int i = 0; i < seconds * 25; i++) {
		long before = handled;
		pid_t pid;

		CHECK(table->Work(4) == 4);
		pid = fork();
		if (pid == 0) {
			pause_us(1000 * (i % 3));
			_exit(0);
		}
		sigsuspend(&old);
		CHECK(handled == before + 1 && waitpid(pid, NULL, 0) == pid);
	}
}

/* A write to a broken connection inside Go: an error there, and no signal to
 * the host, be it blocked there or not. One that was pending stays. */
static void broken_pipe(void)
{
	sigset_t set, pending;
	int ends[2];

	CHECK(pipe(ends) == 0 && close(ends[0]) == 0);
	CHECK(table->Init() == 0);
	for (int i = 0; i < 100; i++)
		CHECK(table->Write(ends[1]) == EPIPE);
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
	CHECK(table->Write(ends[1]) == EPIPE);
	CHECK(sigpending(&pending) == 0 && !sigismember(&pending, SIGPIPE));
	CHECK(write(ends[1], "x", 1) == -1 && table->Write(ends[1]) == EPIPE);
	CHECK(sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE));
	install(SIGPIPE, 0);
	CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0 && handled == 1);
	CHECK(write(ends[1], "x", 1) == -1 && handled == 2); /* the host's own still arrives */
}

static sigjmp_buf after_fault;

static void on_fault(int signal)
{
	handled++;
	siglongjmp(after_fault, signal);
}

static void fault(void)
{
	static volatile int *volatile nowhere;

	if (sigsetjmp(after_fault, 1) == 0)
		*nowhere = 1;
}

/* A host that handles its own faults, as virtual machines do, keeps getting
 * them, and Go keeps getting its. In a child too. */
static void faults(void)
{
	struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK};
	pid_t pid;

	CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
	CHECK(table->Init() == 0);
	for (int i = 1; i <= 50; i++) {
		fault();
		CHECK(handled == i && table->Panic() == 1);
	}
	pid = fork();
	if (pid == 0) {
		fault();
		CHECK(handled == 51 && table->Init() == 0);
		fault();
		CHECK(handled == 52 && table->Panic() == 1);
		_exit(0);
	}
	CHECK(wait_child(pid) == 0);
}

static struct sigaction under;

static void on_fault_chained(int signal, siginfo_t *info, void *context)
{
	handled++;
	under.sa_sigaction(signal, info, context);
}

/* A crash reporter puts itself over Go's handler and passes faults on to it.
 * After a restart the chain must still end. */
static void chained_faults(void)
{
	struct sigaction action = {.sa_sigaction = on_fault_chained, .sa_flags = SA_ONSTACK | SA_SIGINFO};
	struct sigaction first = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK};
	pid_t pid;

	CHECK(sigaction(SIGSEGV, &first, NULL) == 0);
	CHECK(table->Init() == 0 && table->Work(2) == 2);
	CHECK(sigaction(SIGSEGV, &action, &under) == 0);
	fault();
	CHECK(handled == 2 && table->Panic() == 1 && handled == 3);
	pid = fork();
	if (pid == 0) {
		CHECK(table->Init() == 0);
		fault();
		CHECK(handled == 5 && table->Panic() == 1 && handled == 6);
		_exit(0);
	}
	CHECK(wait_child(pid) == 0);
}

/* By default a fault of the host ends it, by that signal or by Go's exit. */
static void fatal_faults(void)
{
	CHECK(table->Init() == 0 && table->Work(2) == 2);
	for (int restart = 0; restart < 2; restart++) {
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			if (freopen("/dev/null", "w", stderr) == NULL || (restart && table->Init() != 0))
				_exit(0);
			fault();
			raise(SIGSEGV);
			_exit(0);
		}
		status = wait_child(pid);
		CHECK(status != 0 && status != -1);
	}
}

/* Started with the type of cancellation it is to have. */
static void *cancelled(void *argument)
{
	volatile int *type = argument;

	pthread_setcanceltype(*type, NULL);
	*type = -1;
	for (;;) {
		CHECK(table->Work(4) == 4 && table->Sleep(1) == 1);
		pthread_testcancel();
	}
	return NULL;
}

/* Cancelling a thread that is inside Go takes effect when it is out of it. */
static void cancellation(void)
{
	CHECK(table->Init() == 0);
	for (int i = 0; i < seconds * 20; i++) {
		volatile int type = i % 2 ? PTHREAD_CANCEL_ASYNCHRONOUS : PTHREAD_CANCEL_DEFERRED;
		pthread_t thread;
		void *result;

		CHECK(pthread_create(&thread, NULL, cancelled, (void *)&type) == 0);
		while (type != -1)
			pause_us(10);
		pause_us(i * 37 % 3000);
		CHECK(pthread_cancel(thread) == 0);
		CHECK(pthread_join(thread, &result) == 0);
		/* glibc leaves the result unset where a thread is cancelled in
		 * pthread_setcancelstate. */
		CHECK(result == PTHREAD_CANCELED || (i % 2 && result == NULL));
		CHECK(table->Work(3) == 3);
	}
}

/* setuid makes the C library signal every thread, Go's included. */
static void set_identity(void)
{
	struct busy busy;

	CHECK(table->Init() == 0);
	busy_start(&busy, table, 3);
	for (int i = 0; i < seconds * 100; i++)
		CHECK(setresuid(0, i % 2 ? 1000 : 0, 0) == 0);
	CHECK(setresuid(0, 0, 0) == 0);
	busy_stop(&busy);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} kinds[] = {
		{"rain", rain},
		{"sigsuspend", wait_for_child},
		{"broken-pipe", broken_pipe},
		{"faults", faults},
		{"chained-faults", chained_faults},
		{"fatal-faults", fatal_faults},
		{"cancellation", cancellation},
		{"set-identity", set_identity},
	};

	CHECK(argc == 4);
	seconds = atoi(argv[3]);
	table = load(argv[1]);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(kinds[i].name, argv[2]) != 0)
			continue;
		kinds[i].run();
		return 0;
	}
	CHECK(!"known kind");
}
