/*
 * Starting Go: at the first C_Initialize, and again in a forked child.
 *
 * fork() leaves a child one thread of a runtime that needs all of them. What
 * the child can do is begin again: the writable segment is put back to its
 * first contents, and Go's init entry is run once more, by the same code that
 * ran it the first time.
 */
#include "state.h"

#include <time.h>
#include <unistd.h>

int shim_running(void)
{
	return running();
}

int shim_in_child(void)
{
	return shim_state->dirty && !running();
}

/* The lock is in the wiped page: a child finds it free, whoever held it. */
static void lock(void)
{
	const struct timespec pause = {0, 200 * 1000};

	while (atomic_exchange_explicit(&shim_state->wiped->lock, 1, memory_order_acquire))
		nanosleep(&pause, NULL);
}

static void unlock(void)
{
	atomic_store_explicit(&shim_state->wiped->lock, 0, memory_order_release);
}

void start_mark_running(void)
{
	shim_state->owner = getpid();
	atomic_store_explicit(&shim_state->wiped->running, 1, memory_order_release);
}

/* start_prepare saves what a later restart restores. Before Go's first start
 * only. */
int start_prepare(void)
{
	if (shim_state->image.saved)
		return 1;
	signals_patch_table();
	return image_save(&shim_state->image);
}

/* bury takes out of the child what the parent's Go left in it. */
static void bury(void)
{
	fds_close_all();
	thread_forget_key();
	image_restore(&shim_state->image);
}

static void run_entries(char **arguments)
{
	for (int i = 0; i < shim_state->entry_count; i++)
		shim_state->entries[i](1, arguments, arguments + 2);
}

/* start_go runs with the lock held and every signal blocked; Go's threads
 * inherit that. */
static int start_go(void)
{
	int result = limits_check();
	char **arguments;

	if (result != SHIM_OK)
		return result;
	if (!start_prepare())
		return SHIM_NO_MEMORY;
	arguments = arguments_make();
	if (arguments == NULL)
		return SHIM_NO_MEMORY;
	thread_register_atfork();
	shim_state->restarting = shim_state->dirty;
	signals_before_start();
	if (shim_state->restarting)
		bury();
	shim_state->dirty = 1;
	atomic_fetch_add_explicit(&shim_state->generation, 1, memory_order_release);
	run_entries(arguments);
	return signals_after_start() ? SHIM_OK : SHIM_BROKEN;
}

static int start(void)
{
	sigset_t all, mask;
	int result;

	if (shim_state->stillborn)
		return SHIM_NO_MEMORY;
	if (shim_state->failure != NULL && shim_state->dirty)
		return fallback_load();
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &mask);
	result = start_go();
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	if (result == SHIM_OK)
		start_mark_running();
	return result;
}

int shim_ready(void)
{
	int result = SHIM_OK;

	if (running())
		return SHIM_OK;
	if (thread_in_call())
		return SHIM_IN_CALLBACK;
	lock();
	if (!running())
		result = start();
	shim_state->last = result;
	unlock();
	return result;
}
