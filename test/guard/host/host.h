/*
 * A PKCS #11 program under remote control: it does what the lines of its standard
 * input say and answers each by one line, the CK_RV and what the call gave.
 *
 *	host MODULE
 *
 * A number is as C writes it. Bytes are "x" and two hexadecimal digits for each.
 * An attribute is TYPE=NUMBER, TYPE=xBYTES, TYPE=true or TYPE=false. A mechanism
 * is TYPE, TYPE:xPARAMETER, or TYPE:ecdh:xPOINT.
 *
 * It keeps no copy of what a line said: whatever is found in its memory
 * afterwards was left there by the module.
 */
#ifndef HOST_H
#define HOST_H

#include "../../../p11.h"

#include <stddef.h>

enum { most_arguments = 64, most_attributes = 32, most_bytes = 1 << 20 };

/* A line, cut into words. */
struct line {
	char *words[most_arguments];
	size_t count, next; /* next: the first that was not read */
};

/* A verb answers by its return value, and by what it told. */
struct verb {
	const char *name;
	CK_RV (*run)(struct line *);
};

extern const struct verb session_verbs[], object_verbs[], use_verbs[], process_verbs[];
extern CK_FUNCTION_LIST_3_2 *p;

/* Reading. What is missing or wrong ends the program. */
const char *word(struct line *l);
CK_ULONG number(struct line *l);
struct bytes { CK_BYTE *at; CK_ULONG length; };
struct bytes bytes(struct line *l);
struct attributes { CK_ATTRIBUTE list[most_attributes]; CK_ULONG count; };
void attributes(struct line *l, struct attributes *a); /* up to "/" or the end */
CK_MECHANISM *mechanism(struct line *l);
void *scratch(size_t size); /* memory that is wiped when the line was answered */

/* Answering. */
void tell_number(CK_ULONG value);
void tell_bytes(const void *data, size_t length);

_Noreturn void give_up(const char *why);

#endif
