/*
 * children LIBRARY KIND COUNT: children that do as programs do, while threads
 * of the parent are busy.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "host.h"

static const struct table *table;

static void *thread_init(void *unused)
{
	(void)unused;
	CHECK(table->Init() == 0 && table->Work(3) == 3);
	return NULL;
}

static void *thread_work(void *unused)
{
	(void)unused;
	CHECK(table->Work(3) == 3);
	return NULL;
}

static void in_thread(void *(*function)(void *))
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, function, NULL) == 0 && pthread_join(thread, NULL) == 0);
}

/* C_Finalize, C_GetInfo and the like before C_Initialize. */
static void without_init(void)
{
	for (int i = 0; i < 10; i++)
		CHECK(table->Light() == NOT_RUNNING && table->Work(2) == NOT_RUNNING);
}

static void only_exec(void)
{
	execl("/bin/true", "true", (char *)NULL);
	_exit(1);
}

static void initialize(void)
{
	CHECK(table->Init() == 0 && table->Init() == 0 && table->Work(5) == 5);
}

/* The thread that came through the fork still has the dead runtime's g when
 * another thread restarts Go, and uses Go, or ends, after that. */
static void init_in_other_thread(void)
{
	in_thread(thread_init);
	CHECK(table->Work(4) == 4 && table->Panic() == 1);
	in_thread(thread_work);
}

static void init_in_many_threads(void)
{
	pthread_t threads[8];

	for (int i = 0; i < 8; i++)
		CHECK(pthread_create(&threads[i], NULL, thread_init, NULL) == 0);
	for (int i = 0; i < 8; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

static void daemonize(void)
{
	int done[2];
	char byte = 0;
	pid_t pid;

	CHECK(pipe(done) == 0);
	pid = fork();
	if (pid == 0) {
		CHECK(daemon(0, 1) == 0);
		CHECK(table->Init() == 0 && table->Work(5) == 5);
		CHECK(write(done[1], "x", 1) == 1);
		_exit(0);
	}
	close(done[1]);
	CHECK(wait_child(pid) == 0);
	CHECK(read(done[0], &byte, 1) == 1);
}

static void *work_and_exit(void *unused)
{
	pause_us(5000);
	CHECK(table->Work(3) == 3);
	_exit(0);
	return unused;
}

/* A thread that has used Go forks, and its copy in the child ends: with the
 * child where it is the only thread, else leaving the others at work. */
static void *use_fork_and_end(void *result)
{
	pthread_t thread;
	pid_t pid;

	CHECK(table->Work(2) == 2);
	pid = fork();
	if (pid != 0) {
		*(int *)result = wait_child(pid);
		return NULL;
	}
	if (*(int *)result) {
		CHECK(table->Init() == 0);
		CHECK(pthread_create(&thread, NULL, work_and_exit, NULL) == 0);
	}
	return NULL;
}

static void fork_in_ending_thread(void)
{
	for (int use = 0; use < 2; use++) {
		pthread_t thread;
		int result = use;

		CHECK(pthread_create(&thread, NULL, use_fork_and_end, &result) == 0);
		CHECK(pthread_join(thread, NULL) == 0 && result == 0);
	}
}

static ino_t inode(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

/* Named descriptors are closed in the child, unless their number has come to
 * mean something else: of fork() at once, of clone() at the restart. (Go may
 * at once use the number of a closed one.) */
static void descriptors(int kept, int reused, int dropped, int cloned)
{
	ino_t before = inode(kept), other = inode(reused), stays = inode(dropped);

	CHECK((before != 0) == cloned && other != 0 && stays != 0);
	CHECK(table->Init() == 0);
	CHECK((!cloned || inode(kept) != before) && inode(reused) == other && inode(dropped) == stays);
	CHECK(table->Work(3) == 3);
}

static void descriptors_of_parent(void)
{
	int a[2], b[2], c[2], null = open("/dev/null", O_RDONLY);

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, a) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, b) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, c) == 0);
	CHECK(table->KeepFd(a[0]) == 0 && table->KeepFd(b[0]) == 0 && table->KeepFd(c[0]) == 0);
	CHECK(table->KeepFd(-1) == -1);
	table->DropFd(c[0]);
	CHECK(dup2(null, b[0]) == b[0] && close(null) == 0);
	for (int cloned = 0; cloned < 2; cloned++) {
		pid_t pid = cloned ? raw_fork() : fork();

		if (pid == 0) {
			descriptors(a[0], b[0], c[0], cloned);
			_exit(0);
		}
		CHECK(wait_child(pid) == 0 && fcntl(a[0], F_GETFD) >= 0);
	}
	table->DropFd(a[0]);
	table->DropFd(b[0]);
	for (int i = 0; i < 2; i++)
		close(a[i]), close(b[i]), close(c[i]);
}

enum { KEPT_AT_MOST = 1024 };

/* is_open tells of a descriptor of this very file. */
static int is_open(int fd, ino_t file) { return inode(fd) == file; }

/* Nor does a child have them that only execs, though they stay open on exec. */
static void hand_on(int fd)
{
	char command[80];
	pid_t pid = fork();

	if (pid == 0) {
		snprintf(command, sizeof command, "test ! -e /proc/self/fd/%d", fd);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(1);
	}
	CHECK(wait_child(pid) == 0);
}

/* As many as can be kept; in every order; and what was taken back makes room. */
static void many_descriptors(void)
{
	struct rlimit limit;
	int fds[KEPT_AT_MOST + 1], pipes[2];
	ino_t file;
	pid_t pid;

	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = limit.rlim_max;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0 && pipe(pipes) == 0);
	file = inode(pipes[0]);
	for (int i = 0; i <= KEPT_AT_MOST; i++)
		CHECK((fds[i] = dup(pipes[0])) >= 0);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < KEPT_AT_MOST; i++)
			CHECK(table->KeepFd(fds[i]) == 0);
		CHECK(table->KeepFd(fds[KEPT_AT_MOST]) == -1);
		for (int i = 0; i < KEPT_AT_MOST; i++)
			if (round != 2 || i % 3 == 0)
				table->DropFd(fds[(i * 7 + round) % KEPT_AT_MOST]);
	}
	CHECK(table->KeepFd(fds[KEPT_AT_MOST]) == 0);
	hand_on(fds[KEPT_AT_MOST]);
	pid = fork();
	if (pid == 0) {
		CHECK(table->Init() == 0);
		for (int i = 0; i < KEPT_AT_MOST; i++)
			CHECK(is_open(fds[(i * 7 + 2) % KEPT_AT_MOST], file) == (i % 3 == 0));
		CHECK(!is_open(fds[KEPT_AT_MOST], file));
		for (int i = 0; i < KEPT_AT_MOST; i += 3) /* the child's table is empty, and whole */
			CHECK(table->KeepFd(fds[(i * 7 + 2) % KEPT_AT_MOST]) == 0);
		_exit(0);
	}
	CHECK(wait_child(pid) == 0);
	for (int i = 0; i <= KEPT_AT_MOST; i++) {
		CHECK(is_open(fds[i], file));
		table->DropFd(fds[i]);
		close(fds[i]);
	}
	close(pipes[0]), close(pipes[1]);
}

static volatile int changing;

enum { CHANGED = 300, TIMES = 100 };

/* Most of the time goes into looking, under the lock, for what is not there: a
 * fork is to find the lock taken. */
static void *change(void *own)
{
	int fd = *(int *)own;

	while (changing) {
		for (int i = 0; i < CHANGED; i++)
			CHECK(table->KeepFd(fd) == 0);
		for (int i = 0; i < TIMES * CHANGED; i++)
			table->DropFd(fd + (1 << 20)); /* of the same bucket */
		table->DropFd(fd);
	}
	return NULL;
}

static void fill_table(void)
{
	int fds[2];

	CHECK(pipe(fds) == 0);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < KEPT_AT_MOST; i++)
			CHECK(table->KeepFd(fds[i % 2]) == 0);
		CHECK(table->KeepFd(fds[0]) == -1);
		table->DropFd(fds[0]);
		table->DropFd(fds[1]);
	}
	close(fds[0]), close(fds[1]);
}

/* A child forked while others keep and drop begins with a whole table. */
static void changing_descriptors(void)
{
	pthread_t threads[3];
	int own[3];

	changing = 1;
	for (int i = 0; i < 3; i++) {
		CHECK((own[i] = open("/dev/zero", O_RDONLY)) >= 0);
		CHECK(pthread_create(&threads[i], NULL, change, &own[i]) == 0);
	}
	for (int i = 0; i < 10; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			CHECK(table->Init() == 0);
			fill_table();
			_exit(0);
		}
		CHECK(wait_child(pid) == 0);
	}
	changing = 0;
	for (int i = 0; i < 3; i++)
		CHECK(pthread_join(threads[i], NULL) == 0 && close(own[i]) == 0);
	fill_table();
}

/* A child forked inside a callback returns into frames of the dead runtime if
 * it goes on; what it may do is exec or exit. */
static int fork_in_callback(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		CHECK(table->Light() == NOT_RUNNING && table->Init() == IN_CALLBACK);
		_exit(0);
	}
	CHECK(wait_child(pid) == 0 && table->Work(2) == 2);
	return 7;
}

static void callback(void)
{
	CHECK(table->Callback(fork_in_callback) == 7 && table->Light() == 1);
}

/* mlockall: pages of the zero-filled part cannot be given back. */
static void locked_memory(void)
{
	CHECK(mlockall(MCL_CURRENT) == 0);
	initialize();
}

static const struct kind {
	const char *name;
	void (*in_child)(void);
	void (*in_parent)(void);
} kinds[] = {
	{"without-init", without_init, NULL},
	{"only-exec", only_exec, NULL},
	{"initialize", initialize, NULL},
	{"init-in-other-thread", init_in_other_thread, NULL},
	{"init-in-many-threads", init_in_many_threads, NULL},
	{"locked-memory", locked_memory, NULL},
	{"daemon", NULL, daemonize},
	{"fork-in-ending-thread", NULL, fork_in_ending_thread},
	{"descriptors", NULL, descriptors_of_parent},
	{"many-descriptors", NULL, many_descriptors},
	{"changing-descriptors", NULL, changing_descriptors},
	{"callback", NULL, callback},
};

static void once(const struct kind *kind)
{
	pid_t pid;

	if (kind->in_parent != NULL) {
		kind->in_parent();
		return;
	}
	pid = fork();
	if (pid == 0) {
		kind->in_child();
		_exit(0);
	}
	CHECK(wait_child(pid) == 0);
}

int main(int argc, char **argv)
{
	const struct kind *kind = NULL;
	struct busy busy;

	CHECK(argc == 4);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].name, argv[2]) == 0)
			kind = &kinds[i];
	CHECK(kind != NULL);
	table = load(argv[1]);
	CHECK(table->Init() == 0 && table->Work(10) == 10);
	busy_start(&busy, table, 3);
	for (int i = 0; i < atoi(argv[3]); i++)
		once(kind);
	busy_stop(&busy);
	return 0;
}
