/* The roles of children for the rows of guards. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "guard.h"
#include "guard_process.h"
#include "quiet.h"

/* Both tokens in one process: the guarded one is the child's own. */
struct both {
    struct module local_module;
    struct subject guarded, local;
};

/* What went wrong on the other token is told as the child's own failure. */
static bool told(struct child *c, struct both *both, bool ok)
{
    if (!ok && c->module.failure.text[0] == '\0')
        c->module.failure = both->local_module.failure;
    return ok;
}

static bool open_both(struct child *c, struct both *both)
{
    both->local_module = c->module;
    both->local_module.token_prefix = LOCAL_PREFIX;
    bool ok = module_open(&c->module) && module_open(&both->local_module) &&
              open_subject(&c->module, c->token, &both->guarded) &&
              open_subject(&both->local_module, c->token, &both->local);
    return told(c, both, ok);
}

static bool find_both(struct child *c, struct both *both, const struct guarded_key *key)
{
    bool ok = find_labelled_key(&both->guarded, key->kind, key->label) &&
              find_labelled_public_key(&both->guarded, key->label) &&
              find_labelled_key(&both->local, key->kind, key->label) && verified_by(&both->guarded, &both->local);
    return told(c, both, ok);
}

bool child_put_keys(struct child *c)
{
    if (!child_session(c))
        return false;
    for (int i = 0; i < KEY_KINDS; i++) {
        if (!create_labelled_pair(&c->subject, guarded_keys[i].kind, guarded_keys[i].label))
            return false;
    }
    return true;
}

/* Processor time in microseconds. */
struct cost {
    double client, guard;
};

static double microseconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

/* What one signature costs this process, and the guard at the same time: also where the guard should have nothing to do. */
static bool cost_of(struct subject *s, clockid_t guard, double seconds, struct cost *cost)
{
    double client = microseconds(CLOCK_PROCESS_CPUTIME_ID), in_guard = microseconds(guard);
    unsigned long calls = 0;
    for (double start = seconds_now(); seconds_now() - start < seconds; calls++) {
        if (!sign_once(s))
            return false;
    }
    cost->client = (microseconds(CLOCK_PROCESS_CPUTIME_ID) - client) / (double)calls;
    cost->guard = (microseconds(guard) - in_guard) / (double)calls;
    return true;
}

enum { GUARDED_US, LOCAL_US, ADDED_US, ADDED_LOW, ADDED_HIGH, PERCENT, PERCENT_LOW, PERCENT_HIGH, CLIENT_US, GUARD_US };

static void cost_answer(struct child *c, const struct cost *guarded, const struct cost *local, int rounds)
{
    double with[MAX_ROUNDS], without[MAX_ROUNDS], added[MAX_ROUNDS], percent[MAX_ROUNDS], client[MAX_ROUNDS],
        guard[MAX_ROUNDS];
    for (int i = 0; i < rounds; i++) {
        with[i] = guarded[i].client + guarded[i].guard;
        without[i] = local[i].client + local[i].guard;
        added[i] = with[i] - without[i];
        percent[i] = 100 * added[i] / without[i];
        client[i] = guarded[i].client;
        guard[i] = guarded[i].guard;
    }
    struct result r;
    c->answer[GUARDED_US] = median(with, rounds);
    c->answer[LOCAL_US] = median(without, rounds);
    spread(added, rounds, &r);
    c->answer[ADDED_US] = r.figure, c->answer[ADDED_LOW] = r.low, c->answer[ADDED_HIGH] = r.high;
    spread(percent, rounds, &r);
    c->answer[PERCENT] = r.figure, c->answer[PERCENT_LOW] = r.low, c->answer[PERCENT_HIGH] = r.high;
    c->answer[CLIENT_US] = median(client, rounds);
    c->answer[GUARD_US] = median(guard, rounds);
    c->answers = GUARD_US + 1;
}

/* Argument: which key, rounds, seconds of a turn, and whether all shall happen on one processor. */
bool child_cost(struct child *c)
{
    int key, rounds, pinned;
    double seconds;
    if (sscanf(c->argument, "%d %d %lf %d", &key, &rounds, &seconds, &pinned) != 4)
        return module_fail(&c->module, "what is to be measured?");
    struct both both;
    clockid_t guard;
    if ((pinned && !stay_on_one_processor(&c->module)) || !open_both(c, &both) ||
        !find_both(c, &both, &guarded_keys[key]) || !guard_clock(&c->module, pinned, &guard))
        return false;
    struct cost guarded[MAX_ROUNDS], local[MAX_ROUNDS];
    for (int round = -1; round < rounds; round++) { /* round -1 warms up */
        int i = round < 0 ? 0 : round;
        wait_for_quiet();
        bool ok = i % 2 == 0 ? cost_of(&both.guarded, guard, seconds, &guarded[i]) &&
                                   cost_of(&both.local, guard, seconds, &local[i])
                             : cost_of(&both.local, guard, seconds, &local[i]) &&
                                   cost_of(&both.guarded, guard, seconds, &guarded[i]);
        if (!told(c, &both, ok))
            return false;
    }
    cost_answer(c, guarded, local, rounds);
    return true;
}

/* Logs out and in, and gives the milliseconds of the latter. */
static bool login_ms(struct subject *s, double *ms)
{
    CK_FUNCTION_LIST *call = s->module->call;
    const char *pin = s->module->pin;
    if (!module_ok(s->module, "C_Logout", call->C_Logout(s->session)))
        return false;
    double start = seconds_now();
    CK_RV rv = call->C_Login(s->session, CKU_USER, (CK_UTF8CHAR *)pin, (CK_ULONG)strlen(pin));
    *ms = (seconds_now() - start) * 1e3;
    return module_ok(s->module, "C_Login", rv);
}

/* Argument: rounds. Answer: milliseconds of a login with and without a guard, the spread of the first, commands and TPM2_Unseal of one login. */
bool child_login(struct child *c)
{
    struct both both;
    if (!open_both(c, &both))
        return false;
    int rounds = atoi(c->argument);
    double guarded[MAX_ROUNDS], local[MAX_ROUNDS];
    struct tpm_count before, after;
    for (int round = -1; round < rounds; round++) { /* round -1 warms up */
        int i = round < 0 ? 0 : round;
        wait_for_quiet();
        if ((round == 0 && !count_tpm_commands(&c->module, &before)) ||
            !told(c, &both, login_ms(&both.guarded, &guarded[i]) && login_ms(&both.local, &local[i])))
            return false;
    }
    if (!count_tpm_commands(&c->module, &after))
        return false;
    struct result r;
    spread(guarded, rounds, &r);
    c->answer[0] = r.figure, c->answer[1] = median(local, rounds);
    c->answer[2] = r.low, c->answer[3] = r.high;
    c->answer[4] = (double)(after.commands - before.commands) / rounds;
    c->answer[5] = (double)(after.unseals - before.unseals) / rounds;
    c->answers = 6;
    return true;
}

/* Argument: which key. Each line of input, "1 SECONDS" for the guarded token and "0 SECONDS" for the other, is answered with a rate. */
bool child_sign_on_demand(struct child *c)
{
    struct both both;
    if (!open_both(c, &both) || !find_both(c, &both, &guarded_keys[atoi(c->argument)]))
        return false;
    char line[64];
    child_say(c); /* ready */
    c->answers = 1;
    while (fgets(line, sizeof line, stdin) != NULL) {
        int guarded;
        struct plan plan = {0};
        if (sscanf(line, "%d %lf", &guarded, &plan.round_seconds) != 2)
            return module_fail(&c->module, "what is to be signed?");
        struct runner r = {timed_rate, sign_once, guarded ? &both.guarded : &both.local, 1};
        if (!told(c, &both, (c->answer[0] = r.rate(&r, &plan)) > 0))
            return false;
        child_say(c);
    }
    return true;
}
