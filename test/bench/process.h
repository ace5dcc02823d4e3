/* What can only be measured in a process of its own: each measurement runs this program again as a child. */
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

#include "measure.h"

/* Puts a signing key on the token, from a child, so that this process stays without the module. */
bool put_key_on_token(struct module *m, const char *token);

/* dlopen to first signature with that key, in milliseconds, median over fresh processes. */
bool first_signature_ms(const struct plan *p, struct module *m, const char *token, struct result *out, double *ms);

/* VmRSS added to a bare process by the same, in MiB. */
bool added_memory_mib(struct module *m, const char *token, double *mib);

/* VmRSS added by p->growth_calls operations after a warm-up of 100,000, in MiB. */
bool memory_growth_mib(const struct plan *p, struct module *m, const char *token, double *mib);

/* The child's main: argv as process.c wrote it. */
int child_main(int argc, char **argv);

#endif
