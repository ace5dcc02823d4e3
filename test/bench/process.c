#include "process.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Becomes the child. ends: what it reads from (-1: what its parent does), and what it writes to. */
static void become_child(struct module *m, const char *role, const char *token, const char *argument, int in, int out)
{
    char *argv[] = {"p11bench",      "--child",         (char *)role,    (char *)m->name, (char *)m->token_prefix,
                    (char *)m->path, (char *)m->pin, (char *)token, (char *)argument, NULL};
    dup2(out, STDOUT_FILENO);
    if (in >= 0)
        dup2(in, STDIN_FILENO);
    execv("/proc/self/exe", argv);
    _exit(127);
}

bool child_start(struct module *m, const char *role, const char *token, const char *argument, bool talk_to,
                 struct child_process *child)
{
    int from[2], to[2] = {-1, -1};
    /* Children that are started later must not hold the ends of this one, or it would never see an end. */
    if (pipe2(from, O_CLOEXEC) != 0 || (talk_to && pipe2(to, O_CLOEXEC) != 0))
        return module_fail(m, "pipe failed");
    child->pid = fork();
    if (child->pid < 0)
        return module_fail(m, "no child process for %s", role);
    if (child->pid == 0)
        become_child(m, role, token, argument, to[0], from[1]);
    close(from[1]);
    child->from = fdopen(from[0], "r");
    child->to = NULL;
    if (talk_to) {
        close(to[0]);
        child->to = fdopen(to[1], "w");
    }
    return true;
}

bool child_answer(struct module *m, struct child_process *child, double *answer, int count)
{
    char line[512] = "";
    if (fgets(line, sizeof line, child->from) == NULL)
        return module_fail(m, "a child process said nothing");
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, "failed ", 7) == 0) {
        snprintf(m->failure.text, sizeof m->failure.text, "%.*s", (int)sizeof m->failure.text - 1, line + 7);
        return false;
    }
    char *rest = line + strlen("ok");
    if (strncmp(line, "ok", 2) != 0)
        return module_fail(m, "a child process said: %.80s", line);
    for (int i = 0; i < count; i++) {
        char *end;
        answer[i] = strtod(rest, &end);
        if (end == rest)
            return module_fail(m, "a child process gave %d numbers of %d", i, count);
        rest = end;
    }
    return true;
}

bool child_end(struct module *m, struct child_process *child)
{
    if (child->to != NULL)
        fclose(child->to);
    int status = -1;
    pid_t ended = waitpid(child->pid, &status, 0);
    fclose(child->from); /* not earlier: its last words would kill it */
    return (ended == child->pid && status == 0) || module_fail(m, "a child process ended with status 0x%x", (unsigned)status);
}

bool run_child(struct module *m, const char *role, const char *token, const char *argument, double *answer, int count)
{
    struct child_process child;
    if (!child_start(m, role, token, argument, false, &child))
        return false;
    bool ok = child_answer(m, &child, answer, count);
    return child_end(m, &child) && ok;
}

bool put_key_on_token(struct module *m, const char *token)
{
    return run_child(m, "put-key", token, "", NULL, 0);
}

bool first_signature_ms(const struct plan *p, struct module *m, const char *token, struct result *out, double *ms)
{
    double times[MAX_ROUNDS], answer[2];
    double low = 0, high = 0;
    for (int i = 0; i < p->fresh_processes; i++) {
        if (!run_child(m, "first-signature", token, "", answer, 2))
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
    if (!run_child(m, "first-signature", token, "", answer, 2))
        return false;
    *mib = answer[1];
    return true;
}

bool memory_growth_mib(const struct plan *p, struct module *m, const char *token, double *mib)
{
    char calls[32];
    snprintf(calls, sizeof calls, "%lu", p->growth_calls);
    return run_child(m, "growth", token, calls, mib, 1);
}
