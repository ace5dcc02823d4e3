/* What is around the guarded token: its guard process, which the module starts on demand, and the software TPM. */
#ifndef BENCH_GUARD_PROCESS_H
#define BENCH_GUARD_PROCESS_H

#include <sys/types.h>
#include <time.h>

#include "module.h"

/* The guard that listens at NCRYPT11_HOME; 0 where there is none. */
pid_t guard_pid(void);

/* Ends the guard, where there is one, and waits until it is gone. */
bool end_guard(struct module *m);

/* Puts this process, and the guard that it will start, on one processor. */
bool stay_on_one_processor(struct module *m);

/* The clock of the processor time that the guard has taken, threads that have ended included. */
bool guard_clock(struct module *m, bool on_one_processor, clockid_t *clock);

/* How many commands the TPM has been given, by the log that BENCH_TPM_LOG names. */
struct tpm_count {
    unsigned long commands, unseals;
};
bool count_tpm_commands(struct module *m, struct tpm_count *count);

#endif
