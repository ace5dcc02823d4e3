/* A run: the modules, what is wanted of it, and the rows so far. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "measure.h"

enum { MAX_ROWS = 64 };

struct bench {
    const struct plan *plan;
    struct module a, b;           /* the candidate and the reference */
    struct module guarded, local; /* the candidate's token behind a guard, and its token without one: guard.h */
    const char *only;             /* NULL, or a part of the names of the rows wanted */
    bool guard;                   /* guarded and local are there */
    bool guard_keys;              /* they have their keys */
    const char *section;          /* the heading of the rows to come; NULL: none */
    struct result results[MAX_ROWS];
    int count;
};

bool wanted(const struct bench *bench, const char *name);

/* Begins a row with a clean slate: a failure belongs to the row that met it. */
struct result *new_row(struct bench *bench, const char *name, const char *unit, const char *figure_unit);

/* Gives the row the failure that the modules met. */
void fail_row(struct bench *bench, struct result *row);

bool open_subject(struct module *m, const char *token, struct subject *s);
void close_subject(struct subject *s);

#endif
