/* Creating token objects and finding them by label. */
#ifndef BENCH_OBJECTS_H
#define BENCH_OBJECTS_H

#include "measure.h"

/* Creates one more CKO_DATA token object of about 1 KB, labelled by the subject's turn. */
bool create_once(struct subject *s);

/* Fills the token until it holds the labels 0 to count-1. */
bool fill_token(struct subject *s, unsigned long count);

/* Finds one of the subject's objects by its label, another one each time. */
bool find_once(struct subject *s);

#endif
