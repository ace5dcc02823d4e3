/*
 * The argument block with which Go is started: argv, the environment and the
 * auxiliary vector, laid out as the kernel lays them out.
 *
 * It is a copy. Go keeps pointers into the strings, and hosts write over their
 * own argument area (setproctitle) or change their environment. And it leaves
 * out the variables that steer a Go runtime: a host that is itself written in
 * Go has them set for itself.
 */
#include "state.h"

#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

extern char **environ;

static const char program_name[] = "ncrypt11";

/* Go's own knobs, not inherited from the host. */
static const char *const dropped[] = {"GODEBUG=", "GOTRACEBACK=", "GOGC=", "GOMEMLIMIT=", "GOMAXPROCS="};

/* asyncpreemptoff: no SIGURG is sent to threads of this process, so that the
 * host's handler for it stays the host's. GOTRACEBACK: a panic that nothing
 * recovers says what it is, without goroutine arguments, which might be
 * secret. */
static const char *const added[] = {"GODEBUG=asyncpreemptoff=1", "GOTRACEBACK=none"};

/* What the runtime and golang.org/x/sys/cpu read. */
static const unsigned long auxiliary[] = {AT_PAGESZ, AT_HWCAP, AT_HWCAP2, AT_RANDOM, AT_SECURE, AT_SYSINFO_EHDR};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int is_dropped(const char *variable)
{
	for (size_t i = 0; i < COUNT(dropped); i++)
		if (strncmp(variable, dropped[i], strlen(dropped[i])) == 0)
			return 1;
	return 0;
}

/* A block being filled: pointers from its start, strings after them. */
struct block {
	char **pointer;
	char *string;
};

static void add_string(struct block *block, const char *string)
{
	size_t size = strlen(string) + 1;

	*block->pointer++ = memcpy(block->string, string, size);
	block->string += size;
}

static void add_auxiliary(struct block *block, unsigned long tag, unsigned long value)
{
	memcpy(block->pointer++, &tag, sizeof tag);
	memcpy(block->pointer++, &value, sizeof value);
}

static void fill(struct block *block, char **environment, size_t count)
{
	add_string(block, program_name);
	*block->pointer++ = NULL;
	for (size_t i = 0; i < COUNT(added); i++)
		add_string(block, added[i]);
	for (size_t i = 0; i < count; i++)
		if (!is_dropped(environment[i]))
			add_string(block, environment[i]);
	*block->pointer++ = NULL;
	for (size_t i = 0; i < COUNT(auxiliary); i++)
		add_auxiliary(block, auxiliary[i], getauxval(auxiliary[i]));
	add_auxiliary(block, AT_NULL, 0);
}

/* replace_block gives back the block of a runtime that is gone. The record of
 * it goes first: this process may be forked at any moment, and the child will
 * come by here too. */
static void replace_block(void *start, size_t size)
{
	void *old = shim_state->arguments;
	size_t old_size = shim_state->arguments_size;

	shim_state->arguments = NULL;
	if (old != NULL)
		munmap(old, old_size);
	shim_state->arguments_size = size;
	shim_state->arguments = start;
}

/* arguments_make returns argv of a new block (argc is 1), NULL for want of
 * memory. A program with raised privileges gets no environment at all. */
char **arguments_make(void)
{
	char **environment = getauxval(AT_SECURE) ? NULL : environ;
	size_t count = 0, strings = sizeof program_name, size;
	struct block block;
	void *start;

	for (size_t i = 0; i < COUNT(added); i++)
		strings += strlen(added[i]) + 1;
	while (environment != NULL && environment[count] != NULL)
		strings += strlen(environment[count++]) + 1;

	size_t pointers = 1 + 1 + COUNT(added) + count + 1 + 2 * (COUNT(auxiliary) + 1);

	size = pointers * sizeof(char *) + strings;
	start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (start == MAP_FAILED)
		return NULL;
	block.pointer = start;
	block.string = (char *)start + pointers * sizeof(char *);
	fill(&block, environment, count);
	replace_block(start, size);
	return start;
}
