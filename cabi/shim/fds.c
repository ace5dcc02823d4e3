/*
 * Descriptors that a forked child must not share with its parent: connections
 * on which the peer knows the parent, by its credentials and its session.
 */
#include "state.h"

#include <sys/stat.h>
#include <unistd.h>

/* The table is written by threads of the parent while another of them forks,
 * so a row counts only once it is complete. */
static pthread_mutex_t *table_lock(void)
{
	return &shim_state->fd_lock;
}

int shim_keep_fd(int fd)
{
	struct stat status;
	int result = -1;

	if (fstat(fd, &status) != 0)
		return -1;
	pthread_mutex_lock(table_lock());
	for (int i = 0; i < MAX_FDS && result != 0; i++) {
		struct kept_fd *row = &shim_state->fds[i];

		if (atomic_load(&row->used))
			continue;
		row->fd = fd;
		row->dev = status.st_dev;
		row->ino = status.st_ino;
		atomic_store(&row->used, 1);
		result = 0;
	}
	pthread_mutex_unlock(table_lock());
	return result;
}

void shim_drop_fd(int fd)
{
	pthread_mutex_lock(table_lock());
	for (int i = 0; i < MAX_FDS; i++)
		if (atomic_load(&shim_state->fds[i].used) && shim_state->fds[i].fd == fd)
			atomic_store(&shim_state->fds[i].used, 0);
	pthread_mutex_unlock(table_lock());
}

/* fds_close_all runs in a child before Go is restarted. The host may have
 * closed a descriptor and reused its number: only what is still the same file
 * is closed. */
void fds_close_all(void)
{
	for (int i = 0; i < MAX_FDS; i++) {
		struct kept_fd *row = &shim_state->fds[i];
		struct stat status;

		if (!atomic_exchange(&row->used, 0))
			continue;
		if (fstat(row->fd, &status) == 0 && status.st_dev == row->dev && status.st_ino == row->ino)
			close(row->fd);
	}
	/* A thread that is not in this process may have held the lock. */
	shim_state->fd_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}
