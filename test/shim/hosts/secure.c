/*
 * secure LIBRARY: a program with raised privileges, whose environment is its
 * caller's and must not reach Go. Run as root, it becomes such a program.
 */
#include <sys/auxv.h>

#include "host.h"

int main(int argc, char **argv)
{
	const struct table *table;

	CHECK(argc == 2);
	CHECK(setenv("TESTLIB_1", "yes", 1) == 0);
	if (getuid() == 0) {
		CHECK(setresuid(65534, 0, 0) == 0);
		execv("/proc/self/exe", argv);
		CHECK(!"executed");
	}
	CHECK(getauxval(AT_SECURE) == 1);
	table = load(argv[1]);
	CHECK(table->Init() == 0 && table->Work(5) == 5);
	CHECK(table->HasEnv(1) == 0);
	CHECK(table->Spawn("/bin/true", (char *[]){"true", NULL}, (char *[]){NULL}) == EPERM);
	return 0;
}
