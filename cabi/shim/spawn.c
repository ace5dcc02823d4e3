/*
 * Starting a program from inside a host, as init would start it: with nothing
 * of the host's in it, and so that the host never learns of it. A host counts
 * its children: one that it did not make sends a SIGCHLD that its handler does
 * not expect, and is reaped by a loop over waitpid(-1) that takes the number
 * for a worker's.
 *
 * So a child of the host makes the program's process and is gone before
 * shim_spawn returns; the program is then a child of init. The child has no
 * exit signal: there is no SIGCHLD, whatever the host has decided about that
 * one, and waitpid finds no child without __WALL or __WCLONE. The program's
 * process is made by the same flags; execve makes SIGCHLD its exit signal
 * again, which by then is init's.
 *
 * Both run in the host's memory (CLONE_VM) while whoever made them is stopped
 * (CLONE_VFORK). That costs the same in a host of any size, and is how errno
 * comes back. Between them and the exec is nothing but system calls: this
 * thread may hold any lock, and other threads of the host go on. The calls are
 * made by number, since the C library's functions may be points of
 * cancellation, and refuse to touch the signals that it keeps for itself.
 */
#include "state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum {
	CHILD_STACK = 64 * 1024,
	KERNEL_SIGSET = 8, /* bytes of a signal set, for the kernel */
	PRIVATE_UMASK = 077,
};

/* What the three of them share. */
struct errand {
	const char *program;
	char *const *argv;
	char *const *envp;
	char *program_stack; /* its upper end */
	int error;           /* ECANCELED until exec has been reached */
};

int shim_raised_privileges(void)
{
	uid_t uid[3];
	gid_t gid[3];

	return getauxval(AT_SECURE) != 0 || getresuid(&uid[0], &uid[1], &uid[2]) != 0 || uid[0] != uid[1] ||
	       uid[0] != uid[2] || getresgid(&gid[0], &gid[1], &gid[2]) != 0 || gid[0] != gid[1] || gid[0] != gid[2];
}

/* default_signals undoes what exec would leave: what is ignored, and what is
 * blocked. The actions come first: no handler of the host may run here. */
static int default_signals(void)
{
	static const uint64_t none = 0;
	static const uint64_t by_default[8]; /* the kernel's struct sigaction: all zero is SIG_DFL */

	for (int signal = 1; signal <= MAX_SIGNAL; signal++)
		syscall(SYS_rt_sigaction, signal, by_default, NULL, KERNEL_SIGSET);
	return syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, KERNEL_SIGSET) == 0;
}

static int number(const char *text)
{
	int n = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		n = 10 * n + (*text - '0');
	return *text == '\0' ? n : -1;
}

/* close_listed is for kernels and filters without close_range. What it cannot
 * list it cannot close, and then the program must not run. */
static int close_listed(void)
{
	char entries[2048] __attribute__((aligned(8)));
	long directory, length;

	for (int fd = 0; fd <= STDERR_FILENO; fd++) /* room for one, at the limit */
		syscall(SYS_close, fd);
	directory = syscall(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (directory < 0)
		return 0;
	while ((length = syscall(SYS_getdents64, directory, entries, sizeof entries)) > 0) {
		for (long at = 0; at < length;) {
			const struct dirent64 *entry = (const struct dirent64 *)(entries + at);
			int fd = number(entry->d_name);

			if (fd >= 0 && fd != directory)
				syscall(SYS_close, fd);
			at += entry->d_reclen;
		}
	}
	syscall(SYS_close, directory);
	return length == 0;
}

static int close_everything(void)
{
	return syscall(SYS_close_range, 0U, ~0U, 0U) == 0 || close_listed();
}

/* open_null makes descriptors 0, 1 and 2, the first ones that are free. */
static int open_null(void)
{
	return syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0) == STDIN_FILENO &&
	       syscall(SYS_dup, STDIN_FILENO) == STDOUT_FILENO && syscall(SYS_dup, STDIN_FILENO) == STDERR_FILENO;
}

static int run_program(void *argument)
{
	struct errand *errand = argument;

	syscall(SYS_umask, PRIVATE_UMASK);
	if (syscall(SYS_setsid) >= 0 && close_everything() && open_null() && syscall(SYS_chdir, "/") == 0 &&
	    default_signals()) {
		errand->error = 0;
		syscall(SYS_execve, errand->program, errand->argv, errand->envp);
	}
	errand->error = errno;
	return 1;
}

static void reap(pid_t pid)
{
	while (syscall(SYS_wait4, pid, NULL, __WALL, NULL) < 0 && errno == EINTR)
		;
}

/* in_between makes the program's process, and leaves it to init: but not a
 * failed one, which a host that stands in for init would be told of. */
static int in_between(void *argument)
{
	struct errand *errand = argument;
	pid_t pid = clone(run_program, errand->program_stack, CLONE_VM | CLONE_VFORK, errand);

	if (pid < 0)
		errand->error = errno;
	else if (errand->error != 0)
		reap(pid);
	return 0;
}

/* make_stacks maps two stacks with a page below each that faults. */
static char *make_stacks(size_t guard, size_t size)
{
	char *stacks = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (stacks == MAP_FAILED)
		return NULL;
	if (mprotect(stacks, guard, PROT_NONE) == 0 && mprotect(stacks + size, guard, PROT_NONE) == 0)
		return stacks;
	munmap(stacks, 2 * size);
	return NULL;
}

int shim_spawn(const char *program, char *const argv[], char *const envp[])
{
	static const uint64_t all = ~(uint64_t)0;
	size_t guard = (size_t)sysconf(_SC_PAGESIZE), size = guard + CHILD_STACK;
	struct errand errand = {.program = program, .argv = argv, .envp = envp, .error = ECANCELED};
	uint64_t mask;
	char *stacks;
	pid_t pid;

	if (shim_raised_privileges())
		return EPERM;
	if (program[0] != '/')
		return EINVAL;
	stacks = make_stacks(guard, size);
	if (stacks == NULL)
		return ENOMEM;
	errand.program_stack = stacks + 2 * size;
	/* No handler of the host may run in the children, which have its memory. */
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &mask, KERNEL_SIGSET);
	pid = clone(in_between, stacks + size, CLONE_VM | CLONE_VFORK, &errand);
	if (pid < 0)
		errand.error = errno;
	else
		reap(pid);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, KERNEL_SIGSET);
	munmap(stacks, 2 * size);
	return errand.error;
}
