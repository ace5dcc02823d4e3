/* The cryptographic operations: what each prepares once, and the call sequence that is timed. */
#ifndef BENCH_CRYPTO_H
#define BENCH_CRYPTO_H

#include "measure.h"

struct crypto_operation {
    const char *name;
    once_function *prepare; /* makes the key, and checks a known answer where the operation has one */
    once_function *once;
    /* Has the reference module verify one signature of s. NULL where a known answer has said as much. */
    bool (*verified_by)(struct subject *s, struct subject *reference);
};

extern const struct crypto_operation crypto_operations[];
extern const int crypto_operation_count;

/* The parts that other measurements build upon. */
bool prepare_p256(struct subject *s);
bool sign_once(struct subject *s);
bool digest_once(struct subject *s);

/* Makes a P-256 pair with this label on the session's token, and finds its private key again. */
bool create_labelled_pair(struct subject *s, const char *label);
bool find_labelled_key(struct subject *s, const char *label);

#endif
