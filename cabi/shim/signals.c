/*
 * The host's signals and Go's.
 *
 * Go assumes that every handler in the process was installed with SA_ONSTACK
 * and that its threads may take any signal. In a foreign process neither holds.
 * So no handler of the host ever runs on a goroutine's stack that has no room
 * for it: Go's threads start with everything blocked, and a host thread blocks
 * everything in its first call, which makes its goroutine's stack large (package
 * cabi/wide). Except the signals that a fault raises in the thread itself: Go
 * turns those into panics, and blocked they would kill the process.
 *
 * Blocking costs two system calls, which is more than most calls into this
 * library take themselves; hence only the first.
 */
#include "state.h"

#include <string.h>

/* Handlers that Go keeps. It installs them for its own faults and hands on the
 * host's. */
static const int fault_signals[] = {SIGSEGV, SIGBUS, SIGFPE};

/* Never blocked: raised by the thread's own instructions. */
static const int synchronous_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int is_fault_signal(int signal)
{
	for (size_t i = 0; i < COUNT(fault_signals); i++)
		if (fault_signals[i] == signal)
			return 1;
	return 0;
}

void signals_init(void)
{
	sigfillset(&shim_state->go_mask);
	for (size_t i = 0; i < COUNT(synchronous_signals); i++)
		sigdelset(&shim_state->go_mask, synchronous_signals[i]);
}

/* A row of the Go runtime's signal table, runtime.sigTabT. */
struct sigtable_row {
	int32_t flags;
	const char *name;
	size_t name_length;
};

enum { GO_UNBLOCK = 128 }; /* runtime._SigUnblock: Go's threads never block it */

/* Rows by which the table is recognized: enough of it that nothing else fits. */
static const struct {
	int signal;
	const char *name;
	int unblock;
} known_rows[] = {
	{1, "SIGHUP: ", 0},   {7, "SIGBUS: ", 1},   {11, "SIGSEGV: ", 1},
	{14, "SIGALRM: ", 0}, {17, "SIGCHLD: ", 1}, {27, "SIGPROF: ", 1},
};

static int is_sigtable(const struct sigtable_row *table)
{
	const struct image *image = &shim_state->image;

	for (size_t i = 0; i < COUNT(known_rows); i++) {
		const struct sigtable_row *row = &table[known_rows[i].signal];
		size_t length = strlen(known_rows[i].name);

		if (row->name_length < length || row->name_length > 64)
			return 0;
		if (row->name < image->low || row->name + row->name_length > image->high)
			return 0;
		if (memcmp(row->name, known_rows[i].name, length) != 0)
			return 0;
		if (((row->flags & GO_UNBLOCK) != 0) != known_rows[i].unblock)
			return 0;
	}
	return 1;
}

/* signals_patch_table switches off Go's habit of unblocking SIGCHLD and SIGPROF
 * in its threads, which steals the former from a host that waits for it in
 * sigsuspend, and runs the latter's handler on a goroutine's stack. The table
 * is initialized data; without it the rest of the protection stands. */
void signals_patch_table(void)
{
	struct image *image = &shim_state->image;
	size_t table_size = (MAX_SIGNAL + 1) * sizeof(struct sigtable_row);

	for (int i = 0; i < image->segment_count; i++) {
		struct segment *segment = &image->segments[i];
		char *end = segment->start + segment->file_size;
		char *at = (char *)(((size_t)segment->start + 7) & ~(size_t)7);

		for (; at + table_size <= end; at += 8) {
			struct sigtable_row *table = (struct sigtable_row *)at;

			if (!is_sigtable(table))
				continue;
			table[SIGCHLD].flags &= ~GO_UNBLOCK;
			table[SIGPROF].flags &= ~GO_UNBLOCK;
			shim_state->sigtable_patched = 1;
			return;
		}
	}
}

static int is_ours(const struct sigaction *action)
{
	return image_contains_code(&shim_state->image, (const void *)action->sa_sigaction);
}

static int is_function(const struct sigaction *action)
{
	return action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN;
}

/* signals_before_start notes the host's actions and, in a child, takes the dead
 * runtime's handlers out of the chain. Where the host has since put a handler
 * of its own over Go's, Go is shown the one that was there before it: else the
 * two would hand a fault to each other for ever. */
void signals_before_start(void)
{
	struct sigaction *found = shim_state->found_actions;

	for (int signal = 1; signal <= MAX_SIGNAL; signal++) {
		struct sigaction *host = &shim_state->host_actions[signal];

		if (sigaction(signal, NULL, &found[signal]) != 0)
			continue;
		if (is_ours(&found[signal]))
			sigaction(signal, host, NULL);
		else if (is_fault_signal(signal) && shim_state->restarting && is_function(&found[signal]))
			sigaction(signal, host, NULL);
		else
			*host = found[signal];
	}
}

static int same(const struct sigaction *a, const struct sigaction *b)
{
	return a->sa_sigaction == b->sa_sigaction && a->sa_flags == b->sa_flags;
}

/* signals_after_start gives back every handler but those for faults. Go puts
 * SA_ONSTACK on the host's handlers, which it need not here, and which breaks
 * the ones that scan the interrupted thread's stack; and it takes SIGPIPE and
 * SIGURG, of which it needs neither. Returns whether Go did start. */
int signals_after_start(void)
{
	const struct sigaction *found = shim_state->found_actions;
	int started = 1;

	for (int signal = 1; signal <= MAX_SIGNAL; signal++) {
		struct sigaction now;

		if (sigaction(signal, NULL, &now) != 0)
			continue;
		if (is_fault_signal(signal)) {
			int layered = shim_state->restarting && is_function(&found[signal]) &&
				      !is_ours(&found[signal]);

			started = started && is_ours(&now);
			if (layered)
				sigaction(signal, &found[signal], NULL);
			continue;
		}
		if (!same(&now, &shim_state->host_actions[signal]))
			sigaction(signal, &shim_state->host_actions[signal], NULL);
	}
	return started;
}

/* signals_mask: everything is blocked that the thread's own instructions do not raise. */
void signals_mask(struct shim_call *call)
{
	pthread_sigmask(SIG_BLOCK, &shim_state->go_mask, &call->mask);
	call->pipe_pending = 0;
	if (sigismember(&call->mask, SIGPIPE)) {
		sigset_t pending;

		call->pipe_pending = sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE);
	}
}

/* discard_sigpipe drops the SIGPIPE of a write that this call made to a broken
 * connection: with the host's default action it would kill the host. */
static void discard_sigpipe(const struct shim_call *call)
{
	static const struct timespec at_once = {0, 0};
	sigset_t set;

	if (call->pipe_pending || sigpending(&set) != 0 || !sigismember(&set, SIGPIPE))
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigtimedwait(&set, NULL, &at_once);
}

void signals_unmask(const struct shim_call *call)
{
	discard_sigpipe(call);
	pthread_sigmask(SIG_SETMASK, &call->mask, NULL);
}
