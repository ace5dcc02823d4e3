#include "process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs the role in a child. The child answers with one line: "ok" and up to two numbers, or "failed" and why. */
static bool run_child(struct module *m, const char *role, const char *token, unsigned long calls, double answer[2])
{
    int ends[2];
    if (pipe(ends) != 0)
        return module_fail(m, "pipe failed");
    char calls_text[32];
    snprintf(calls_text, sizeof calls_text, "%lu", calls);
    char *argv[] = {"p11bench",      "--child",         (char *)role,    (char *)m->name, (char *)m->token_prefix,
                    (char *)m->path, (char *)m->pin, (char *)token, calls_text,       NULL};
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execv("/proc/self/exe", argv);
        _exit(127);
    }
    close(ends[1]);
    char line[512] = "";
    FILE *from_child = fdopen(ends[0], "r");
    if (fgets(line, sizeof line, from_child) == NULL)
        line[0] = '\0';
    fclose(from_child);
    int status = -1;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return module_fail(m, "no child process for %s", role);
    if (strncmp(line, "failed ", 7) == 0) {
        line[strcspn(line, "\n")] = '\0';
        snprintf(m->failure.text, sizeof m->failure.text, "%.*s", (int)sizeof m->failure.text - 1, line + 7);
        return false;
    }
    if (status != 0 || sscanf(line, "ok %lf %lf", &answer[0], &answer[1]) != 2)
        return module_fail(m, "the process for %s ended with status 0x%x", role, (unsigned)status);
    return true;
}

bool put_key_on_token(struct module *m, const char *token)
{
    double unused[2];
    return run_child(m, "put-key", token, 0, unused);
}

bool first_signature_ms(const struct plan *p, struct module *m, const char *token, struct result *out, double *ms)
{
    double times[MAX_ROUNDS], answer[2];
    double low = 0, high = 0;
    for (int i = 0; i < p->fresh_processes; i++) {
        if (!run_child(m, "first-signature", token, 0, answer))
            return false;
        times[i] = answer[0];
        low = i == 0 || times[i] < low ? times[i] : low;
        high = i == 0 || times[i] > high ? times[i] : high;
    }
    *ms = median(times, p->fresh_processes);
    if (out != NULL) {
        out->low = low;
        out->high = high;
    }
    return true;
}

bool added_memory_mib(struct module *m, const char *token, double *mib)
{
    double answer[2];
    if (!run_child(m, "first-signature", token, 0, answer))
        return false;
    *mib = answer[1];
    return true;
}

bool memory_growth_mib(const struct plan *p, struct module *m, const char *token, double *mib)
{
    double answer[2];
    if (!run_child(m, "growth", token, p->growth_calls, answer))
        return false;
    *mib = answer[0];
    return true;
}
