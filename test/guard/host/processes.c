/* Forks, as a server makes them. */
#include "host.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

static void become(int fd, const char *path, int flags)
{
	int opened = open(path, flags | O_CLOEXEC);

	if (opened < 0 || dup2(opened, fd) != fd)
		give_up("the child's lines cannot be opened");
	close(opened);
}

/* fork INPUT OUTPUT: the child goes on with lines from one FIFO and answers on the other */
static CK_RV fork_child(struct line *l)
{
	const char *input = word(l), *output = word(l);
	pid_t pid = fork();

	if (pid == 0) {
		become(STDIN_FILENO, input, O_RDONLY);
		become(STDOUT_FILENO, output, O_WRONLY);
	}
	tell_number((CK_ULONG)pid);
	return pid < 0 ? CKR_HOST_MEMORY : CKR_OK;
}

/* wait PID: its status */
static CK_RV wait_child(struct line *l)
{
	int status = -1;

	if (waitpid((pid_t)number(l), &status, 0) < 0)
		return CKR_ARGUMENTS_BAD;
	tell_number((CK_ULONG)status);
	return CKR_OK;
}

const struct verb process_verbs[] = {
	{"fork", fork_child}, {"wait", wait_child},
	{NULL, NULL},
};
