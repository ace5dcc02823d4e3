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
bool verified_by(struct subject *s, struct subject *reference);

/* Keys on tokens, which other processes find by their labels. */
enum key_kind { KEY_P256, KEY_RSA_2048, KEY_ED25519, KEY_KINDS };

bool create_labelled_pair(struct subject *s, enum key_kind kind, const char *label);

/* Finds the private key of a pair, to sign with; and the public one, to be verified with. */
bool find_labelled_key(struct subject *s, enum key_kind kind, const char *label);
bool find_labelled_public_key(struct subject *s, const char *label);

#endif
