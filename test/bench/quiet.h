/* Other work on the machine is the largest error of all. */
#ifndef BENCH_QUIET_H
#define BENCH_QUIET_H

/* Waits until the machine does nothing else, but for no longer than 0.4 seconds. Whoever asks has to be at rest. */
void wait_for_quiet(void);

#endif
