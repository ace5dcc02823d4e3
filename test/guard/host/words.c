/* What lines are made of. */
#include "host.h"

#include <stdlib.h>
#include <string.h>

const char *word(struct line *l)
{
	if (l->next == l->count)
		give_up("too few arguments");
	return l->words[l->next++];
}

static CK_ULONG parse_number(const char *text, char **end)
{
	return strtoul(text, end, 0);
}

CK_ULONG number(struct line *l)
{
	const char *text = word(l);
	char *end;
	CK_ULONG value = parse_number(text, &end);

	if (end == text || *end != 0)
		give_up("no number");
	return value;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads x.... up to the end or a colon. */
static struct bytes parse_bytes(const char *text)
{
	if (*text++ != 'x')
		give_up("no bytes");
	size_t digits = strcspn(text, ":");
	struct bytes b = {scratch(digits / 2 + 1), digits / 2};
	if (digits % 2 != 0)
		give_up("half a byte");
	for (size_t i = 0; i < b.length; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			give_up("no hexadecimal digit");
		b.at[i] = (CK_BYTE)(high << 4 | low);
	}
	return b;
}

struct bytes bytes(struct line *l)
{
	return parse_bytes(word(l));
}

static void set(CK_ATTRIBUTE *a, const void *value, CK_ULONG length)
{
	a->pValue = memcpy(scratch(length + 1), value, length);
	a->ulValueLen = length;
}

static void attribute(const char *text, CK_ATTRIBUTE *a)
{
	char *value;

	a->type = parse_number(text, &value);
	if (value == text || *value++ != '=')
		give_up("no attribute");
	if (*value == 'x') {
		struct bytes b = parse_bytes(value);
		a->pValue = b.at;
		a->ulValueLen = b.length;
	} else if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0) {
		set(a, &(CK_BBOOL){*value == 't'}, sizeof(CK_BBOOL));
	} else {
		set(a, &(CK_ULONG){parse_number(value, &value)}, sizeof(CK_ULONG));
		if (*value != 0)
			give_up("no value");
	}
}

void attributes(struct line *l, struct attributes *a)
{
	for (a->count = 0; l->next < l->count; a->count++) {
		const char *text = word(l);
		if (strcmp(text, "/") == 0)
			return;
		if (a->count == most_attributes)
			give_up("too many attributes");
		attribute(text, &a->list[a->count]);
	}
}

CK_MECHANISM *mechanism(struct line *l)
{
	CK_MECHANISM *m = scratch(sizeof *m);
	const char *text = word(l);
	char *rest;

	*m = (CK_MECHANISM){parse_number(text, &rest), NULL, 0};
	if (strncmp(rest, ":ecdh:", 6) == 0) {
		struct bytes point = parse_bytes(rest + 6);
		CK_ECDH1_DERIVE_PARAMS *parameter = scratch(sizeof *parameter);
		*parameter = (CK_ECDH1_DERIVE_PARAMS){CKD_NULL, 0, NULL, point.length, point.at};
		m->pParameter = parameter;
		m->ulParameterLen = sizeof *parameter;
	} else if (*rest == ':') {
		struct bytes raw = parse_bytes(rest + 1);
		m->pParameter = raw.at;
		m->ulParameterLen = raw.length;
	} else if (*rest != 0) {
		give_up("no mechanism");
	}
	return m;
}
