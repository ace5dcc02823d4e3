/* Processes that sign at the same time. */
#ifndef BENCH_FLEET_H
#define BENCH_FLEET_H

#include "process.h"

enum { FLEET = 8 };

struct fleet {
    struct subject subject; /* first: a runner's subject leads here */
    bool guarded;           /* which token the next turn is for */
    struct child_process (*children)[FLEET];
};

/* Starts the processes, one after another, each ready to sign with a key of guard.h on both tokens. */
bool fleet_start(struct module *m, int key, struct child_process (*children)[FLEET]);
void fleet_end(struct module *m, struct child_process (*children)[FLEET]);

/* A rate for struct runner, whose subject is a fleet's: the rates of all processes are added. */
double fleet_rate(const struct runner *r, const struct plan *p);

#endif
