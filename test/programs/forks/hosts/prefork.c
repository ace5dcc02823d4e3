/*
 * A server as PHP-FPM and uWSGI are: the master initializes the module, logs in,
 * and forks eight workers, each of which begins anew and serves: a client sends a
 * name and gets its signature. The socket is the argument MODE. COUNT times a worker is
 * killed, at work or not, and another one takes its place; then the server ends.
 */
#include "host.h"

#include <sys/socket.h>
#include <sys/un.h>

enum { WORKERS = 8 };

static int listener, ready[2];

static void listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	CHECK(strlen(path) < sizeof address.sun_path);
	strcpy(address.sun_path, path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 64) == 0);
}

/* serve answers one client, who may have gone. */
static void serve(int client, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
	char name[65], digits[130];
	CK_BYTE signature[64];
	ssize_t length = read(client, name, sizeof name - 1);

	if (length > 0) {
		name[length] = 0;
		sign(session, key, name, signature);
		hexadecimal(digits, signature, sizeof signature);
		digits[128] = '\n';
		if (send(client, digits, 129, MSG_NOSIGNAL) != 129)
			dprintf(2, "a client has gone\n");
	}
	close(client);
}

static void work(void)
{
	CK_SESSION_HANDLE session = begin_and_sign("worker");
	CK_OBJECT_HANDLE key = find_key(session);

	CHECK(write(ready[1], "x", 1) == 1);
	for (;;) {
		int client = accept(listener, NULL, NULL);

		CHECK(client >= 0);
		serve(client, session, key);
	}
}

static pid_t start_worker(void)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0)
		work();
	return pid;
}

static void await_worker(void)
{
	char said;

	alarm(HANG_SECONDS);
	CHECK(read(ready[0], &said, 1) == 1);
	alarm(0);
}

static void end_worker(pid_t pid, int how)
{
	int status;

	CHECK(kill(pid, how) == 0);
	status = wait_child(pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == how);
}

int main(int argc, char **argv)
{
	CK_SESSION_HANDLE session;
	pid_t workers[WORKERS];

	host_arguments(argc, argv);
	CHECK(pipe(ready) == 0);
	listen_at(host.mode);
	host_load();
	session = begin_and_sign("master");
	for (int i = 0; i < WORKERS; i++)
		workers[i] = start_worker();
	for (int i = 0; i < WORKERS; i++)
		await_worker();
	for (int round = 0; round < host.count; round++) {
		end_worker(workers[round % WORKERS], round % 3 ? SIGKILL : SIGTERM);
		workers[round % WORKERS] = start_worker();
		await_worker();
	}
	sign_as("master", session, find_key(session));
	for (int i = 0; i < WORKERS; i++)
		end_worker(workers[i], SIGTERM);
	return 0;
}
