/*
 * What happens when the library is loaded: nothing that the host could notice.
 * No thread, no handler, no descriptor. The shim looks at its own object, and
 * takes Go's entry away from the dynamic linker, to run it at C_Initialize.
 */
#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18 /* Linux 4.14 */
#endif

/* In .data, so that the saved image holds it; everything else is in the memory
 * it points to. */
struct shim_state *shim_state __attribute__((section(".data"))) = NULL;

/* Priority 101 is the first that is free to programs: the linker sorts it before
 * Go's entry, which has none. The attribute must stand on this declaration: on
 * the definition, after a declaration without it, GCC drops the priority. */
__attribute__((constructor(101))) static void on_load(int argc, char **argv, char **envp);

#ifdef SHIM_TEST
/* Test builds can be told to take the ways that are hardly ever needed. */
static int forced(const char *way)
{
	const char *wanted = getenv("NCRYPT11_TEST_SHIM");

	return wanted != NULL && strstr(wanted, way) != NULL;
}
#else
static int forced(const char *way)
{
	(void)way;
	return 0;
}
#endif

static void *memory(size_t size)
{
	void *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return start == MAP_FAILED ? NULL : start;
}

/* make_state finds room for the state. Where even that cannot be had, one in
 * .bss does for a library that is never started. */
static void make_state(void)
{
	static struct shim_state stillborn_state;
	static struct wiped stillborn_wiped;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct wiped *wiped = memory(page);

	shim_state = memory(sizeof *shim_state);
	if (shim_state == NULL || wiped == NULL) {
		shim_state = &stillborn_state;
		shim_state->wiped = &stillborn_wiped;
		shim_state->stillborn = 1;
		return;
	}
	shim_state->wiped = wiped;
	shim_state->wipes = !forced("pid") && madvise(wiped, page, MADV_WIPEONFORK) == 0;
	shim_state->fds.lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

/* take_entries lists what the dynamic linker would call after on_load: Go's
 * entry, and the constructors of other C code in this library, which likewise
 * have to run again when the segment has been restored. */
static const char *take_entries(void)
{
	struct image *image = &shim_state->image;
	size_t own = 0;

	while (own < image->init_count && image->init_array[own] != on_load)
		own++;
	if (own == image->init_count)
		return "own constructor not found";
	if (image->init_count - own - 1 > MAX_ENTRIES)
		return "too many constructors";
	for (size_t i = own + 1; i < image->init_count; i++)
		shim_state->entries[shim_state->entry_count++] = image->init_array[i];
	return NULL;
}

static void postponed(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
}

/* postpone makes the linker, which reads the array as it goes through it, call
 * an empty function for each. */
static int postpone(void)
{
	struct image *image = &shim_state->image;
	init_entry *first = image->init_array + image->init_count - shim_state->entry_count;

	for (int i = 0; i < shim_state->entry_count; i++) {
		if (image_set_entry(image, &first[i], postponed))
			continue;
		while (--i >= 0)
			image_set_entry(image, &first[i], shim_state->entries[i]);
		return 0;
	}
	return 1;
}

/* Go's first act is to install its handlers. */
static int go_has_started(void)
{
	struct sigaction action;

	return sigaction(SIGSEGV, NULL, &action) == 0 &&
	       image_contains_code(&shim_state->image, (const void *)action.sa_sigaction);
}

static const char *check(void)
{
	struct image *image = &shim_state->image;
	const char *problem = image_find(image, (const void *)on_load);

	if (image->executable) /* as in tests of this project's packages */
		problem = "linked into a program";
	if (problem == NULL && go_has_started())
		problem = "Go was started before the shim";
	if (problem == NULL && !thread_tls_check(image))
		problem = "thread-local storage not found";
	if (problem == NULL)
		problem = take_entries();
	if (problem != NULL)
		image->tls_mem_size = 0; /* nothing there is known to be Go's */
	return problem;
}

/* The dynamic linker is about to start Go, or the program is: all that is left
 * is to be ready for the restart. */
static void yield_to_linker(void)
{
	if (shim_state->failure == NULL) {
		signals_before_start();
		if (!start_prepare())
			shim_state->failure = "no memory for the image";
	}
	shim_state->dirty = 1;
	atomic_store(&shim_state->generation, 1);
	start_mark_running();
}

static void on_load(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	make_state();
	signals_init();
	shim_state->failure = check();
	library_find();
	if (shim_state->failure == NULL && !forced("eager"))
		shim_state->postponed = postpone();
	if (!shim_state->postponed)
		yield_to_linker();
	if (shim_state->failure == NULL && forced("copy"))
		shim_state->failure = "forced by a test";
	if (shim_state->failure != NULL)
		fallback_keep_file();
}

static const char *const result_names[] = {
	[SHIM_OK] = "ok",
	[SHIM_NOT_RUNNING] = "not running",
	[SHIM_NO_MEMORY] = "not enough memory or address space",
	[SHIM_NO_THREADS] = "not enough threads allowed",
	[SHIM_NO_FILES] = "not enough descriptors allowed",
	[SHIM_NO_STACK] = "stack too small",
	[SHIM_IN_CALLBACK] = "called from a callback in a forked child",
	[SHIM_COPY] = "private copy in use",
	[SHIM_BROKEN] = "Go did not start",
};

const char *shim_status(void)
{
	struct shim_state *state = shim_state;

	snprintf(state->status, sizeof state->status,
		 "%s; restart: %s; start: %s, generation %u; fork seen by %s; signal table %s; last: %s",
		 shim_running() ? "running" : "not running",
		 state->failure == NULL ? "in place" : state->failure,
		 state->postponed ? "at C_Initialize" : "at load", atomic_load(&state->generation),
		 state->wipes ? "wiped page" : "process id", state->sigtable_patched ? "patched" : "as is",
		 result_names[state->last]);
	return state->status;
}
