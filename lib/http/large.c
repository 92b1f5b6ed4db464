#include "http/large.h"

#include <malloc.h>
#include <pthread.h>

enum { KEPT_AT_MOST = 1024 * 1024 };

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

void large_start(void)
{
    /* Either of them also ends the C library's habit of raising both to the largest size that was ever freed. */
    // NOLINTBEGIN(concurrency-mt-unsafe): no thread has been started yet
    mallopt(M_MMAP_THRESHOLD, KEPT_AT_MOST / 2);
    mallopt(M_TRIM_THRESHOLD, KEPT_AT_MOST);
    // NOLINTEND(concurrency-mt-unsafe)
}

void large_enter(void)
{
    pthread_mutex_lock(&turn);
}

void large_leave(void)
{
    malloc_trim(0);
    pthread_mutex_unlock(&turn);
}
