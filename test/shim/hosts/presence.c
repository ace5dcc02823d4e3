/*
 * presence LIBRARY: what a program notices of the library. Loaded: nothing.
 * In use: handlers for faults only, the host's own handlers as they were.
 */
#include <dirent.h>

#include "host.h"

static int entries(const char *path)
{
	DIR *directory = opendir(path);
	int count = 0;

	CHECK(directory != NULL);
	while (readdir(directory) != NULL)
		count++;
	closedir(directory);
	return count;
}

static void handler(int signal) { (void)signal; }

static int is_fault(int signal) { return signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE; }

static void read_actions(struct sigaction *actions)
{
	memset(actions, 0, 65 * sizeof *actions);
	for (int signal = 1; signal < 65; signal++)
		sigaction(signal, NULL, &actions[signal]);
}

/* Set by the C library, not by its caller. */
enum { SA_RESTORER_FLAG = 0x04000000 };

static void compare(const struct sigaction *before, int faults_may_differ)
{
	struct sigaction now[65];

	read_actions(now);
	for (int signal = 1; signal < 65; signal++) {
		if (faults_may_differ && is_fault(signal))
			continue;
		CHECK(now[signal].sa_handler == before[signal].sa_handler);
		CHECK(((now[signal].sa_flags ^ before[signal].sa_flags) & ~SA_RESTORER_FLAG) == 0);
	}
}

int main(int argc, char **argv)
{
	struct sigaction before[65], action = {.sa_handler = handler};
	sigset_t mask_before, mask;
	const struct table *table;
	int descriptors;
	void *library;

	CHECK(argc == 2);
	for (int signal = 1; signal < 32; signal++)
		if (signal % 3 == 0)
			sigaction(signal, &action, NULL);
	read_actions(before);
	pthread_sigmask(SIG_SETMASK, NULL, &mask_before);
	descriptors = entries("/proc/self/fd");

	table = load(argv[1]);
	CHECK(entries("/proc/self/task") == 3); /* . and .. and one thread */
	CHECK(entries("/proc/self/fd") == descriptors);
	compare(before, 0);
	CHECK(table->Light() == NOT_RUNNING && table->Work(1) == NOT_RUNNING && !table->InChild());

	/* Variables set after load are seen; Go's own are not taken over. */
	setenv("TESTLIB_1", "yes", 1);
	setenv("GODEBUG", "nonsense=1", 1);
	CHECK(table->Init() == 0 && table->Work(5) == 5);
	CHECK(table->HasEnv(1) == 1 && table->HasEnv(2) == 0);
	CHECK(entries("/proc/self/task") > 3);
	compare(before, 1);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	CHECK(memcmp(&mask, &mask_before, sizeof mask) == 0);
	CHECK(strstr(table->Status(), "restart: in place; start: at C_Initialize, generation 1") != NULL);
	CHECK(strstr(table->Status(), "signal table patched") != NULL);

	/* Closing the library does nothing: Go cannot be unloaded. */
	library = dlopen(argv[1], RTLD_NOW);
	CHECK(dlclose(library) == 0 && dlclose(library) == 0);
	CHECK(table->Work(5) == 5);
	return 0;
}
