/*
 * path LIBRARY: the library knows the path of its file, also when it was loaded
 * by a part of it, and when a private copy works in its place.
 */
#include <limits.h>

#include "host.h"

static void check_path(const struct table *table, const char *library)
{
	char expected[PATH_MAX], found[PATH_MAX];

	CHECK(table->Library()[0] == '/');
	CHECK(realpath(library, expected) != NULL && realpath(table->Library(), found) != NULL);
	if (strcmp(expected, found) == 0)
		return;
	fprintf(stderr, "%s, not %s\n", found, expected);
	_exit(1);
}

int main(int argc, char **argv)
{
	char home[PATH_MAX], *library, *name, relative[PATH_MAX];
	const struct table *table;
	pid_t pid;

	CHECK(argc == 2 && getcwd(home, sizeof home) != NULL);
	library = strdup(argv[1]);
	name = strrchr(library, '/');
	CHECK(name != NULL);
	*name = '\0';
	CHECK(chdir(library) == 0);
	snprintf(relative, sizeof relative, "./%s", name + 1);
	table = load(relative);
	CHECK(chdir(home) == 0);
	check_path(table, argv[1]);
	CHECK(table->Init() == 0);
	check_path(table, argv[1]);
	pid = fork();
	if (pid == 0) {
		CHECK(table->Init() == 0);
		check_path(table, argv[1]);
		_exit(0);
	}
	CHECK(wait_child(pid) == 0);
	free(library);
	return 0;
}
