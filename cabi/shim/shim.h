/*
 * Go inside a foreign process: what the C_* stubs call. See FORK.md.
 *
 * A stub has this shape, C_Initialize excepted:
 *
 *	CK_RV C_Sign(...)
 *	{
 *		const CK_FUNCTION_LIST_3_2 *copy = shim_forward();
 *		if (copy != NULL)
 *			return copy->C_Sign(...);
 *		struct shim_call call;
 *		int entered = shim_enter(&call);
 *		if (entered != SHIM_OK)
 *			return entered == SHIM_NOT_RUNNING ? CKR_CRYPTOKI_NOT_INITIALIZED : CKR_HOST_MEMORY;
 *		CK_RV rv = goC_Sign(...);
 *		shim_leave(&call);
 *		return rv;
 *	}
 *
 * C_Initialize makes Go usable first, before it looks at any state of its own
 * (in a forked child that still says "initialized"), and is where such a child
 * begins:
 *
 *	if (shim_forward() == NULL) {
 *		int ready = shim_ready();
 *		if (ready == SHIM_COPY)
 *			shim_forward_to(function list 3.2 out of shim_copy_symbol("C_GetInterface"));
 *		else if (ready != SHIM_OK)
 *			return ready == SHIM_NO_THREADS ? CKR_CANT_LOCK : CKR_HOST_MEMORY;
 *	}
 *	... and then as above.
 *
 * The Go function runs all that it does in wide.Run (package cabi/wide), which
 * gives the goroutine's stack room for the host's signal handlers. Where that
 * cannot be had, build with -DSHIM_ALWAYS_MASK.
 *
 * C_GetFunctionList, C_GetInterface and C_GetInterfaceList answer from constant
 * C data and need none of this: they work before Go runs.
 *
 * C variables of this library revert to their values of before Go's first start
 * when Go is restarted in a child. State that must outlive that has no place
 * in a stub.
 */
#ifndef NCRYPT11_SHIM_H
#define NCRYPT11_SHIM_H

#include <signal.h>

#pragma GCC visibility push(hidden)

enum shim_result {
	SHIM_OK = 0,
	SHIM_NOT_RUNNING, /* Go does not run in this process: C_Initialize has not been called in it */
	SHIM_NO_MEMORY,   /* address space or lockable memory too small for a Go runtime */
	SHIM_NO_THREADS,  /* the process may not have the threads that Go needs */
	SHIM_NO_FILES,    /* no descriptors left for those that Go needs */
	SHIM_NO_STACK,    /* too little stack: of this thread, or for new threads */
	SHIM_IN_CALLBACK, /* a child forked inside one of our callbacks cannot restart what it stands in */
	SHIM_COPY,        /* use the private copy: shim_copy_symbol, shim_forward_to */
	SHIM_BROKEN       /* neither restart nor copy is possible; shim_status says why */
};

/* What a call into Go changes about its thread, to be put back. */
struct shim_call {
	sigset_t mask;
	int masked;
	int cancel_state, cancel_type;
	int pipe_pending;
};

/* shim_running: may Go be entered in this process? False before the first
 * shim_ready, and in a forked child until its own. */
int shim_running(void);

/* shim_in_child: is this a forked child in which the parent's Go is dead and
 * has not been restarted? */
int shim_in_child(void);

/* shim_ready starts Go, or restarts it in a forked child, or does nothing
 * where it runs. Safe to call from any number of threads. */
int shim_ready(void);

/* shim_enter and shim_leave surround every call into Go. Any answer other than
 * SHIM_OK means: do not call Go, do not call shim_leave. */
__attribute__((warn_unused_result)) int shim_enter(struct shim_call *call);
void shim_leave(struct shim_call *call);

/* The private copy, used where Go cannot be restarted in place. From the moment
 * shim_forward_to has been called every stub forwards to the copy, whose
 * functions go through a shim of their own. */
const void *shim_forward(void);
void shim_forward_to(const void *table);
void *shim_copy_symbol(const char *name);

/* shim_keep_fd names a descriptor that a forked child must not share with its
 * parent, shim_drop_fd takes it back: the ones named are closed in a child of
 * fork() at once, and in one of clone() when Go is restarted there. Returns 0,
 * or -1 if the table is full or fd invalid. */
int shim_keep_fd(int fd);
void shim_drop_fd(int fd);

/* shim_spawn starts a program by its absolute path, so that the host does not
 * notice: no SIGCHLD, no child to wait for, nothing of the host's in it. It gets
 * a session of its own, /dev/null as descriptors 0 to 2 and no others, / as its
 * directory, every signal as by default, and a umask of 077. Returns 0 once the
 * program runs, or errno; EPERM in a process with raised privileges. */
int shim_spawn(const char *program, char *const argv[], char *const envp[]);

/* shim_raised_privileges: by exec (set-user-id, file capabilities), or with a
 * real identity that is not the effective one, which the program could take
 * back. */
int shim_raised_privileges(void);

/* shim_library is the absolute path that this library was loaded from; empty
 * where it is part of a program. */
const char *shim_library(void);

/* shim_status describes, in one line, how Go is run here and what failed. */
const char *shim_status(void);

#pragma GCC visibility pop

#endif
