/*
 * What the supervisor was started with; never changed afterwards and handed to whoever needs it.
 */
#ifndef FLYWHEEL_SUPERVISOR_CONFIG_H
#define FLYWHEEL_SUPERVISOR_CONFIG_H

struct config {
    const char *handlers; /* the mount: handler programs and their shared library */
    const char *sockets;  /* where <program>.sock is made */
    const char *run;      /* state file, lock and staged copies */
    const char *config;   /* given to every handler as FLYWHEEL_CONFIG */
    int ready_ms;         /* how long a new process may take to say that it is ready */
    int stop_ms;          /* how long a process may take to finish what is in flight */
    int settle_ms;        /* how long the mount must be quiet before it is looked at */
};

#endif
