/* Two threads on one module, each in a session of its own. */
#ifndef BENCH_THREADS_H
#define BENCH_THREADS_H

#include "measure.h"

/* A rate for struct runner: its subject and the one after it in memory run on a thread each; the rates are added. */
double two_thread_rate(const struct runner *r, const struct plan *p);

#endif
