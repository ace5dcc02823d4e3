/*
 * What Go leaves in a C thread, and how much stack the thread has left.
 *
 * On a thread's first call Go stores its g in a thread-local word, and a second
 * time under a pthread key whose destructor returns the g when the thread ends.
 * After a restart both belong to a runtime that is gone.
 */
#include "state.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

enum {
	/* Go's scheduler and collector run on the stack that the call arrives
	 * on. At most 4.1 KiB were seen in use; twice that leaves Go its guard. A
	 * thread of the smallest size, 16 KiB, begins with 11.7 KiB. */
	STACK_NEEDED = 8 * 1024,
};

/* One per thread, in the same TLS block as Go's word. */
struct thread {
	unsigned generation; /* of Go, at this thread's last call */
	int depth;           /* calls into Go now under way */
	int wide;            /* a call has made this thread's goroutine stack large */
	char *stack_low, *stack_high;
};

static __thread struct thread self __attribute__((tls_model("initial-exec")));

/* The argument of __tls_get_addr, which yields the start of a module's block
 * in the calling thread. */
struct tls_index {
	unsigned long module, offset;
};

extern void *__tls_get_addr(struct tls_index *);

struct tls_search {
	const struct image *image;
	unsigned long module;
};

static int find_module(struct dl_phdr_info *info, size_t size, void *data)
{
	struct tls_search *search = data;

	(void)size;
	if (info->dlpi_addr != search->image->base || info->dlpi_phdr != search->image->headers)
		return 0;
	search->module = info->dlpi_tls_modid;
	return 1;
}

/* thread_tls_check finds where in our TLS block the shim's variable lies; every
 * other word of the block is Go's. */
int thread_tls_check(struct image *image)
{
	struct tls_search search = {image, 0};
	char *block;

	dl_iterate_phdr(find_module, &search);
	if (search.module == 0)
		return 0;
	block = __tls_get_addr(&(struct tls_index){search.module, 0});
	if ((char *)&self < block || (char *)(&self + 1) > block + image->tls_mem_size)
		return 0;
	image->tls_own_offset = (size_t)((char *)&self - block);
	return image->tls_mem_size >= sizeof self + sizeof(void *);
}

/* go_word steps through the words of the TLS block that are not ours. */
static void **go_word(size_t *offset)
{
	const struct image *image = &shim_state->image;
	char *block = (char *)&self - image->tls_own_offset;

	if (*offset >= image->tls_own_offset && *offset < image->tls_own_offset + sizeof self)
		*offset = image->tls_own_offset + sizeof self;
	if (*offset + sizeof(void *) > image->tls_mem_size)
		return NULL;
	*offset += sizeof(void *);
	return (void **)(block + *offset - sizeof(void *));
}

static void clear_go_words(void)
{
	size_t offset = 0;
	void **word;

	while ((word = go_word(&offset)) != NULL)
		*word = NULL;
}

/* learn_key finds Go's pthread key: the one that holds what Go's TLS word
 * holds. Done once, after a first call. */
static void learn_key(void)
{
	size_t offset = 0;
	void **word;

	while ((word = go_word(&offset)) != NULL) {
		if (*word == NULL)
			continue;
		for (pthread_key_t key = 0; key < PTHREAD_KEYS_MAX; key++) {
			if (pthread_getspecific(key) != *word)
				continue;
			shim_state->key = key;
			atomic_store(&shim_state->key_known, 1);
			return;
		}
	}
}

/* thread_forget_key takes back the dead runtime's key, and with it the
 * destructor that would run for every thread that outlives the fork. */
void thread_forget_key(void)
{
	if (atomic_exchange(&shim_state->key_known, 0))
		pthread_key_delete(shim_state->key);
}

/* after_fork runs in the child: should its thread end before Go is restarted,
 * or without that, the destructor must not call into the dead runtime. And a
 * child that never asks for Go has no business with what is its parent's: a
 * worker, say, of a server that is root. */
static void after_fork(void)
{
	int kept = errno;

	if (atomic_load(&shim_state->key_known))
		pthread_setspecific(shim_state->key, NULL);
	fds_close_all();
	errno = kept;
}

void thread_register_atfork(void)
{
	if (shim_state->atfork_registered)
		return;
	shim_state->atfork_registered = pthread_atfork(NULL, NULL, after_fork) == 0;
}

static void measure_stack(void)
{
	pthread_attr_t attributes;
	void *low;
	size_t size;

	self.stack_low = self.stack_high = NULL;
	if (pthread_getattr_np(pthread_self(), &attributes) != 0)
		return; /* the first thread where there is no /proc: it has a large stack */
	if (pthread_attr_getstack(&attributes, &low, &size) == 0) {
		self.stack_low = low;
		self.stack_high = (char *)low + size;
	}
	pthread_attr_destroy(&attributes);
}

/* prepare makes the calling thread fit to enter the current Go: 0, or
 * SHIM_NO_STACK. On a stack that is not the thread's own (a coroutine, a
 * signal stack) nothing can be measured and the call is let through. */
static int prepare(void)
{
	unsigned generation = atomic_load_explicit(&shim_state->generation, memory_order_acquire);
	char *here = __builtin_frame_address(0);

	if (self.generation != generation) {
		clear_go_words();
		measure_stack();
		self.depth = 0;
		self.wide = 0;
		self.generation = generation;
	}
	if (here > self.stack_low && here < self.stack_high && here - self.stack_low < STACK_NEEDED)
		return SHIM_NO_STACK;
	return SHIM_OK;
}

#if defined SHIM_ALWAYS_MASK || !defined __x86_64__
enum { ALWAYS_MASK = 1 };
#else
enum { ALWAYS_MASK = 0 };
#endif

/* shim_enter: everything that may be refused comes before anything is changed.
 *
 * Signals need not be blocked once the goroutine stack that this thread's calls
 * run on has room for a handler. The first call makes it so, if Go keeps the
 * goroutine for the thread: it does once it has a pthread key. */
int shim_enter(struct shim_call *call)
{
	int result;

	if (!running())
		return SHIM_NOT_RUNNING;
	result = prepare();
	if (result != SHIM_OK)
		return result;
	call->masked = ALWAYS_MASK || !self.wide;
	/* Cancelling a thread unwinds its stack, which Go's frames do not survive.
	 * A thread's first call meets cancellation points in the C library. Later
	 * ones do not, and deferring is enough: where it is deferred already that
	 * costs no atomic operation. */
	if (call->masked) {
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &call->cancel_state);
		signals_mask(call);
	} else {
		pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &call->cancel_type);
	}
	self.depth++;
	return SHIM_OK;
}

void shim_leave(struct shim_call *call)
{
	int key_known = atomic_load_explicit(&shim_state->key_known, memory_order_relaxed);

	self.depth--;
	if (!key_known && self.depth == 0)
		learn_key();
	if (call->masked) {
		signals_unmask(call);
		self.wide = key_known && self.depth == 0;
		pthread_setcancelstate(call->cancel_state, NULL);
	} else if (call->cancel_type != PTHREAD_CANCEL_DEFERRED) {
		pthread_setcanceltype(call->cancel_type, NULL);
	}
}

/* thread_in_call: does this thread stand in a callback made by Go? */
int thread_in_call(void)
{
	return self.depth > 0;
}
