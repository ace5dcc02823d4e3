/*
 * report FILE [ARGUMENTS]: what a program finds that was started from inside a
 * host, one fact a line. FILE appears when all of it is written.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "host.h"

static void report_descriptors(FILE *out)
{
	DIR *directory = opendir("/proc/self/fd");

	CHECK(directory != NULL);
	for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
		char path[300], target[300];
		int fd = atoi(entry->d_name);
		ssize_t length;

		if (entry->d_name[0] == '.' || fd == dirfd(directory) || fd == fileno(out))
			continue;
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		length = readlink(path, target, sizeof target - 1);
		CHECK(length > 0);
		target[length] = '\0';
		fprintf(out, "descriptor %d %s\n", fd, target);
	}
	closedir(directory);
}

/* Signals as the kernel has them, the ones that the C library hides among them. */
static void report_signals(FILE *out)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[300];

	CHECK(status != NULL);
	while (fgets(line, sizeof line, status) != NULL)
		if (strncmp(line, "SigBlk:", 7) == 0 || strncmp(line, "SigIgn:", 7) == 0 || strncmp(line, "SigCgt:", 7) == 0)
			fputs(line, out);
	fclose(status);
}

int main(int argc, char **argv, char **envp)
{
	char temporary[300], cwd[300];
	mode_t mask = umask(022);
	FILE *out;

	CHECK(argc >= 2);
	snprintf(temporary, sizeof temporary, "%s.unfinished", argv[1]);
	out = fopen(temporary, "w");
	CHECK(out != NULL && getcwd(cwd, sizeof cwd) != NULL);
	for (int i = 2; i < argc; i++)
		fprintf(out, "argument %s\n", argv[i]);
	for (int i = 0; envp[i] != NULL; i++)
		fprintf(out, "environment %s\n", envp[i]);
	report_signals(out);
	report_descriptors(out);
	fprintf(out, "directory %s\numask %03o\n", cwd, (unsigned)mask);
	fprintf(out, "leads its session: %s\n", getsid(0) == getpid() && getpgid(0) == getpid() ? "yes" : "no");
	CHECK(fclose(out) == 0 && rename(temporary, argv[1]) == 0);
	return 0;
}
