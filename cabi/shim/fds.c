/*
 * Descriptors that a forked child must not share with its parent: connections
 * on which the peer knows the parent, by its credentials and its session.
 *
 * The rows are what a child reads, and it may have been forked while a thread
 * that it does not have was in the midst of writing: a row counts only once it
 * is complete. The lists that lead to rows are used under the lock alone, and a
 * child begins them anew.
 */
#include "state.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Lists are of row numbers plus one, so that all zero is empty. */
static uint16_t *bucket(int fd)
{
	return &shim_state->fds.buckets[(unsigned)fd % FD_BUCKETS];
}

static struct kept_fd *row_at(uint16_t link)
{
	return &shim_state->fds.rows[link - 1];
}

/* take_row takes a row that was given back, else the next that never was used:
 * 0 if there is none. */
static uint16_t take_row(struct fd_table *table)
{
	uint16_t link = table->free;
	int touched = atomic_load(&table->touched);

	if (link != 0) {
		table->free = row_at(link)->next;
		return link;
	}
	if (touched == MAX_FDS)
		return 0;
	atomic_store(&table->touched, touched + 1);
	return (uint16_t)(touched + 1);
}

int shim_keep_fd(int fd)
{
	struct fd_table *table = &shim_state->fds;
	struct stat status;
	uint16_t link;

	if (fstat(fd, &status) != 0)
		return -1;
	pthread_mutex_lock(&table->lock);
	link = take_row(table);
	if (link != 0) {
		struct kept_fd *row = row_at(link);

		row->fd = fd;
		row->dev = status.st_dev;
		row->ino = status.st_ino;
		row->next = *bucket(fd);
		*bucket(fd) = link;
		atomic_store(&row->used, 1);
	}
	pthread_mutex_unlock(&table->lock);
	return link != 0 ? 0 : -1;
}

void shim_drop_fd(int fd)
{
	struct fd_table *table = &shim_state->fds;
	uint16_t *link;

	pthread_mutex_lock(&table->lock);
	for (link = bucket(fd); *link != 0;) {
		struct kept_fd *row = row_at(*link);
		uint16_t dropped = *link;

		if (row->fd != fd) {
			link = &row->next;
			continue;
		}
		atomic_store(&row->used, 0);
		*link = row->next;
		row->next = table->free;
		table->free = dropped;
	}
	pthread_mutex_unlock(&table->lock);
}

/* fds_close_all runs in a child: after fork(), and before Go is restarted, which
 * also sees the children of clone(). The host may have
 * closed a descriptor and reused its number: only what is still the same file
 * is closed. */
void fds_close_all(void)
{
	struct fd_table *table = &shim_state->fds;
	int touched = atomic_load(&table->touched);

	for (int i = 0; i < touched; i++) {
		struct kept_fd *row = &table->rows[i];
		struct stat status;

		if (!atomic_exchange(&row->used, 0))
			continue;
		if (fstat(row->fd, &status) == 0 && status.st_dev == row->dev && status.st_ino == row->ino)
			close(row->fd);
	}
	memset(table->buckets, 0, sizeof table->buckets);
	table->free = 0;
	atomic_store(&table->touched, 0);
	/* A thread that is not in this process may have held the lock. */
	table->lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}
