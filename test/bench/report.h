/* The floors, and the report in words or in JSON. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "measure.h"

struct report {
    const struct module *a, *b;
    const struct plan *plan;
    const char *mode; /* "quick" or "full" */
    const struct result *results;
    int count;
};

void print_text(const struct report *r);
void print_json(const struct report *r);

/* Names each floor that a result misses, on stderr, and returns how many do. */
int check_floors(const struct report *r);

#endif
