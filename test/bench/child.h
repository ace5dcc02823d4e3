/* Inside a child: the roles and what they share. */
#ifndef BENCH_CHILD_H
#define BENCH_CHILD_H

#include "measure.h"

enum { MAX_ANSWER = 10 };

struct child {
    struct module module;
    struct subject subject;
    const char *token;
    const char *argument; /* what it means is the role's own */
    double answer[MAX_ANSWER];
    int answers;
};

bool child_session(struct child *c);

/* Tells the parent what has been found out. */
void child_say(struct child *c);

/* The roles for the rows of guards: guard_child.c. */
bool child_put_keys(struct child *c);
bool child_cost(struct child *c);
bool child_login(struct child *c);
bool child_sign_on_demand(struct child *c);

#endif
