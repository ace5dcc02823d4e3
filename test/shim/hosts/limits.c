/*
 * limits LIBRARY KIND: too little of something must be an error of Init, not
 * the end of the process, and enough of it must suffice. KIND sets the limit
 * before the library is used (in the first process) or in a child.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "host.h"

static void set(int resource, rlim_t value)
{
	struct rlimit limit;

	CHECK(getrlimit(resource, &limit) == 0);
	limit.rlim_cur = value;
	CHECK(setrlimit(resource, &limit) == 0);
}

static rlim_t get(int resource)
{
	struct rlimit limit;

	CHECK(getrlimit(resource, &limit) == 0);
	return limit.rlim_cur;
}

static void try_limit(const struct table *table, int resource, rlim_t value, int expected)
{
	rlim_t before = get(resource);
	int result;

	set(resource, value);
	result = table->Init();
	if (result != expected) {
		fprintf(stderr, "Init %d, not %d: %s\n", result, expected, table->Status());
		_exit(1);
	}
	CHECK(result == 0 || table->Light() == NOT_RUNNING);
	set(resource, before);
}

static void address_space(const struct table *table)
{
	const rlim_t mib = 1 << 20;

	for (rlim_t size = 100; size <= 1900; size += 200)
		try_limit(table, RLIMIT_AS, size * mib, NO_MEMORY);
}

static int load_within(const char *library, rlim_t size)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		void *handle;
		int (*init)(void);

		set(RLIMIT_AS, size);
		handle = dlopen(library, RTLD_NOW);
		if (handle == NULL)
			_exit(2);
		init = (int (*)(void))dlsym(handle, "Init");
		_exit(init() == NO_MEMORY ? 0 : 3);
	}
	status = wait_child(pid);
	CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2));
	return status == 0;
}

/* load_in_little sweeps over the sizes with which the library can just be
 * loaded: some of them leave no room for what it needs at load. */
static void load_in_little(const char *library)
{
	rlim_t low = 0, high = (rlim_t)1 << 30;

	CHECK(!load_within(library, low) && load_within(library, high));
	while (high - low > 4096) {
		rlim_t middle = low + (high - low) / 2;

		*(load_within(library, middle) ? &high : &low) = middle;
	}
	for (int pages = 0; pages < 64; pages++)
		load_within(library, high + (rlim_t)pages * 4096);
}

/* The limit counts the user's processes, and root is exempt from it. */
static void threads(const struct table *table)
{
	CHECK(setresuid(54321, 54321, 54321) == 0);
	for (rlim_t count = 1; count < 8; count++)
		try_limit(table, RLIMIT_NPROC, count, NO_THREADS);
	set(RLIMIT_NPROC, 100);
}

static const struct table *later_table;
static pthread_barrier_t later_start;

static void *work_later(void *unused)
{
	(void)unused;
	pthread_barrier_wait(&later_start);
	CHECK(later_table->Sleep(20) == 1 && later_table->Work(8) == 8);
	return NULL;
}

/* Threads that are refused for a while after the start, as when a service is
 * at the limit of its tasks: a delay, and no abort. */
static void threads_later(const struct table *table)
{
	pthread_t threads[12];
	rlim_t before = get(RLIMIT_NPROC);

	CHECK(setresuid(54323, 54323, 54323) == 0);
	CHECK(table->Init() == 0 && table->Light() == 1);
	later_table = table;
	CHECK(pthread_barrier_init(&later_start, NULL, 13) == 0);
	for (int i = 0; i < 12; i++)
		CHECK(pthread_create(&threads[i], NULL, work_later, NULL) == 0);
	set(RLIMIT_NPROC, 1);
	pthread_barrier_wait(&later_start);
	pause_us(1500000);
	set(RLIMIT_NPROC, before);
	for (int i = 0; i < 12; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

static void locked_memory(const struct table *table)
{
	CHECK(setresuid(54322, 54322, 54322) == 0);
	set(RLIMIT_MEMLOCK, get(RLIMIT_MEMLOCK) < (64 << 20) ? get(RLIMIT_MEMLOCK) : 64 << 20);
	CHECK(mlockall(MCL_FUTURE) == 0);
	CHECK(table->Init() == NO_MEMORY && table->Light() == NOT_RUNNING);
	CHECK(munlockall() == 0);
}

static void thread_stacks(const struct table *table)
{
	pthread_attr_t small, before;

	CHECK(pthread_getattr_default_np(&before) == 0);
	CHECK(pthread_attr_init(&small) == 0 && pthread_attr_setstacksize(&small, 32 << 10) == 0);
	CHECK(pthread_setattr_default_np(&small) == 0);
	CHECK(table->Init() == NO_STACK && table->Light() == NOT_RUNNING);
	CHECK(pthread_setattr_default_np(&before) == 0);
}

static void descriptors(const struct table *table)
{
	for (rlim_t count = 0; count < 6; count++)
		try_limit(table, RLIMIT_NOFILE, count, NO_FILES);
}

/* Descriptors that run out later are the host's trouble, and no abort. */
static void descriptors_later(const struct table *table)
{
	rlim_t before = get(RLIMIT_NOFILE);

	CHECK(table->Init() == 0 && table->Light() == 1);
	set(RLIMIT_NOFILE, 0);
	CHECK(table->Work(10) == 10);
	set(RLIMIT_NOFILE, before);
}

/* A sandbox that allows no new threads. */
static void sandbox(const struct table *table)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof program / sizeof *program, program};

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
	CHECK(table->Init() == NO_THREADS && table->Light() == NOT_RUNNING);
	_exit(0); /* there is no way out of it */
}

static const struct {
	const char *name;
	void (*run)(const struct table *table);
} kinds[] = {
	{"address-space", address_space},
	{"threads", threads},
	{"threads-later", threads_later},
	{"locked-memory", locked_memory},
	{"thread-stacks", thread_stacks},
	{"sandbox", sandbox},
	{"descriptors", descriptors},
	{"descriptors-later", descriptors_later},
};

static void run(const char *kind, const struct table *table)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(kinds[i].name, kind) != 0)
			continue;
		kinds[i].run(table);
		/* The refusal left nothing behind: with the limit gone it works. */
		CHECK(table->Init() == 0 && table->Work(10) == 10);
		return;
	}
	CHECK(!"known kind");
}

int main(int argc, char **argv)
{
	const struct table *table;
	pid_t pid;

	CHECK(argc == 3);
	if (strcmp(argv[2], "load") == 0) {
		load_in_little(argv[1]);
		return 0;
	}
	table = load(argv[1]);
	pid = fork();
	if (pid == 0) {
		run(argv[2], table);
		_exit(0);
	}
	CHECK(wait_child(pid) == 0);
	/* And where Go has to be restarted. */
	CHECK(table->Init() == 0 && table->Work(10) == 10);
	pid = fork();
	if (pid == 0) {
		run(argv[2], table);
		_exit(0);
	}
	CHECK(wait_child(pid) == 0);
	return 0;
}
