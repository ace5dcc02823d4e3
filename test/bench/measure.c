#include "measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "quiet.h"

double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

double median(const double *values, int count)
{
    double sorted[MAX_ROUNDS];
    memcpy(sorted, values, (size_t)count * sizeof *values);
    qsort(sorted, (size_t)count, sizeof *sorted, ascending);
    return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

double timed_rate(const struct runner *r, const struct plan *p)
{
    /* The batch grows until reading the clock is lost in it: a digest takes little longer than the reading. */
    const double long_enough = 0.5e-3;
    unsigned long calls = 0, batch = 1;
    double start = seconds_now(), now = start;
    while (now - start < p->round_seconds) {
        double batch_start = now;
        for (unsigned long i = 0; i < batch; i++) {
            if (!r->once(r->subject))
                return -1;
        }
        calls += batch;
        now = seconds_now();
        if (now - batch_start < long_enough)
            batch *= 2;
    }
    return (double)calls / (now - start);
}

double counted_rate(const struct runner *r, const struct plan *p)
{
    double start = seconds_now();
    for (unsigned long i = 0; i < p->creates; i++) {
        if (!r->once(r->subject))
            return -1;
    }
    return (double)p->creates / (seconds_now() - start);
}

static bool one_round(const struct plan *p, const struct runner *first, double *first_rate,
                      const struct runner *second, double *second_rate)
{
    *first_rate = first->rate(first, p);
    if (*first_rate <= 0)
        return false;
    *second_rate = second->rate(second, p);
    return *second_rate > 0;
}

void spread(const double *values, int count, struct result *out)
{
    out->figure = median(values, count);
    out->low = out->high = values[0];
    for (int i = 1; i < count; i++) {
        out->low = fmin(out->low, values[i]);
        out->high = fmax(out->high, values[i]);
    }
}

bool interleave(const struct plan *p, const struct runner *left, const struct runner *right, struct result *out)
{
    double left_rates[MAX_ROUNDS], right_rates[MAX_ROUNDS], ratios[MAX_ROUNDS];
    /* Round -1 warms caches and lazy set-up, and is not counted. Who goes first alternates, so that a machine
     * growing slower or faster favours neither side. */
    for (int round = -1; round < p->rounds; round++) {
        int i = round < 0 ? 0 : round;
        wait_for_quiet();
        bool ok = i % 2 == 0 ? one_round(p, left, &left_rates[i], right, &right_rates[i])
                             : one_round(p, right, &right_rates[i], left, &left_rates[i]);
        if (!ok) {
            const struct failure *l = &left->subject->module->failure;
            out->failure = l->text[0] != '\0' ? *l : right->subject->module->failure;
            return false;
        }
        ratios[i] = left_rates[i] / right_rates[i];
    }
    out->a = median(left_rates, p->rounds);
    out->b = median(right_rates, p->rounds);
    spread(ratios, p->rounds, out);
    return true;
}

struct result empty_result(const char *name, const char *unit, const char *figure_unit)
{
    struct result r = {.name = name, .unit = unit, .figure_unit = figure_unit,
                       .a = NAN, .b = NAN, .figure = NAN, .low = NAN, .high = NAN};
    return r;
}
