/* The roles of children for the rows of guards. */
#include <math.h>
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

/* Processor time of a signature in microseconds, and what part of the time that passed it was. */
struct cost {
    double client, guard, share;
};

struct round {
    struct cost guarded, local;
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
    double start = seconds_now(), now = start;
    unsigned long calls = 0;
    for (; now - start < seconds; now = seconds_now(), calls++) {
        if (!sign_once(s))
            return false;
    }
    cost->client = (microseconds(CLOCK_PROCESS_CPUTIME_ID) - client) / (double)calls;
    cost->guard = (microseconds(guard) - in_guard) / (double)calls;
    cost->share = (cost->client + cost->guard) * (double)calls / ((now - start) * 1e6);
    return true;
}

static bool cost_round(struct both *both, clockid_t guard, double seconds, bool guarded_first, struct round *r)
{
    wait_for_quiet();
    return guarded_first ? cost_of(&both->guarded, guard, seconds, &r->guarded) &&
                               cost_of(&both->local, guard, seconds, &r->local)
                         : cost_of(&both->local, guard, seconds, &r->local) &&
                               cost_of(&both->guarded, guard, seconds, &r->guarded);
}

/* How far the processor was ours: client and guard never rest, so what they did not take somebody else did, and spoilt their caches, too. */
static double undisturbed(const struct round *r)
{
    return fmin(r->guarded.share, r->local.share);
}

static int most_disturbed(const struct round *rounds, int count)
{
    int worst = 0;
    for (int i = 1; i < count; i++) {
        if (undisturbed(&rounds[i]) < undisturbed(&rounds[worst]))
            worst = i;
    }
    return worst;
}

/* Keeps as many rounds as wanted: undisturbed ones, or the least disturbed ones of three times as many. */
static bool cost_rounds(struct both *both, clockid_t guard, double seconds, bool pinned, struct round *rounds, int wanted)
{
    const double clean = pinned ? 0.97 : 0; /* unbound, client and guard do rest */
    struct round next;
    if (!cost_round(both, guard, seconds, true, &next)) /* warms up */
        return false;
    for (int tries = 0; tries < 3 * wanted; tries++) {
        struct round *place = &rounds[tries < wanted ? tries : most_disturbed(rounds, wanted)];
        if (tries >= wanted && undisturbed(place) >= clean)
            break;
        if (!cost_round(both, guard, seconds, tries % 2 == 0, &next))
            return false;
        if (tries < wanted || undisturbed(&next) > undisturbed(place))
            *place = next;
    }
    return true;
}

enum { GUARDED_US, LOCAL_US, ADDED_US, ADDED_LOW, ADDED_HIGH, PERCENT, PERCENT_LOW, PERCENT_HIGH, CLIENT_US, GUARD_US };

static void cost_answer(struct child *c, const struct round *rounds, int count)
{
    double with[MAX_ROUNDS], without[MAX_ROUNDS], added[MAX_ROUNDS], percent[MAX_ROUNDS], client[MAX_ROUNDS],
        guard[MAX_ROUNDS];
    for (int i = 0; i < count; i++) {
        const struct cost *guarded = &rounds[i].guarded, *local = &rounds[i].local;
        with[i] = guarded->client + guarded->guard;
        without[i] = local->client + local->guard;
        added[i] = with[i] - without[i];
        percent[i] = 100 * added[i] / without[i];
        client[i] = guarded->client;
        guard[i] = guarded->guard;
    }
    struct result r;
    c->answer[GUARDED_US] = median(with, count);
    c->answer[LOCAL_US] = median(without, count);
    spread(added, count, &r);
    c->answer[ADDED_US] = r.figure, c->answer[ADDED_LOW] = r.low, c->answer[ADDED_HIGH] = r.high;
    spread(percent, count, &r);
    c->answer[PERCENT] = r.figure, c->answer[PERCENT_LOW] = r.low, c->answer[PERCENT_HIGH] = r.high;
    c->answer[CLIENT_US] = median(client, count);
    c->answer[GUARD_US] = median(guard, count);
    c->answers = GUARD_US + 1;
}

/* Argument: which key, rounds, seconds of a turn, and whether all shall happen on one processor. */
bool child_cost(struct child *c)
{
    int key, count, pinned;
    double seconds;
    if (sscanf(c->argument, "%d %d %lf %d", &key, &count, &seconds, &pinned) != 4)
        return module_fail(&c->module, "what is to be measured?");
    struct both both;
    clockid_t guard;
    if ((pinned && !stay_on_one_processor(&c->module)) || !open_both(c, &both) ||
        !find_both(c, &both, &guarded_keys[key]) || !guard_clock(&c->module, pinned, &guard))
        return false;
    struct round rounds[MAX_ROUNDS];
    if (!told(c, &both, cost_rounds(&both, guard, seconds, pinned, rounds, count)))
        return false;
    cost_answer(c, rounds, count);
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
