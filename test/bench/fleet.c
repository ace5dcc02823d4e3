#include "fleet.h"

#include <stdlib.h>

#include "guard.h"

bool fleet_start(struct module *m, int key, struct child_process (*children)[FLEET])
{
    char which[16];
    snprintf(which, sizeof which, "%d", key);
    for (int i = 0; i < FLEET; i++)
        (*children)[i] = (struct child_process){.pid = -1};
    for (int i = 0; i < FLEET; i++) {
        struct child_process *child = &(*children)[i];
        if (!child_start(m, "sign-on-demand", GUARD_TOKEN, which, true, child) || !child_answer(m, child, NULL, 0))
            return false;
    }
    return true;
}

void fleet_end(struct module *m, struct child_process (*children)[FLEET])
{
    for (int i = 0; i < FLEET; i++) {
        if ((*children)[i].pid > 0)
            child_end(m, &(*children)[i]);
    }
}

double fleet_rate(const struct runner *r, const struct plan *p)
{
    const struct fleet *f = (const struct fleet *)r->subject;
    for (int i = 0; i < FLEET; i++) {
        FILE *to = (*f->children)[i].to;
        fprintf(to, "%d %g\n", f->guarded, p->round_seconds);
        fflush(to);
    }
    double sum = 0;
    bool ok = true;
    for (int i = 0; i < FLEET; i++) {
        double rate = -1;
        ok = child_answer(r->subject->module, &(*f->children)[i], &rate, 1) && rate > 0 && ok;
        sum += rate;
    }
    return ok ? sum : -1;
}
