/*
 * The watch over the mount (inotify). It reports names whose file is finished: closed after
 * writing, or moved in.
 */
#ifndef FLYWHEEL_SUPERVISOR_WATCH_H
#define FLYWHEEL_SUPERVISOR_WATCH_H

#include <stdbool.h>

/* What may have happened to a name. */
enum watch_event {
    WATCH_FINISHED, /* the file was written and closed, or moved here */
    WATCH_TOUCHED,  /* its mode or times changed: counts only for a file that was not executable yet
                     */
    WATCH_REMOVED,  /* the file was removed or moved away */
    WATCH_LOST,     /* events were lost: everything must be looked at (name is NULL) */
    WATCH_GONE      /* the folder itself is gone (name is NULL) */
};

typedef void watch_callback(enum watch_event event, const char *name, void *context);

/* A descriptor for epoll, not blocking, closed on exec; -1 with errno set on failure. */
int watch_open(void);

/* Begins to watch `folder`. False with errno set when that is not possible. */
bool watch_add(int fd, const char *folder);

/* Calls `callback` for every event that is waiting. */
void watch_read(int fd, watch_callback *callback, void *context);

#endif
