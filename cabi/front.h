/* The C front: the functions that are not stubs, and what the stubs ask. */
#ifndef NCRYPT11_FRONT_H
#define NCRYPT11_FRONT_H

#pragma GCC visibility push(protected)
#include "../p11.h"
#pragma GCC visibility pop

#pragma GCC visibility push(hidden)

/* Starts Go, restarts it in a forked child, or does nothing where it runs. */
CK_RV ncrypt11_start(void);

/* Between a C_Initialize that succeeded and C_Finalize, in this very process:
 * false in a forked child until its own C_Initialize. */
int ncrypt11_enter_allowed(void);

/* An environment variable as it is now, or NULL; none in a setuid program. */
char *ncrypt11_getenv(const char *name);

#pragma GCC visibility pop

#endif
