/*
 * confined LIBRARY KIND [DIRECTORY]: a child that has given up what it had when
 * the library was loaded. LIBRARY is a copy that the test may spoil.
 */
#include <fcntl.h>
#include <grp.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "host.h"

static const char *library;

static void close_everything(void)
{
	/* standard error stays, to say what fails */
	close(0);
	close(1);
	CHECK(close_range(3, ~0U, 0) == 0);
}

/* Numbers are reused by files of the child's own, which must stay open. */
static void close_and_reuse(void)
{
	close_everything();
	for (int i = 0; i < 64; i++)
		CHECK(open("/dev/null", O_RDWR) >= 0);
}

static void other_user(void)
{
	CHECK(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
}

static void no_new_privileges(void)
{
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_DUMPABLE, 0) == 0);
	other_user();
}

/* An empty root: no /proc, no /tmp, nothing. */
static void empty_root(void)
{
	char directory[] = "/tmp/shim-root-XXXXXX";

	CHECK(mkdtemp(directory) != NULL && chroot(directory) == 0 && chdir("/") == 0);
}

static void empty_root_of_other_user(void)
{
	empty_root();
	other_user();
}

static void library_deleted(void) { CHECK(unlink(library) == 0); }

static void library_replaced(void)
{
	char name[4096];
	int fd;

	snprintf(name, sizeof name, "%s.new", library);
	fd = open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644);
	CHECK(fd >= 0 && write(fd, "junk", 4) == 4 && close(fd) == 0 && rename(name, library) == 0);
}

static void little_stack(void)
{
	struct rlimit limit = {128 << 10, 128 << 10};

	CHECK(setrlimit(RLIMIT_STACK, &limit) == 0);
}

static void no_core_no_lock(void)
{
	struct rlimit limit = {0, 0};

	CHECK(setrlimit(RLIMIT_CORE, &limit) == 0 && setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
}

static const struct {
	const char *name;
	void (*confine)(void);
} kinds[] = {
	{"close-everything", close_everything},
	{"close-and-reuse", close_and_reuse},
	{"other-user", other_user},
	{"no-new-privileges", no_new_privileges},
	{"empty-root", empty_root},
	{"empty-root-of-other-user", empty_root_of_other_user},
	{"library-deleted", library_deleted},
	{"library-replaced", library_replaced},
	{"little-stack", little_stack},
	{"no-core-no-lock", no_core_no_lock},
};

static void (*find(const char *name))(void)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return kinds[i].confine;
	CHECK(!"known kind");
	return NULL;
}

int main(int argc, char **argv)
{
	const struct table *table;
	struct busy busy;
	void (*confine)(void);
	pid_t pid;

	CHECK(argc == 3);
	library = argv[1];
	confine = find(argv[2]);
	table = load(library);
	CHECK(table->Init() == 0);
	busy_start(&busy, table, 2);
	pid = fork();
	if (pid == 0) {
		confine();
		CHECK(table->Init() == 0 && table->Work(6) == 6 && table->Panic() == 1);
		pid = fork();
		if (pid == 0) {
			CHECK(table->Init() == 0 && table->Work(6) == 6);
			_exit(0);
		}
		CHECK(wait_child(pid) == 0 && table->Work(6) == 6);
		_exit(0);
	}
	CHECK(wait_child(pid) == 0);
	busy_stop(&busy);
	return 0;
}
