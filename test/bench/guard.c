#include "guard.h"

#include <math.h>
#include <stdio.h>

#include "fleet.h"
#include "guard_process.h"
#include "process.h"
#include "threads.h"

const struct guarded_key guarded_keys[KEY_KINDS] = {
    {KEY_P256, "p256", "guard-p256-1", "guard-p256-8", "guard-p256-cpu", "guard-p256-percent", "guard-p256-sides"},
    {KEY_RSA_2048, "rsa2048", "guard-rsa2048-1", "guard-rsa2048-8", "guard-rsa2048-cpu", "guard-rsa2048-percent",
     "guard-rsa2048-sides"},
    {KEY_ED25519, "ed25519", "guard-ed25519-1", "guard-ed25519-8", "guard-ed25519-cpu", "guard-ed25519-percent",
     "guard-ed25519-sides"},
};

/* Puts the keys on both tokens, once. */
static bool keys_made(struct bench *bench)
{
    bench->guard_keys = bench->guard_keys || (run_child(&bench->guarded, "put-keys", GUARD_TOKEN, "", NULL, 0) &&
                                              run_child(&bench->local, "put-keys", GUARD_TOKEN, "", NULL, 0));
    return bench->guard_keys;
}

static struct result *fill(struct result *row, double a, double b, double figure, double low, double high)
{
    row->a = a, row->b = b;
    row->figure = figure, row->low = low, row->high = high;
    return row;
}

/* Three rows of one measurement: processor time added, the same in percent, and what of it is on which side. */
static void measure_cost(struct bench *bench, int key)
{
    const struct guarded_key *k = &guarded_keys[key];
    if (!wanted(bench, k->cpu) && !wanted(bench, k->percent) && !wanted(bench, k->sides))
        return;
    struct result *added = new_row(bench, k->cpu, "us", "us"), *percent = new_row(bench, k->percent, "us", "%"),
                  *sides = new_row(bench, k->sides, "us", "us");
    char what[64];
    snprintf(what, sizeof what, "%d %d %g 1", key, bench->plan->rounds, bench->plan->round_seconds);
    double got[10];
    /* The guard begins anew, so that it, too, finds one processor only, and ends, so that other rows do not meet such a one. */
    if (!keys_made(bench) || !end_guard(&bench->guarded) ||
        !run_child(&bench->guarded, "cost", GUARD_TOKEN, what, got, 10) || !end_guard(&bench->guarded)) {
        fail_row(bench, added);
        fail_row(bench, percent);
        fail_row(bench, sides);
        return;
    }
    fill(added, got[0], got[1], got[2], got[3], got[4]);
    fill(percent, got[0], got[1], got[5], got[6], got[7]);
    fill(sides, got[8], got[9], NAN, NAN, NAN);
}

/* The same where both have the whole machine: waking up another processor is work, too. */
static void measure_cost_unbound(struct bench *bench)
{
    if (!wanted(bench, "guard-p256-unbound"))
        return;
    struct result *row = new_row(bench, "guard-p256-unbound", "us", "us");
    char what[64];
    snprintf(what, sizeof what, "%d %d %g 0", KEY_P256, bench->plan->rounds, bench->plan->round_seconds);
    double got[10];
    if (!keys_made(bench) || !end_guard(&bench->guarded) ||
        !run_child(&bench->guarded, "cost", GUARD_TOKEN, what, got, 10))
        fail_row(bench, row);
    else
        fill(row, got[0], got[1], got[2], got[3], got[4]);
}

static void measure_login(struct bench *bench)
{
    if (!wanted(bench, "guard-login") && !wanted(bench, "guard-login-tpm") && !wanted(bench, "guard-login-unseal"))
        return;
    struct result *login = new_row(bench, "guard-login", "ms", "ms"),
                  *commands = new_row(bench, "guard-login-tpm", "", "cmd"),
                  *unseals = new_row(bench, "guard-login-unseal", "", "cmd");
    char rounds[16];
    snprintf(rounds, sizeof rounds, "%d", bench->plan->rounds);
    double got[6];
    if (!keys_made(bench) || !run_child(&bench->guarded, "login", GUARD_TOKEN, rounds, got, 6)) {
        fail_row(bench, login);
        fail_row(bench, commands);
        fail_row(bench, unseals);
        return;
    }
    fill(login, got[0], got[1], got[0], got[2], got[3]);
    fill(commands, NAN, NAN, got[4], NAN, NAN);
    fill(unseals, NAN, NAN, got[5], NAN, NAN);
}

/* Fresh processes, with a guard to be started (A) and with one that runs (B). */
static void measure_first_signature(struct bench *bench)
{
    if (!wanted(bench, "guard-first-signature"))
        return;
    struct result *row = new_row(bench, "guard-first-signature", "ms", "ms");
    struct module *m = &bench->guarded;
    double cold[MAX_ROUNDS], warm[MAX_ROUNDS], answer[2];
    bool ok = put_key_on_token(m, GUARD_TOKEN);
    for (int i = 0; ok && i < bench->plan->fresh_processes; i++) {
        ok = end_guard(m) && run_child(m, "first-signature", GUARD_TOKEN, "", answer, 2);
        cold[i] = answer[0];
        ok = ok && run_child(m, "first-signature", GUARD_TOKEN, "", answer, 2);
        warm[i] = answer[0];
    }
    if (!ok) {
        fail_row(bench, row);
        return;
    }
    spread(cold, bench->plan->fresh_processes, row);
    row->a = row->figure;
    row->b = median(warm, bench->plan->fresh_processes);
}

static void measure_fleet(struct bench *bench)
{
    if (!wanted(bench, "guard-p256-8proc"))
        return;
    struct result *row = new_row(bench, "guard-p256-8proc", "op/s", "x");
    struct child_process children[FLEET] = {0};
    struct fleet guarded = {{.module = &bench->guarded}, true, &children};
    struct fleet local = {{.module = &bench->guarded}, false, &children};
    struct runner left = {fleet_rate, NULL, &guarded.subject, FLEET}, right = {fleet_rate, NULL, &local.subject, FLEET};
    if (!keys_made(bench) || !fleet_start(&bench->guarded, KEY_P256, &children) ||
        !interleave(bench->plan, &left, &right, row))
        fail_row(bench, row);
    fleet_end(&bench->guarded, &children);
}

/* Eight sessions, each with the one key. */
static bool open_subjects(struct module *m, const struct guarded_key *key, struct subject subjects[MAX_THREADS])
{
    for (int i = 0; i < MAX_THREADS; i++) {
        if (!open_subject(m, GUARD_TOKEN, &subjects[i]) || !find_labelled_key(&subjects[i], key->kind, key->label) ||
            !find_labelled_public_key(&subjects[i], key->label))
            return false;
    }
    return true;
}

static void measure_rate(struct bench *bench, const struct guarded_key *key, const char *name, int threads, double *commands)
{
    if (!wanted(bench, name))
        return;
    struct result *row = new_row(bench, name, "op/s", "x");
    struct subject guarded[MAX_THREADS] = {0}, local[MAX_THREADS] = {0};
    struct runner left = {threads_rate, sign_once, guarded, threads}, right = {threads_rate, sign_once, local, threads};
    struct tpm_count before, after;
    if (!keys_made(bench) || !open_subjects(&bench->guarded, key, guarded) ||
        !open_subjects(&bench->local, key, local) ||
        !verified_by(&guarded[0], &local[0]) || !count_tpm_commands(&bench->guarded, &before) ||
        !interleave(bench->plan, &left, &right, row) || !count_tpm_commands(&bench->guarded, &after))
        fail_row(bench, row);
    else
        *commands += (double)(after.commands - before.commands);
    for (int i = 0; i < MAX_THREADS; i++) {
        close_subject(&guarded[i]);
        close_subject(&local[i]);
    }
}

static void measure_rates(struct bench *bench)
{
    int before = bench->count;
    double commands = 0;
    for (int i = 0; i < KEY_KINDS; i++) {
        measure_rate(bench, &guarded_keys[i], guarded_keys[i].one, 1, &commands);
        measure_rate(bench, &guarded_keys[i], guarded_keys[i].eight, MAX_THREADS, &commands);
    }
    if (bench->count == before)
        return;
    struct result *row = new_row(bench, "guard-sign-tpm", "", "cmd");
    row->figure = commands;
    for (int i = before; i < bench->count; i++) {
        if (bench->results[i].failure.text[0] != '\0')
            row->failure = bench->results[i].failure; /* what was not done proves nothing */
    }
}

void measure_guard(struct bench *bench)
{
    bench->section = "A through the guard, B in process: one library, two tokens";
    for (int key = 0; key < KEY_KINDS; key++)
        measure_cost(bench, key);
    measure_cost_unbound(bench);
    measure_login(bench);
    measure_first_signature(bench);
    measure_fleet(bench);
    measure_rates(bench);
}
