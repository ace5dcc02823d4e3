/* Keys for the measurements. All are session objects unless a label puts them on the token. */
#ifndef BENCH_KEYS_H
#define BENCH_KEYS_H

#include "measure.h"

enum curve { P256, P384, ED25519 };

/* Generates a key pair for signing into s->key and s->public_key. A label makes it a token object. */
bool generate_ec_pair(struct subject *s, enum curve curve, const char *label);
bool generate_rsa_2048_pair(struct subject *s, const char *label);

/* Creates the secret key with this value in s->key. */
bool create_aes_key(struct subject *s, const CK_BYTE *value, CK_ULONG length);

/* Copies the public key of from into the module and session of to, as to->public_key. */
bool copy_ec_public_key(struct subject *from, struct subject *to);
bool copy_edwards_public_key(struct subject *from, struct subject *to);
bool copy_rsa_public_key(struct subject *from, struct subject *to);

/* Finds exactly one object that matches. */
bool find_one(struct subject *s, CK_ATTRIBUTE *template, CK_ULONG count, CK_OBJECT_HANDLE *object);

#endif
