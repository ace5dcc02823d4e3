#include "bench.h"

#include <string.h>

bool wanted(const struct bench *bench, const char *name)
{
    return bench->only == NULL || strstr(name, bench->only) != NULL;
}

struct result *new_row(struct bench *bench, const char *name, const char *unit, const char *figure_unit)
{
    struct result *row = &bench->results[bench->count++];
    *row = empty_result(name, unit, figure_unit);
    row->section = bench->section;
    struct module *modules[] = {&bench->a, &bench->b, &bench->guarded, &bench->local};
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++)
        modules[i]->failure.text[0] = '\0';
    return row;
}

void fail_row(struct bench *bench, struct result *row)
{
    const struct module *modules[] = {&bench->a, &bench->b, &bench->guarded, &bench->local};
    for (size_t i = 0; i < sizeof modules / sizeof modules[0] && row->failure.text[0] == '\0'; i++)
        row->failure = modules[i]->failure;
}

bool open_subject(struct module *m, const char *token, struct subject *s)
{
    *s = (struct subject){.module = m};
    return module_session(m, token, &s->session);
}

void close_subject(struct subject *s)
{
    if (s->session != 0)
        s->module->call->C_CloseSession(s->session);
}
