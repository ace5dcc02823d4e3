/* What a guard costs: a token behind a guard process against a token that has its keys in this process, through one library. */
#ifndef BENCH_GUARD_H
#define BENCH_GUARD_H

#include "bench.h"
#include "crypto.h"

/* The two tokens have the same name, and each has a key of each kind. */
#define GUARDED_PREFIX "guarded-"
#define LOCAL_PREFIX "local-"
#define GUARD_TOKEN "keys"

/* A kind of key: its label, and the rows about it. */
struct guarded_key {
    enum key_kind kind;
    const char *label;
    const char *one, *eight;         /* rates with one caller and with eight */
    const char *cpu, *percent, *sides; /* processor time */
};

extern const struct guarded_key guarded_keys[KEY_KINDS];

void measure_guard(struct bench *bench);

#endif
