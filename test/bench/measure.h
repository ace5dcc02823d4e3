/* Rates, interleaved rounds and what becomes of them. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "module.h"

enum { MAX_ROUNDS = 32 };

/* How much work a run does. */
struct plan {
    int rounds;
    double round_seconds;       /* length of one side's turn in a round */
    unsigned long creates;      /* objects created in one side's turn */
    unsigned long objects;      /* size of the token that both sides search */
    unsigned long many_objects; /* size of the large token */
    unsigned long growth_calls; /* operations between the two memory readings */
    int fresh_processes;
};

/* One row of the report. Values that were not measured are NAN. */
struct result {
    const char *section; /* the heading that it stands under; NULL: none */
    const char *name;
    const char *unit;        /* of a and b */
    const char *figure_unit; /* of figure, low and high */
    double a, b;
    double figure, low, high; /* what a floor judges: median over rounds, and the spread */
    struct failure failure;
};

struct signing; /* how to sign with the key: crypto.c */

/* One side of one operation: a session of its own, and what the operation prepared in it. */
struct subject {
    struct module *module;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
    CK_OBJECT_HANDLE public_key;
    const struct signing *signing;
    unsigned long objects; /* labelled objects on the token */
    unsigned long turn;    /* operations done, where the next one depends on it */
};

typedef bool once_function(struct subject *s);

/* Something that has a rate: calls per second, or a negative number where a call failed. */
struct runner {
    double (*rate)(const struct runner *r, const struct plan *p);
    once_function *once;
    struct subject *subject;
    int threads; /* for threads_rate */
};

/* Monotonic wall-clock time. */
double seconds_now(void);

double median(const double *values, int count);

/* A runner's rate for p->round_seconds on the calling thread, and for p->creates calls whatever they last. */
double timed_rate(const struct runner *r, const struct plan *p);
double counted_rate(const struct runner *r, const struct plan *p);

/* The median of values as the figure, and how far they lie apart. */
void spread(const double *values, int count, struct result *out);

/* Runs left and right in turn, round after round, and fills a, b (median rates) and figure (left/right). */
bool interleave(const struct plan *p, const struct runner *left, const struct runner *right, struct result *out);

/* A row with a name and nothing measured yet. */
struct result empty_result(const char *name, const char *unit, const char *figure_unit);

#endif
