/* The child's side of process.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "crypto.h"
#include "process.h"

static const char key_label[] = "p11bench-first";

enum { WARM_UP_CALLS = 100000, TIME_LIMIT_SECONDS = 600 };

/* Resident memory of this process in MiB: VmRSS of proc_pid_status(5). */
static bool resident_mib(struct module *m, double *mib)
{
    FILE *status = fopen("/proc/self/status", "r");
    if (status == NULL)
        return module_fail(m, "cannot read /proc/self/status");
    char line[256];
    unsigned long kib = 0;
    while (fgets(line, sizeof line, status) != NULL && sscanf(line, "VmRSS: %lu kB", &kib) != 1)
        ;
    fclose(status);
    *mib = (double)kib / 1024;
    return kib != 0 || module_fail(m, "no VmRSS in /proc/self/status");
}

bool child_session(struct child *c)
{
    return module_open(&c->module) && module_session(&c->module, c->token, &c->subject.session);
}

static bool put_key(struct child *c)
{
    return child_session(c) && create_labelled_pair(&c->subject, KEY_P256, key_label);
}

static bool first_signature(struct child *c)
{
    double before, after;
    if (!resident_mib(&c->module, &before))
        return false;
    double start = seconds_now();
    if (!child_session(c) || !find_labelled_key(&c->subject, KEY_P256, key_label) || !sign_once(&c->subject))
        return false;
    c->answer[0] = (seconds_now() - start) * 1e3;
    if (!resident_mib(&c->module, &after))
        return false;
    c->answer[1] = after - before;
    c->answers = 2;
    return true;
}

/* Digests and signatures in turn. */
static bool mixed_calls(struct child *c, unsigned long calls)
{
    for (unsigned long i = 0; i < calls; i++) {
        if (!(i % 2 == 0 ? digest_once(&c->subject) : sign_once(&c->subject)))
            return false;
    }
    return true;
}

static bool growth(struct child *c)
{
    double before, after;
    if (!child_session(c) || !prepare_p256(&c->subject) || !mixed_calls(c, WARM_UP_CALLS) ||
        !resident_mib(&c->module, &before) || !mixed_calls(c, strtoul(c->argument, NULL, 10)) || !resident_mib(&c->module, &after))
        return false;
    c->answer[0] = after - before;
    c->answers = 1;
    return true;
}

void child_say(struct child *c)
{
    printf("ok");
    for (int i = 0; i < c->answers; i++)
        printf(" %.9g", c->answer[i]);
    printf("\n");
    fflush(stdout);
}

static const struct {
    const char *role;
    bool (*run)(struct child *c);
} roles[] = {
    {"put-key", put_key},
    {"first-signature", first_signature},
    {"growth", growth},
    {"put-keys", child_put_keys},
    {"cost", child_cost},
    {"login", child_login},
    {"sign-on-demand", child_sign_on_demand},
};

int child_main(int argc, char **argv)
{
    if (argc != 9)
        return 2;
    struct child c = {
        .module = {.name = argv[3], .token_prefix = argv[4], .path = argv[5], .pin = argv[6]},
        .token = argv[7],
        .argument = argv[8],
    };
    c.subject.module = &c.module;
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        if (strcmp(argv[2], roles[i].role) != 0)
            continue;
        alarm(TIME_LIMIT_SECONDS); /* a module that hangs here fails its row, and does not stop the run */
        bool ok = roles[i].run(&c);
        if (ok)
            child_say(&c);
        else
            printf("failed %s\n", c.module.failure.text);
        module_close(&c.module);
        return ok ? 0 : 1;
    }
    return 2;
}
