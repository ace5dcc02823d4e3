/*
 * Can this process have what Go needs? The runtime aborts the process where
 * memory or a thread is refused to it, so ask first, and let C_Initialize
 * answer with an error.
 */
#include "state.h"

#include <limits.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	/* Threads of a runtime at work: its monitor, its first, the template
	 * thread, and workers of the collector. */
	THREADS_NEEDED = 8,
	/* Its epoll and the event that wakes it, and one to read with. */
	FILES_NEEDED = 3,
	/* Go runs its scheduler on the stacks of its threads. */
	THREAD_STACK_NEEDED = 64 * 1024,
};

/* Address space: a runtime at work occupies 1.6 GiB, nearly all of it reserved
 * and never touched: its maps of the heap, the stacks of its threads and the C
 * library's heaps for these. */
static const size_t address_space_needed = (size_t)2 << 30;

static void *wait_for_release(void *release)
{
	pthread_mutex_lock(release);
	pthread_mutex_unlock(release);
	return NULL;
}

static int threads_allowed(void)
{
	pthread_mutex_t release = PTHREAD_MUTEX_INITIALIZER;
	pthread_t threads[THREADS_NEEDED];
	int made = 0;

	/* All at once: each must be had while the others live. The first thread
	 * of a process also makes the C library install its own handlers, which
	 * Go must find in place when it starts. */
	pthread_mutex_lock(&release);
	while (made < THREADS_NEEDED && __real_pthread_create(&threads[made], NULL, wait_for_release, &release) == 0)
		made++;
	pthread_mutex_unlock(&release);
	for (int i = 0; i < made; i++)
		pthread_join(threads[i], NULL);
	return made == THREADS_NEEDED;
}

static int thread_stacks_suffice(void)
{
	pthread_attr_t attributes;
	size_t size = 0;

	if (pthread_getattr_default_np(&attributes) != 0)
		return 0;
	pthread_attr_getstacksize(&attributes, &size);
	pthread_attr_destroy(&attributes);
	return size >= THREAD_STACK_NEEDED;
}

static int files_allowed(void)
{
	int fds[FILES_NEEDED], made = 0;

	while (made < FILES_NEEDED && (fds[made] = eventfd(0, EFD_CLOEXEC)) >= 0)
		made++;
	for (int i = 0; i < made; i++)
		close(fds[i]);
	return made == FILES_NEEDED;
}

int limits_check(void)
{
	void *space;
	int threads;

	if (!thread_stacks_suffice())
		return SHIM_NO_STACK;
	if (!files_allowed())
		return SHIM_NO_FILES;
	space = mmap(NULL, address_space_needed, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (space == MAP_FAILED)
		return SHIM_NO_MEMORY;
	threads = threads_allowed();
	munmap(space, address_space_needed);
	return threads ? SHIM_OK : SHIM_NO_THREADS;
}
