/*
 * Threads that Go makes after it has started. Refused one, the runtime tries
 * for a fifth of a second and then aborts the process. A service that has
 * reached the limit of its tasks (systemd's TasksMax, a container's pids.max) is
 * refused for longer than that, and should not die of it here: so every
 * pthread_create of this library comes through here, by the linker's --wrap,
 * and waits.
 */
#include "state.h"

#include <errno.h>
#include <time.h>

enum {
	WAIT_MILLISECONDS = 10,
	WAIT_TIMES = 3000, /* half a minute */
};

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument)
{
	const struct timespec wait = {0, WAIT_MILLISECONDS * 1000000L};
	int result = __real_pthread_create(thread, attributes, start, argument);

	for (int i = 0; i < WAIT_TIMES && result == EAGAIN; i++) {
		nanosleep(&wait, NULL);
		result = __real_pthread_create(thread, attributes, start, argument);
	}
	return result;
}
