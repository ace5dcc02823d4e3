/*
 * spawn LIBRARY KIND COUNT: the library starts a program, as the module starts
 * a guard, and the host must not notice. The program is  report,  beside this one.
 */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "host.h"

static const struct table *table;
static char program[300], directory[] = "/tmp/shim-spawn-XXXXXX";
static volatile sig_atomic_t children_ended, alarms;

static void on_child(int signal) { (void)signal, children_ended++; }
static void on_alarm(int signal) { (void)signal, alarms++; }

static void handle(int signal, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

	CHECK(sigaction(signal, &action, NULL) == 0);
}

static const char expected[] = "argument one\nargument two words\nenvironment ONLY=this\nenvironment EMPTY=\n"
			       "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nSigCgt:\t0000000000000000\n"
			       "descriptor 0 /dev/null\ndescriptor 1 /dev/null\ndescriptor 2 /dev/null\n"
			       "directory /\numask 077\nleads its session: yes\n";

static void check_report(const char *file)
{
	long long start = milliseconds();
	char text[4096];
	ssize_t length;
	int fd;

	while ((fd = open(file, O_RDONLY)) < 0) {
		CHECK(errno == ENOENT && milliseconds() - start < HANG_SECONDS * 1000LL);
		pause_us(1000);
	}
	length = read(fd, text, sizeof text - 1);
	CHECK(length > 0 && close(fd) == 0 && unlink(file) == 0);
	text[length] = '\0';
	if (strcmp(text, expected) != 0) {
		fprintf(stderr, "the program found\n%s", text);
		_exit(1);
	}
}

static int start(const char *path, const char *file)
{
	char *argv[] = {"report", (char *)file, "one", "two words", NULL}, *envp[] = {"ONLY=this", "EMPTY=", NULL};

	return table->Spawn(path, argv, envp);
}

static void no_children(void)
{
	siginfo_t info;

	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
	CHECK(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | __WALL) == -1 && errno == ECHILD);
}

static void report_file(char file[80])
{
	snprintf(file, 80, "%s/%d", directory, (int)gettid());
}

static void spawn_one(void)
{
	char file[80];

	report_file(file);
	CHECK(start(program, file) == 0);
	check_report(file);
}

static void spawn_some(int count)
{
	for (int i = 0; i < count; i++)
		spawn_one();
}

static void *spawning(void *count)
{
	spawn_some(*(int *)count);
	return NULL;
}

/* A daemon in the midst of its work: descriptors that exec would hand on, signals
 * blocked, a handler, an alarm that rings all the time. */
static void host_at_work(int count)
{
	struct itimerval often = {{0, 500}, {0, 500}}, never = {0};
	sigset_t blocked, mask;

	for (int i = 0; i < 200; i++)
		CHECK(open("/dev/zero", O_RDONLY) >= 0);
	handle(SIGCHLD, on_child);
	handle(SIGALRM, on_alarm);
	handle(SIGPIPE, SIG_IGN);
	sigemptyset(&blocked);
	for (int signal = SIGUSR1; signal <= SIGRTMAX; signal += 5)
		sigaddset(&blocked, signal);
	sigdelset(&blocked, SIGALRM);
	CHECK(pthread_sigmask(SIG_SETMASK, &blocked, NULL) == 0);
	CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
	spawn_some(count);
	CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
	CHECK(pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0);
	for (int signal = 1; signal <= SIGRTMAX; signal++)
		CHECK(sigismember(&mask, signal) == sigismember(&blocked, signal));
	CHECK(children_ended == 0 && alarms > 0);
	no_children();
}

/* A host that wants no zombies: the kernel reaps for it, and must not be asked to. */
static void ignored_children(int count)
{
	struct sigaction action;

	handle(SIGCHLD, SIG_IGN);
	handle(SIGPIPE, SIG_IGN);
	spawn_some(count);
	no_children();
	CHECK(sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN);
}

/* nginx's master: it sleeps in sigsuspend until a worker ends. */
static void master(int count)
{
	sigset_t blocked, open, pending;
	pthread_t thread;
	pid_t worker;
	int status;

	handle(SIGCHLD, on_child);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGCHLD);
	CHECK(pthread_sigmask(SIG_BLOCK, &blocked, &open) == 0);
	CHECK(pthread_create(&thread, NULL, spawning, &count) == 0);
	worker = fork();
	if (worker == 0) {
		pause_us(200 * 1000);
		_exit(7);
	}
	sigsuspend(&open);
	CHECK(children_ended == 1);
	CHECK(waitpid(-1, &status, WNOHANG) == worker && WIFEXITED(status) && WEXITSTATUS(status) == 7);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(sigpending(&pending) == 0 && !sigismember(&pending, SIGCHLD) && children_ended == 1);
	no_children();
}

static volatile int reaping;

/* A loop that reaps whatever there is. */
static void *reap_all(void *reaped)
{
	while (reaping) {
		if (waitpid(-1, NULL, 0) > 0)
			++*(int *)reaped;
	}
	return NULL;
}

static void reaper(int count)
{
	pthread_t thread;
	int reaped = 0;

	reaping = 1;
	CHECK(pthread_create(&thread, NULL, reap_all, &reaped) == 0);
	spawn_some(count);
	reaping = 0;
	CHECK(pthread_join(thread, NULL) == 0 && reaped == 0);
}

static void many_threads(int count)
{
	pthread_t threads[8];

	for (int i = 0; i < 8; i++)
		CHECK(pthread_create(&threads[i], NULL, spawning, &count) == 0);
	for (int i = 0; i < 8; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	no_children();
}

static void restarted_child(int count)
{
	pid_t pid = fork();

	if (pid == 0) {
		CHECK(table->Init() == 0);
		handle(SIGCHLD, on_child);
		spawn_some(count);
		CHECK(children_ended == 0);
		no_children();
		_exit(0);
	}
	CHECK(wait_child(pid) == 0);
}

/* A thread that is to be cancelled: not before it has left the library. */
static void *spawn_cancelled(void *left)
{
	spawn_one();
	CHECK(pthread_cancel(pthread_self()) == 0);
	CHECK(start("/nowhere", "") == ENOENT);
	*(int *)left = start("/nowhere", "") == ENOENT;
	pthread_testcancel();
	return NULL;
}

static void cancellation(int count)
{
	for (int i = 0; i < count; i++) {
		pthread_t thread;
		void *result;
		int left = 0;

		CHECK(pthread_create(&thread, NULL, spawn_cancelled, &left) == 0);
		CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED && left);
	}
}

static void filter(struct sock_filter *rules, size_t count)
{
	struct sock_fprog filter = {(unsigned short)count, rules};

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) == 0);
}

static void refuse(int number, int error)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	filter(rules, sizeof rules / sizeof *rules);
}

/* Kernels and filters that do not know close_range, in a host with as many
 * descriptors as it may have. */
static void without_close_range(int count)
{
	struct rlimit limit = {300, 300};
	char file[80];

	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	refuse(SYS_close_range, ENOSYS);
	while (open("/dev/zero", O_RDONLY) >= 0)
		;
	CHECK(errno == EMFILE);
	report_file(file);
	CHECK(start(program, file) == 0);
	CHECK(close(limit.rlim_cur - 1) == 0);
	check_report(file);
	spawn_some(count);
	refuse(SYS_getdents64, EACCES); /* what cannot be listed cannot be closed */
	CHECK(start(program, file) == EACCES);
	no_children();
}

static void refused(int count)
{
	char long_file[200];

	(void)count;
	snprintf(long_file, sizeof long_file, "%s/no-program", directory);
	CHECK(close(open(long_file, O_WRONLY | O_CREAT, 0600)) == 0);
	CHECK(start("/nowhere/at/all", "") == ENOENT);
	CHECK(start(long_file, "") == EACCES);
	CHECK(chmod(long_file, 0700) == 0 && start(long_file, "") == ENOEXEC);
	CHECK(start("report", "") == EINVAL && start("", "") == EINVAL);
	CHECK(unlink(long_file) == 0);
	handle(SIGCHLD, on_child);
	/* Also in a host to which orphans come. */
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	CHECK(start("/nowhere", "") == ENOENT && children_ended == 0);
	no_children();
}

/* Both the process in between and the program's may be one too many. */
static void processes(int count)
{
	struct rlimit limit;
	const uid_t user = 54321;
	int error = EAGAIN;

	(void)count;
	CHECK(chown(directory, user, (gid_t)-1) == 0); /* to remove it */
	CHECK(setresuid(user, user, user) == 0 && getrlimit(RLIMIT_NPROC, &limit) == 0);
	for (limit.rlim_cur = 1; error == EAGAIN && limit.rlim_cur < 100; limit.rlim_cur++) {
		CHECK(setrlimit(RLIMIT_NPROC, &limit) == 0);
		error = start("/nowhere", "");
		no_children();
	}
	CHECK(error == ENOENT && limit.rlim_cur > 4);
}

static void other_identity(int count)
{
	char file[80];

	(void)count;
	report_file(file);
	CHECK(setresuid((uid_t)-1, 65534, (uid_t)-1) == 0 && start(program, file) == EPERM);
	CHECK(setresuid((uid_t)-1, 0, (uid_t)-1) == 0);
	CHECK(setresgid((gid_t)-1, (gid_t)-1, 65534) == 0 && start(program, file) == EPERM);
	no_children();
}

static const struct kind {
	const char *name;
	void (*run)(int count);
} kinds[] = {
	{"host-at-work", host_at_work},
	{"ignored-children", ignored_children},
	{"master", master},
	{"reaper", reaper},
	{"many-threads", many_threads},
	{"restarted-child", restarted_child},
	{"cancellation", cancellation},
	{"without-close-range", without_close_range},
	{"refused", refused},
	{"processes", processes},
	{"other-identity", other_identity},
};

/* find_program: it is beside this one. */
static void find_program(void)
{
	ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
	char *name;

	CHECK(length > 0 && (name = strrchr(program, '/')) != NULL);
	strcpy(name, "/report");
}

int main(int argc, char **argv)
{
	const struct kind *kind = NULL;

	CHECK(argc == 4);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].name, argv[2]) == 0)
			kind = &kinds[i];
	CHECK(kind != NULL);
	find_program();
	CHECK(mkdtemp(directory) != NULL);
	table = load(argv[1]);
	CHECK(table->Init() == 0 && table->Work(20) == 20);
	kind->run(atoi(argv[3]));
	CHECK(table->Work(3) == 3);
	CHECK(rmdir(directory) == 0);
	return 0;
}
