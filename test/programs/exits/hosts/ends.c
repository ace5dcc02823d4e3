/*
 * A program that uses the module, and ends. The mode says how. Each ends with 7,
 * or by the signal that the test expects.
 */
#include "host.h"

enum { STATUS = 7 };

static struct signers signers;

static void begin(void)
{
	host_load();
	begin_and_sign("once");
}

static void begin_signing(void)
{
	begin();
	signers_start(&signers, 2);
}

static void finalize(void) { OK(p11->C_Finalize(NULL)); }

/* A destructor of the program's, as engines have them. It runs after the handlers of atexit. */
static int finalize_in_destructor;

__attribute__((destructor)) static void end_library(void)
{
	if (finalize_in_destructor)
		finalize();
}

static void *exit_in_thread(void *unused)
{
	(void)unused;
	exit(STATUS);
}

static void *exit_later(void *unused)
{
	CK_SESSION_HANDLE session = open_session();

	(void)unused;
	pause_us(2000); /* the first thread has ended by now, or soon will */
	sign_as("once", session, find_key(session));
	exit(STATUS);
}

static void on_signal(int signal)
{
	(void)signal;
	_exit(STATUS);
}

/* A key whose destructor closes the thread's session, as pools of sessions have it. */
static void close_session(void *session) { OK(p11->C_CloseSession((CK_SESSION_HANDLE)session)); }

static void *sign_with_destructor(void *key)
{
	CK_SESSION_HANDLE session = open_session();

	CHECK(pthread_setspecific(*(pthread_key_t *)key, (void *)session) == 0);
	sign_as("once", session, find_key(session));
	return NULL;
}

/* Each way to end. One that returns ends by main's return. */
static void end_return(void) { begin(); }
static void end_finalized(void) { begin(), finalize(); }
static void end_exit(void) { begin(), exit(STATUS); }
static void end_exit_signing(void) { begin_signing(), exit(STATUS); }
static void end_return_signing(void) { begin_signing(); }
static void end_underscore_signing(void) { begin_signing(), _exit(STATUS); }
static void end_quick(void) { begin(), quick_exit(STATUS); }
static void end_quick_signing(void) { begin_signing(), quick_exit(STATUS); }
static void end_finalize_again(void)
{
	begin();
	for (int i = 0; i < 3; i++) {
		CK_SESSION_HANDLE session;

		signers_start(&signers, 2);
		signers_stop(&signers);
		finalize();
		initialize();
		session = open_session();
		login(session);
		sign_as("once", session, find_key(session));
	}
	finalize();
}

static void end_dlclose(void)
{
	begin();
	finalize();
	CHECK(dlclose(host.library) == 0);
}

static void end_dlclose_unfinalized(void)
{
	begin();
	CHECK(dlclose(host.library) == 0);
}

static void end_dlclose_signing(void)
{
	begin_signing();
	CHECK(dlclose(host.library) == 0);
}

static void end_dlclose_again(void)
{
	for (int i = 0; i < 3; i++) {
		begin();
		finalize();
		CHECK(dlclose(host.library) == 0);
	}
}

static void end_atexit_before_load(void)
{
	CHECK(atexit(finalize) == 0);
	begin();
	exit(STATUS);
}

static void end_atexit_after_load(void)
{
	begin();
	CHECK(atexit(finalize) == 0);
	exit(STATUS);
}

static void end_destructor(void)
{
	finalize_in_destructor = 1;
	begin();
	exit(STATUS);
}

static void end_abort_atexit(void)
{
	CHECK(atexit(abort) == 0);
	begin_signing();
	exit(STATUS);
}

static void end_abort(void) { begin_signing(), abort(); }

static void end_other_thread(void)
{
	pthread_t thread;

	begin_signing();
	CHECK(pthread_create(&thread, NULL, exit_in_thread, NULL) == 0);
	pthread_join(thread, NULL);
}

static void end_main_thread(void)
{
	pthread_t thread;

	begin();
	CHECK(pthread_create(&thread, NULL, exit_later, NULL) == 0);
	pthread_exit(NULL);
}

static void end_thread_destructors(void)
{
	pthread_t threads[4];
	pthread_key_t key;

	begin();
	CHECK(pthread_key_create(&key, close_session) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, sign_with_destructor, &key) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

static void end_sigterm(void)
{
	begin_signing();
	kill(getpid(), SIGTERM);
	for (;;)
		pause();
}

static void end_sigterm_handled(void)
{
	signal(SIGTERM, on_signal);
	end_sigterm();
}

static const struct {
	const char *mode;
	void (*end)(void);
} ends[] = {
	{"return", end_return},
	{"finalized", end_finalized},
	{"exit", end_exit},
	{"exit-signing", end_exit_signing},
	{"return-signing", end_return_signing},
	{"underscore-exit-signing", end_underscore_signing},
	{"quick-exit", end_quick},
	{"quick-exit-signing", end_quick_signing},
	{"finalize-again", end_finalize_again},
	{"dlclose", end_dlclose},
	{"dlclose-unfinalized", end_dlclose_unfinalized},
	{"dlclose-signing", end_dlclose_signing},
	{"dlclose-again", end_dlclose_again},
	{"atexit-before-load", end_atexit_before_load},
	{"atexit-after-load", end_atexit_after_load},
	{"destructor", end_destructor},
	{"abort-atexit", end_abort_atexit},
	{"abort", end_abort},
	{"exit-in-thread", end_other_thread},
	{"pthread-exit", end_main_thread},
	{"thread-destructors", end_thread_destructors},
	{"sigterm", end_sigterm},
	{"sigterm-handled", end_sigterm_handled},
};

int main(int argc, char **argv)
{
	host_arguments(argc, argv);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (mode_is(ends[i].mode)) {
			ends[i].end();
			return STATUS;
		}
	CHECK(!"the mode is known");
}
