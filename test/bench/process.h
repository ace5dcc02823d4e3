/* What can only be measured in a process of its own: each measurement runs this program again as a child. */
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

#include <stdio.h>
#include <sys/types.h>

#include "measure.h"

/* Puts a signing key on the token, from a child, so that this process stays without the module. */
bool put_key_on_token(struct module *m, const char *token);

/* dlopen to first signature with that key, in milliseconds, median over fresh processes. */
bool first_signature_ms(const struct plan *p, struct module *m, const char *token, struct result *out, double *ms);

/* VmRSS added to a bare process by the same, in MiB. */
bool added_memory_mib(struct module *m, const char *token, double *mib);

/* VmRSS added by p->growth_calls operations after a warm-up of 100,000, in MiB. */
bool memory_growth_mib(const struct plan *p, struct module *m, const char *token, double *mib);

/* A child that plays a role of child.c, and what it says: one line, "ok" and numbers, or "failed" and why. */
struct child_process {
    pid_t pid;
    FILE *from;
    FILE *to; /* its standard input, where it was asked for */
};

bool child_start(struct module *m, const char *role, const char *token, const char *argument, bool talk_to,
                 struct child_process *child);

/* Reads a line with count numbers. */
bool child_answer(struct module *m, struct child_process *child, double *answer, int count);

/* Waits for the child's end. */
bool child_end(struct module *m, struct child_process *child);

/* All of it, for a child that says one line. */
bool run_child(struct module *m, const char *role, const char *token, const char *argument, double *answer, int count);

/* The child's main: argv as process.c wrote it. */
int child_main(int argc, char **argv);

#endif
