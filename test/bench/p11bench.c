/* p11bench measures two PKCS#11 modules against each other, in one process and one run. README.md says how. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "crypto.h"
#include "guard.h"
#include "guard_process.h"
#include "objects.h"
#include "process.h"
#include "report.h"
#include "threads.h"

static const struct plan quick_plan = {.rounds = 7, .round_seconds = 0.08, .creates = 50, .objects = 2000,
                                       .many_objects = 20000, .growth_calls = 100000, .fresh_processes = 9};
static const struct plan full_plan = {.rounds = 15, .round_seconds = 0.4, .creates = 200, .objects = 2000,
                                      .many_objects = 100000, .growth_calls = 1000000, .fresh_processes = 9};

/* Rates of the cryptographic operations, A against B. */
static void measure_crypto(struct bench *bench, const struct crypto_operation *operation)
{
    if (!wanted(bench, operation->name))
        return;
    struct result *row = new_row(bench, operation->name, "op/s", "x");
    struct subject a = {0}, b = {0};
    struct runner left = {timed_rate, operation->once, &a, 1}, right = {timed_rate, operation->once, &b, 1};
    bool ok = open_subject(&bench->a, "crypto", &a) && open_subject(&bench->b, "crypto", &b) &&
              operation->prepare(&a) && operation->prepare(&b) &&
              (operation->verified_by == NULL || operation->verified_by(&a, &b)) &&
              interleave(bench->plan, &left, &right, row);
    if (!ok)
        fail_row(bench, row);
    close_subject(&a);
    close_subject(&b);
}

/* A with two threads against A with one: the figure is the speed-up. */
static void measure_two_threads(struct bench *bench)
{
    if (!wanted(bench, "two-threads"))
        return;
    struct result *row = new_row(bench, "two-threads", "op/s", "x");
    struct subject threads[2] = {0};
    struct runner two = {threads_rate, sign_once, threads, 2}, one = {timed_rate, sign_once, threads, 1};
    bool ok = open_subject(&bench->a, "crypto", &threads[0]) && open_subject(&bench->a, "crypto", &threads[1]) &&
              prepare_p256(&threads[0]);
    /* Both sign with the same key, as the threads of a server do. */
    threads[1].key = threads[0].key;
    threads[1].signing = threads[0].signing;
    if (!ok || !interleave(bench->plan, &two, &one, row))
        fail_row(bench, row);
    row->b = NAN; /* one thread of A, which p256-sign reports */
    close_subject(&threads[0]);
    close_subject(&threads[1]);
}

/* Durable creates, A against B: the same number on each side, so that both tokens stay equally full. */
static void measure_create(struct bench *bench)
{
    if (!wanted(bench, "create-1KB"))
        return;
    struct result *row = new_row(bench, "create-1KB", "op/s", "x");
    struct subject a = {0}, b = {0};
    struct runner left = {counted_rate, create_once, &a, 1}, right = {counted_rate, create_once, &b, 1};
    if (!open_subject(&bench->a, "create", &a) || !open_subject(&bench->b, "create", &b) ||
        !interleave(bench->plan, &left, &right, row))
        fail_row(bench, row);
    close_subject(&a);
    close_subject(&b);
}

/* Finding by label: A against B, then A's rate at this size against A's rate in a large token. */
static void measure_find(struct bench *bench)
{
    if (!wanted(bench, "find-by-label") && !wanted(bench, "find-among-many"))
        return;
    struct result *row = new_row(bench, "find-by-label", "op/s", "x");
    struct subject a = {0}, b = {0}, many = {0};
    struct runner left = {timed_rate, find_once, &a, 1}, right = {timed_rate, find_once, &b, 1};
    struct runner large = {timed_rate, find_once, &many, 1};
    bool ok = open_subject(&bench->a, "find", &a) && fill_token(&a, bench->plan->objects);
    bool filled = ok;
    ok = ok && open_subject(&bench->b, "find", &b) && fill_token(&b, bench->plan->objects) &&
         interleave(bench->plan, &left, &right, row);
    if (!ok)
        fail_row(bench, row);

    row = new_row(bench, "find-among-many", "op/s", "x");
    ok = filled && open_subject(&bench->a, "large", &many) && fill_token(&many, bench->plan->many_objects) &&
         interleave(bench->plan, &left, &large, row);
    if (!ok) {
        if (!filled)
            module_fail(&bench->a, "the smaller token could not be filled");
        fail_row(bench, row);
    }
    row->a = row->b;
    row->b = NAN;
    close_subject(&a);
    close_subject(&b);
    close_subject(&many);
}

/* The rows that need processes of their own run first, while this one is without either module. */
static void measure_processes(struct bench *bench)
{
    const struct plan *p = bench->plan;
    if (wanted(bench, "first-signature")) {
        struct result *row = new_row(bench, "first-signature", "ms", "ms");
        if (put_key_on_token(&bench->a, "start") && put_key_on_token(&bench->b, "start") &&
            first_signature_ms(p, &bench->a, "start", row, &row->a) &&
            first_signature_ms(p, &bench->b, "start", NULL, &row->b))
            row->figure = row->a;
        else
            fail_row(bench, row);
    }
    if (wanted(bench, "added-memory")) {
        struct result *row = new_row(bench, "added-memory", "MiB", "MiB");
        if (put_key_on_token(&bench->a, "crypto") && put_key_on_token(&bench->b, "crypto") &&
            added_memory_mib(&bench->a, "crypto", &row->a) && added_memory_mib(&bench->b, "crypto", &row->b))
            row->figure = row->a;
        else
            fail_row(bench, row);
    }
    if (wanted(bench, "memory-growth")) {
        struct result *row = new_row(bench, "memory-growth", "MiB", "MiB");
        if (memory_growth_mib(p, &bench->a, "crypto", &row->a))
            row->figure = row->a;
        else
            fail_row(bench, row);
    }
}

/* Opens the modules that this process is to have, once nothing more needs it to be without them. */
static bool open_modules(struct bench *bench)
{
    struct module *modules[] = {&bench->a, &bench->b, &bench->guarded, &bench->local};
    for (int i = 0; i < (bench->guard ? 4 : 2); i++) {
        modules[i]->failure.text[0] = '\0';
        if (!module_open(modules[i])) {
            fprintf(stderr, "p11bench: %s\n", modules[i]->failure.text);
            return false;
        }
    }
    return true;
}

static bool run(struct bench *bench)
{
    measure_processes(bench);
    if (!open_modules(bench))
        return false;
    for (int i = 0; i < crypto_operation_count; i++)
        measure_crypto(bench, &crypto_operations[i]);
    measure_two_threads(bench);
    measure_create(bench);
    measure_find(bench);
    if (bench->guard)
        measure_guard(bench);
    return true;
}

static int usage(void)
{
    fputs("usage: p11bench [--quick] [--json] [--floors] [--guard] [--only PART-OF-NAME] [--pin PIN] A.so B.so\n"
          "       p11bench --end-guard\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--child") == 0)
        return child_main(argc, argv);
    if (argc == 2 && strcmp(argv[1], "--end-guard") == 0)
        return !end_guard(&(struct module){.name = "A"});

    static const struct option options[] = {
        {"quick", no_argument, NULL, 'q'},       {"json", no_argument, NULL, 'j'},
        {"floors", no_argument, NULL, 'f'},      {"only", required_argument, NULL, 'o'},
        {"pin", required_argument, NULL, 'p'},   {"guard", no_argument, NULL, 'g'},
        {NULL, 0, NULL, 0},
    };
    struct bench bench = {.plan = &full_plan, .a = {.name = "A", .token_prefix = "a-", .pin = "1234"},
                          .b = {.name = "B", .token_prefix = "b-", .pin = "1234"},
                          .guarded = {.name = "A", .token_prefix = GUARDED_PREFIX},
                          .local = {.name = "B", .token_prefix = LOCAL_PREFIX}};
    bool json = false, floors = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'q': bench.plan = &quick_plan; break;
        case 'j': json = true; break;
        case 'f': floors = true; break;
        case 'o': bench.only = optarg; break;
        case 'g': bench.guard = true; break;
        case 'p': bench.a.pin = bench.b.pin = optarg; break;
        default: return usage();
        }
    }
    if (argc - optind != 2)
        return usage();
    bench.a.path = argv[optind];
    bench.b.path = argv[optind + 1];
    bench.guarded.path = bench.local.path = bench.a.path;
    bench.guarded.pin = bench.local.pin = bench.a.pin;

    if (!run(&bench))
        return 1;
    if (bench.count == 0) {
        fprintf(stderr, "p11bench: no row's name contains %s\n", bench.only);
        return 2;
    }
    struct report report = {&bench.a, &bench.b, bench.plan, bench.plan == &quick_plan ? "quick" : "full",
                            bench.results, bench.count};
    (json ? print_json : print_text)(&report);
    int missed = floors ? check_floors(&report) : 0;
    module_close(&bench.a);
    module_close(&bench.b);
    return missed > 0;
}
