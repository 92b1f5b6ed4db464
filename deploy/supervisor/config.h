/*
 * What the supervisor was started with; never changed afterwards and handed to whoever needs it.
 */
#ifndef FLYWHEEL_SUPERVISOR_CONFIG_H
#define FLYWHEEL_SUPERVISOR_CONFIG_H

struct config {
    const char *handlers; /* the mount: handler programs and their shared library; NULL: none are run */
    const char *sockets;  /* where <program>.sock is made */
    const char *run;      /* state file, lock, staged copies and published pages */
    const char *config;   /* given to every handler as FLYWHEEL_CONFIG */
    const char *frontend; /* the dashboard's mount; NULL: nothing is published */
    const char *log;      /* file for standard error, opened anew on SIGUSR1; NULL: as it was inherited */
    int ready_ms;         /* how long a new process may take to say that it is ready */
    int stop_ms;          /* how long a process may take to finish what is in flight */
    int settle_ms;        /* how long the mount must be quiet before it is looked at */
};

#endif
