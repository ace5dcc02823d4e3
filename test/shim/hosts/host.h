/*
 * What the host programs share. Each is run as  PROGRAM LIBRARY [ARGUMENTS]
 * and exits with 0, or says what failed and exits with 1. A child that hangs is
 * killed and is a failure too.
 */
#ifndef HOST_H
#define HOST_H


#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../testlib/testlib.h"

/* Answers of the library: minus the shim's results. */
enum { NOT_RUNNING = -1, NO_MEMORY = -2, NO_THREADS = -3, NO_FILES = -4, NO_STACK = -5, IN_CALLBACK = -6 };

#define CHECK(condition)                                                                              \
	do {                                                                                          \
		if (!(condition)) {                                                                   \
			fprintf(stderr, "%s:%d: pid %d: %s does not hold (errno %d)\n", __FILE__, __LINE__, \
				(int)getpid(), #condition, errno);                                    \
			_exit(1);                                                                     \
		}                                                                                     \
	} while (0)

enum { HANG_SECONDS = 30 };

static inline const struct table *load(const char *path)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const struct table *(*table)(void);

	if (library == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		_exit(1);
	}
	table = (const struct table *(*)(void))dlsym(library, "Table");
	CHECK(table != NULL);
	return table();
}

static inline long long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static inline void pause_us(long us)
{
	struct timespec time = {us / 1000000, us % 1000000 * 1000};

	nanosleep(&time, NULL);
}

/* show_threads says where the threads of a hung child stand. */
static inline void show_threads(pid_t pid)
{
	char command[160];

	snprintf(command, sizeof command,
		 "for t in /proc/%d/task/*; do echo $t $(cat $t/comm $t/wchan $t/syscall); done >&2", (int)pid);
	if (system(command) != 0)
		fprintf(stderr, "no account of the threads of %d\n", (int)pid);
}

/* wait_child returns the wait status; a child that does not end is killed. */
static inline int wait_child(pid_t pid)
{
	long long start = milliseconds();
	int status;

	CHECK(pid > 0);
	for (;;) {
		pid_t done = waitpid(pid, &status, WNOHANG | __WALL);

		if (done == pid)
			return status;
		CHECK(done == 0 || errno == EINTR);
		if (milliseconds() - start > HANG_SECONDS * 1000LL) {
			fprintf(stderr, "HANG: child %d\n", (int)pid);
			show_threads(pid);
			kill(pid, SIGKILL);
			waitpid(pid, &status, __WALL);
			return -1;
		}
		pause_us(300);
	}
}

/* raw_fork makes a child behind the C library's back. */
static inline pid_t raw_fork(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

/* Threads that are inside the library while other things happen. */
struct busy {
	const struct table *table;
	pthread_t threads[16];
	int count;
	volatile int stop;
};

static inline void *busy_work(void *argument)
{
	struct busy *busy = argument;

	while (!busy->stop)
		CHECK(busy->table->Work(6) == 6 && busy->table->Sign() == 1);
	return NULL;
}

static inline void busy_start(struct busy *busy, const struct table *table, int count)
{
	busy->table = table;
	busy->count = count;
	busy->stop = 0;
	for (int i = 0; i < count; i++)
		CHECK(pthread_create(&busy->threads[i], NULL, busy_work, busy) == 0);
}

static inline void busy_stop(struct busy *busy)
{
	busy->stop = 1;
	for (int i = 0; i < busy->count; i++)
		CHECK(pthread_join(busy->threads[i], NULL) == 0);
}

#endif
