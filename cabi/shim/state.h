/*
 * What the files of the shim share. Everything that must survive a restart of
 * Go lives in memory of its own: the writable segment of this library, where C
 * variables would live, is put back to its first image then.
 */
#ifndef NCRYPT11_SHIM_STATE_H
#define NCRYPT11_SHIM_STATE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "shim.h"

#pragma GCC visibility push(hidden)

enum {
	MAX_SEGMENTS = 4,
	MAX_ENTRIES = 32,
	MAX_FDS = 1024, /* one for each call that is under way in the guard */
	FD_BUCKETS = 256,
	MAX_PATH = 4096,
	MAX_SIGNAL = 64, /* Linux; _NSIG - 1 */
};

typedef void (*init_entry)(int argc, char **argv, char **envp);

/* A writable stretch of this library. */
struct segment {
	char *start;
	size_t file_size; /* has initial contents */
	size_t mem_size;  /* the rest is zero */
	char *copy;       /* the initial contents, relocated */
};

/* This library in memory, as found at load. */
struct image {
	ElfW(Addr) base;
	const char *path;           /* as the dynamic linker has it */
	char *low, *high;           /* all of it */
	char *text_low, *text_high; /* its code */
	const ElfW(Phdr) *headers;
	int header_count;
	char *relro_low, *relro_high;
	struct segment segments[MAX_SEGMENTS];
	int segment_count;
	init_entry *init_array;
	size_t init_count;
	const char *tls_image;
	size_t tls_file_size, tls_mem_size;
	size_t tls_own_offset; /* of the shim's own variable in the TLS block */
	int executable;        /* a program, not a library */
	int saved;
};

struct kept_fd {
	atomic_int used;
	int fd;
	dev_t dev;
	ino_t ino;
	uint16_t next; /* in its bucket, or among the free */
};

struct fd_table {
	pthread_mutex_t lock;
	atomic_int touched; /* so many rows have ever been used */
	uint16_t free;   /* a list of rows given back */
	uint16_t buckets[FD_BUCKETS];
	struct kept_fd rows[MAX_FDS];
};

/* A page that the kernel clears in every child, however it was made. */
struct wiped {
	atomic_int running; /* Go runs in this process */
	atomic_int lock;    /* held while starting; a child never inherits it held */
};

struct shim_state {
	struct wiped *wiped;
	int wipes;   /* the kernel took MADV_WIPEONFORK */
	pid_t owner; /* of running, where it did not */

	struct image image;
	int stillborn;       /* no memory at load: never started */
	const char *failure; /* the assumption that does not hold: no restart in place */
	int last;            /* result of the last start */

	init_entry entries[MAX_ENTRIES]; /* run to start Go */
	int entry_count;
	int postponed; /* taken away from the dynamic linker */
	int dirty;     /* Go has written to the image: a restart must restore it */
	int restarting;
	atomic_uint generation; /* of Go: 1 is the first start */

	sigset_t go_mask; /* blocked while a thread is inside Go */
	struct sigaction host_actions[MAX_SIGNAL + 1];  /* what Go finds when it starts */
	struct sigaction found_actions[MAX_SIGNAL + 1]; /* what was there just before */
	int sigtable_patched;

	atomic_int key_known;
	pthread_key_t key; /* Go's, whose destructor runs when a thread ends */
	int atfork_registered;

	void *arguments;
	size_t arguments_size;

	char *file; /* the library's file, kept from load for the copy */
	size_t file_size;
	void *copy;
	_Atomic(const void *) forward;

	char status[256];
	char library[2 * MAX_PATH]; /* the file that this library was loaded from */
	struct fd_table fds;
};

extern struct shim_state *shim_state;

/* running is asked by every call: two loads. */
static inline int running(void)
{
	if (!atomic_load_explicit(&shim_state->wiped->running, memory_order_acquire))
		return 0;
	return shim_state->wipes || shim_state->owner == getpid();
}

/* image.c */
const char *image_find(struct image *image, const void *address);
int image_contains_code(const struct image *image, const void *address);
int image_save(struct image *image);
void image_restore(struct image *image);
int image_set_entry(struct image *image, init_entry *slot, init_entry value);

/* thread.c */
int thread_tls_check(struct image *image);
int thread_in_call(void);
void thread_forget_key(void);
void thread_register_atfork(void);

/* signals.c */
void signals_init(void);
void signals_patch_table(void);
void signals_before_start(void);
int signals_after_start(void);
void signals_mask(struct shim_call *call);
void signals_unmask(const struct shim_call *call);

/* limits.c */
int limits_check(void);

/* threads.c */
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument);

/* The C library's, under the name that the linker's --wrap gives it. */
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument)
	__attribute__((visibility("default")));

/* arguments.c */
char **arguments_make(void);

/* fds.c */
void fds_close_all(void);

/* library.c */
void library_find(void);
void library_tell(void *copy);

/* fallback.c */
void fallback_keep_file(void);
int fallback_load(void);

/* fork.c */
int start_prepare(void);
void start_mark_running(void);

#pragma GCC visibility pop

#endif
