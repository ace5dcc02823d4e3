#include "report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum sense { AT_LEAST, AT_MOST };

/* What module A owes: the figure of the row of this name. The only place that holds these numbers. */
static const struct floor {
    const char *name;
    enum sense sense;
    double limit;
} floors[] = {
    {"sha256-32B", AT_LEAST, 3},
    {"aes256-cbc-64B", AT_LEAST, 10},
    {"p256-sign", AT_LEAST, 1.2},
    {"p384-sign", AT_LEAST, 2.5},
    {"rsa2048-sign", AT_LEAST, 0.65},
    {"two-threads", AT_LEAST, 1.7},
    {"find-by-label", AT_LEAST, 1000},
    {"find-among-many", AT_MOST, 1.5},
    {"create-1KB", AT_LEAST, 3},
    {"added-memory", AT_MOST, 25},
    {"memory-growth", AT_MOST, 2},
    {"first-signature", AT_MOST, 15},
    {"guard-p256-8", AT_LEAST, 0.6},
    {"guard-rsa2048-8", AT_LEAST, 0.9},
    {"guard-p256-cpu", AT_MOST, 20},
    {"guard-rsa2048-percent", AT_MOST, 5},
    {"guard-login-unseal", AT_MOST, 1},
    {"guard-sign-tpm", AT_MOST, 0},
};

static const struct floor *floor_of(const struct result *r)
{
    for (size_t i = 0; i < sizeof floors / sizeof floors[0]; i++) {
        if (strcmp(floors[i].name, r->name) == 0)
            return &floors[i];
    }
    return NULL;
}

/* A figure that could not be measured meets no floor. */
static bool met(const struct floor *f, const struct result *r)
{
    if (isnan(r->figure))
        return false;
    return f->sense == AT_LEAST ? r->figure >= f->limit : r->figure <= f->limit;
}

static const char *sign_of(const struct floor *f)
{
    return f->sense == AT_LEAST ? ">=" : "<=";
}

/* The one-minute load average: what else the machine was doing. */
static double load_average(void)
{
    double load = NAN;
    return getloadavg(&load, 1) == 1 ? load : NAN;
}

static void print_value(double value, int width)
{
    if (isnan(value))
        printf("%*s", width, "-");
    else
        printf("%*.*f", width, fabs(value) < 100 ? 2 : 0, value);
}

/* Length of a blank-padded field of CK_INFO without its padding. */
static size_t trimmed(const CK_UTF8CHAR *field, size_t length)
{
    while (length > 0 && field[length - 1] == ' ')
        length--;
    return length;
}

static void print_module(const struct module *m)
{
    const CK_UTF8CHAR *description = m->info.libraryDescription;
    printf("%s  %s\n   %.*s, version %u.%u\n", m->name, m->path,
           (int)trimmed(description, sizeof m->info.libraryDescription), (const char *)description,
           m->info.libraryVersion.major, m->info.libraryVersion.minor);
}

void print_text(const struct report *r)
{
    print_module(r->a);
    print_module(r->b);
    printf("%s run, %d rounds of %.2f s a side, load average %.2f at the end\n\n", r->mode, r->plan->rounds,
           r->plan->round_seconds, load_average());
    printf("%-21s %12s %12s %-5s %10s %10s %10s     %s\n", "operation", "A", "B", "", "figure", "lowest", "highest",
           "floor");
    for (int i = 0; i < r->count; i++) {
        const struct result *row = &r->results[i];
        const struct floor *f = floor_of(row);
        if (row->section != NULL && (i == 0 || row->section != r->results[i - 1].section))
            printf("\n%s\n", row->section);
        printf("%-21s ", row->name);
        if (row->failure.text[0] != '\0') {
            printf("not measured: %s\n", row->failure.text);
            continue;
        }
        print_value(row->a, 12);
        putchar(' ');
        print_value(row->b, 12);
        printf(" %-5s ", row->unit);
        print_value(row->figure, 10);
        putchar(' ');
        print_value(row->low, 10);
        putchar(' ');
        print_value(row->high, 10);
        printf(" %-3s", row->figure_unit);
        if (f != NULL)
            printf(" %s %g%s", sign_of(f), f->limit, met(f, row) ? "" : "  MISSED");
        putchar('\n');
    }
}

static void json_string(const char *s, size_t limit)
{
    putchar('"');
    for (size_t i = 0; i < limit && s[i] != '\0'; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void json_number(const char *key, double value)
{
    printf(", \"%s\": ", key);
    if (isnan(value))
        printf("null");
    else
        printf("%.6g", value);
}

static void json_module(const char *key, const struct module *m)
{
    printf("  \"%s\": {\"path\": ", key);
    json_string(m->path, strlen(m->path));
    printf(", \"description\": ");
    const CK_UTF8CHAR *description = m->info.libraryDescription;
    json_string((const char *)description, trimmed(description, sizeof m->info.libraryDescription));
    printf(", \"version\": \"%u.%u\"},\n", m->info.libraryVersion.major, m->info.libraryVersion.minor);
}

static void json_result(const struct result *row)
{
    const struct floor *f = floor_of(row);
    printf("    {\"name\": \"%s\", \"unit\": \"%s\"", row->name, row->unit);
    if (row->section != NULL) {
        printf(", \"section\": ");
        json_string(row->section, strlen(row->section));
    }
    json_number("a", row->a);
    json_number("b", row->b);
    printf(", \"figure_unit\": \"%s\"", row->figure_unit);
    json_number("figure", row->figure);
    json_number("low", row->low);
    json_number("high", row->high);
    if (f != NULL)
        printf(", \"floor\": {\"sense\": \"%s\", \"limit\": %g, \"met\": %s}", sign_of(f), f->limit,
               met(f, row) ? "true" : "false");
    if (row->failure.text[0] != '\0') {
        printf(", \"failure\": ");
        json_string(row->failure.text, sizeof row->failure.text);
    }
    putchar('}');
}

void print_json(const struct report *r)
{
    printf("{\n");
    json_module("a", r->a);
    json_module("b", r->b);
    printf("  \"mode\": \"%s\", \"rounds\": %d", r->mode, r->plan->rounds);
    json_number("round_seconds", r->plan->round_seconds);
    json_number("load_average", load_average());
    printf(",\n  \"results\": [\n");
    for (int i = 0; i < r->count; i++) {
        json_result(&r->results[i]);
        printf("%s\n", i + 1 < r->count ? "," : "");
    }
    printf("  ]\n}\n");
}

int check_floors(const struct report *r)
{
    int missed = 0;
    for (int i = 0; i < r->count; i++) {
        const struct result *row = &r->results[i];
        const struct floor *f = floor_of(row);
        if (f == NULL || met(f, row))
            continue;
        missed++;
        if (row->failure.text[0] != '\0')
            fprintf(stderr, "p11bench: floor missed: %s: not measured: %s\n", row->name, row->failure.text);
        else
            fprintf(stderr, "p11bench: floor missed: %s: %.2f %s, floor %s %g\n", row->name, row->figure,
                    row->figure_unit, sign_of(f), f->limit);
    }
    return missed;
}
