/* Threads on one module, each in a session of its own. */
#ifndef BENCH_THREADS_H
#define BENCH_THREADS_H

#include "measure.h"

enum { MAX_THREADS = 8 };

/* A rate for struct runner: as many subjects as it has threads, beginning with its own, run on a thread each; the rates are added. */
double threads_rate(const struct runner *r, const struct plan *p);

#endif
