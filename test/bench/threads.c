#include "threads.h"

#include <pthread.h>

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

double two_thread_rate(const struct runner *r, const struct plan *p)
{
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, 2);
    struct worker workers[2];
    for (int i = 0; i < 2; i++) {
        workers[i] = (struct worker){.runner = *r, .plan = p, .start = &start, .rate = -1};
        workers[i].runner.subject = r->subject + i;
    }
    /* The calling thread is the first worker, as a host's main thread would be. */
    pthread_t second;
    if (pthread_create(&second, NULL, work, &workers[1]) != 0) {
        pthread_barrier_destroy(&start);
        module_fail(r->subject->module, "pthread_create failed");
        return -1;
    }
    work(&workers[0]);
    pthread_join(second, NULL);
    pthread_barrier_destroy(&start);
    return workers[0].rate > 0 && workers[1].rate > 0 ? workers[0].rate + workers[1].rate : -1;
}
