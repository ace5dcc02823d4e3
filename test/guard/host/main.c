#include "host.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

CK_FUNCTION_LIST_3_2 *p;

/* No stdio and no malloc for what lines say: their buffers cannot be wiped. */
static char line_buffer[2 * most_bytes], answer[2 * most_bytes], *answer_end;
static CK_BYTE scratch_memory[2 * most_bytes];
static size_t scratch_used, line_fill;

void give_up(const char *why)
{
	fprintf(stderr, "host: %s\n", why);
	_exit(3);
}

void *scratch(size_t size)
{
	void *at = scratch_memory + scratch_used;

	size = (size + 15) & ~(size_t)15;
	if (size > sizeof scratch_memory - scratch_used)
		give_up("out of memory");
	scratch_used += size;
	return at;
}

void tell_number(CK_ULONG value)
{
	answer_end += sprintf(answer_end, " %#lx", value);
}

void tell_bytes(const void *data, size_t length)
{
	const CK_BYTE *from = data;

	if (length > most_bytes / 2)
		give_up("too long an answer");
	answer_end += sprintf(answer_end, " x");
	for (size_t i = 0; i < length; i++)
		answer_end += sprintf(answer_end, "%02x", from[i]);
}

static void load(const char *path)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL), *found;
	CK_C_GetInterface get_interface;
	CK_INTERFACE *interface = NULL;

	if (library == NULL || (found = dlsym(library, "C_GetInterface")) == NULL)
		give_up(dlerror());
	memcpy(&get_interface, &found, sizeof found);
	if (get_interface(NULL, &(CK_VERSION){3, 2}, &interface, 0) != CKR_OK)
		give_up("no interface 3.2");
	p = interface->pFunctionList;
}

/* Reads up to the end of a line. Lines come one at a time: the next is written when the last was answered. */
static char *read_line(void)
{
	line_fill = 0;
	for (;;) {
		ssize_t got = read(STDIN_FILENO, line_buffer + line_fill, sizeof line_buffer - 1 - line_fill);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return NULL;
		line_fill += (size_t)got;
		if (line_buffer[line_fill - 1] == '\n') {
			line_buffer[line_fill - 1] = 0;
			return line_buffer;
		}
		if (line_fill == sizeof line_buffer - 1)
			give_up("too long a line");
	}
}

static const struct verb *find(const char *name)
{
	static const struct verb *const tables[] = {session_verbs, object_verbs, use_verbs, process_verbs};

	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		for (const struct verb *v = tables[i]; v->name != NULL; v++)
			if (strcmp(v->name, name) == 0)
				return v;
	fprintf(stderr, "host: what is %s?\n", name);
	exit(3);
}

/* Wipes what the line said. */
static void forget(void)
{
	explicit_bzero(line_buffer, line_fill);
	explicit_bzero(scratch_memory, scratch_used);
	scratch_used = 0;
}

static void obey(char *text)
{
	struct line l = {.count = 0, .next = 1};

	for (char *w = strtok(text, " "); w != NULL; w = strtok(NULL, " ")) {
		if (l.count == most_arguments)
			give_up("too many words");
		l.words[l.count++] = w;
	}
	if (l.count == 0)
		give_up("an empty line");
	/* What the verb tells stands behind its return value, which comes last. */
	char told[32];
	answer_end = answer + sizeof told;
	CK_RV rv = find(l.words[0])->run(&l);
	if (l.next != l.count)
		give_up("too many arguments");
	*answer_end++ = '\n';
	int length = snprintf(told, sizeof told, "%#lx", rv);
	char *start = answer + sizeof told - length;
	memcpy(start, told, (size_t)length);
	forget(); /* first: whoever has the answer may look */
	while (start < answer_end) {
		ssize_t n = write(STDOUT_FILENO, start, (size_t)(answer_end - start));
		if (n < 0 && errno != EINTR)
			_exit(4);
		start += n > 0 ? n : 0;
	}
}

int main(int argc, char **argv)
{
	char *text;

	if (argc != 2)
		give_up("usage: host MODULE");
	load(argv[1]);
	while ((text = read_line()) != NULL) {
		obey(text);
		explicit_bzero(answer, (size_t)(answer_end - answer));
	}
	return 0;
}
