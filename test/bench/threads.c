#include "threads.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct worker {
    struct runner runner;
    const struct plan *plan;
    pthread_barrier_t *start;
    double rate;
};

static void *work(void *argument)
{
    struct worker *w = argument;
    pthread_barrier_wait(w->start);
    w->rate = timed_rate(&w->runner, w->plan);
    return NULL;
}

double threads_rate(const struct runner *r, const struct plan *p)
{
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, (unsigned)r->threads);
    struct worker workers[MAX_THREADS];
    pthread_t threads[MAX_THREADS];
    for (int i = 0; i < r->threads; i++) {
        workers[i] = (struct worker){.runner = *r, .plan = p, .start = &start, .rate = -1};
        workers[i].runner.subject = r->subject + i;
        /* The calling thread is the first worker, as a host's main thread would be. */
        if (i > 0 && pthread_create(&threads[i], NULL, work, &workers[i]) != 0) {
            perror("p11bench: pthread_create"); /* those that were made wait for this one for ever */
            exit(1);
        }
    }
    work(&workers[0]);
    double sum = workers[0].rate;
    bool ok = sum > 0;
    for (int i = 1; i < r->threads; i++) {
        pthread_join(threads[i], NULL);
        ok = ok && workers[i].rate > 0;
        sum += workers[i].rate;
    }
    pthread_barrier_destroy(&start);
    return ok ? sum : -1;
}
