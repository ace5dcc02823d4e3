#include "guard_process.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

pid_t guard_pid(void)
{
    const char *home = getenv("NCRYPT11_HOME");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length = snprintf(address.sun_path, sizeof address.sun_path, "%s/guard.sock", home == NULL ? "" : home);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    struct ucred peer = {0};
    socklen_t size = sizeof peer;
    if ((size_t)length >= sizeof address.sun_path || fd < 0 ||
        connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) /* unix(7): who called listen(2) */
        peer.pid = 0;
    if (fd >= 0)
        close(fd);
    return peer.pid;
}

bool end_guard(struct module *m)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
    pid_t pid = guard_pid();
    if (pid == 0)
        return true;
    kill(pid, SIGTERM);
    for (int tries = 0; tries < 1000; tries++) {
        /* It is nobody's child here and cannot be waited for. It gives its place up as the first thing it does. */
        if (guard_pid() != pid)
            return true;
        nanosleep(&pause, NULL);
    }
    return module_fail(m, "the guard, process %d, does not end", (int)pid);
}

bool stay_on_one_processor(struct module *m)
{
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return module_fail(m, "sched_getaffinity failed");
    int last = CPU_SETSIZE - 1; /* the first one often has the interrupts */
    while (last > 0 && !CPU_ISSET(last, &allowed))
        last--;
    CPU_ZERO(&one);
    CPU_SET(last, &one);
    return sched_setaffinity(0, sizeof one, &one) == 0 || module_fail(m, "sched_setaffinity failed");
}

bool guard_clock(struct module *m, bool on_one_processor, clockid_t *clock)
{
    pid_t pid = guard_pid();
    cpu_set_t allowed;
    if (pid == 0 || clock_getcpuclockid(pid, clock) != 0 || sched_getaffinity(pid, sizeof allowed, &allowed) != 0)
        return module_fail(m, "there is no guard process");
    return !on_one_processor || CPU_COUNT(&allowed) == 1 ||
           module_fail(m, "the guard has not stayed on the processor of who started it");
}

bool count_tpm_commands(struct module *m, struct tpm_count *count)
{
    *count = (struct tpm_count){0};
    const char *path = getenv("BENCH_TPM_LOG");
    FILE *log = path == NULL ? NULL : fopen(path, "re");
    if (log == NULL)
        return module_fail(m, "the TPM has no log at BENCH_TPM_LOG");
    char line[256];
    bool command = false; /* the line before announced one */
    while (fgets(line, sizeof line, log) != NULL) {
        /* TPM 2.0 Part 1, 18.1: tag, size and command code, 2, 4 and 4 bytes. */
        if (command && strncmp(line + 19, "00 00 01 5E", 11) == 0)
            count->unseals++;
        command = strstr(line, "SWTPM_IO_Read:") != NULL;
        count->commands += command;
    }
    fclose(log);
    return count->commands > 0 || module_fail(m, "there is no command in %s", path);
}
