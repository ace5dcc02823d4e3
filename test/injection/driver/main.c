/*
 * A program that uses the minidriver as a C program does, by what a test says line by line: a command and its arguments, separated by tabs; bytes are in
 * hexadecimal. It answers each line with the status, and what the function gave, in hexadecimal.
 *
 *	driver MODULE
 */
#include "driver.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const NCRYPT11_MINIDRIVER_LIST *md;
CARD_DATA card;
const CK_FUNCTION_LIST_3_2 *p11;

static const struct {
	const char *name;
	int arguments;
	void (*run)(char **argument);
} commands[] = {
	{"acquire", 3, acquire}, {"delete", 0, delete_context}, {"authenticate", 1, authenticate}, {"create", 5, create}, {"uncreate", 1, delete_container}, {"logout", 1, deauthenticate}, {"info", 1, info}, {"get", 3, get_property},
	{"set", 2, set_property}, {"algorithm", 3, algorithm_property}, {"mdimport", 3, md_import}, {"import", 6, import_session_key}, {"shared", 1, shared_key},
	{"setkey", 3, set_key_property}, {"getkey", 3, get_key_property}, {"encrypt", 4, encrypt}, {"process", 5, process}, {"destroy", 1, destroy_key},
	{"read", 2, read_file}, {"nulls", 0, nulls}, {"lengths", 0, lengths}, {"outside", 0, outside}, {"table", 0, table}, {"threads", 0, threads}, {"fork", 0, in_child}, {"sign", 2, sign}, {"finalize", 0, finalize},
};

static void obey(char *line)
{
	char *argument[8] = {NULL};
	int n = 0;

	line[strcspn(line, "\n")] = 0;
	char *command = strsep(&line, "\t");
	while (line != NULL && n < (int)(sizeof argument / sizeof *argument))
		argument[n++] = strsep(&line, "\t");
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		if (strcmp(commands[i].name, command) != 0)
			continue;
		if (commands[i].arguments != n)
			break;
		commands[i].run(argument);
		return;
	}
	printf("usage %s\n", command);
}

int main(int argc, char **argv)
{
	static char line[1 << 16];
	CK_INTERFACE *found = NULL;

	setvbuf(stdout, NULL, _IOLBF, 1 << 16);
	void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	if (library == NULL) {
		fprintf(stderr, "%s\n", argc == 2 ? dlerror() : "usage: driver MODULE");
		return 2;
	}
	CK_C_GetInterface get = (CK_C_GetInterface)dlsym(library, "C_GetInterface");
	if (get((CK_UTF8CHAR *)NCRYPT11_MINIDRIVER_INTERFACE, &(CK_VERSION){1, 0}, &found, 0) != CKR_OK)
		return 3;
	md = found->pFunctionList;
	if (get(NULL, NULL, &found, 0) != CKR_OK)
		return 3;
	p11 = found->pFunctionList;
	while (fgets(line, sizeof line, stdin) != NULL)
		obey(line);
	return 0;
}
