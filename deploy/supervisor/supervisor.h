/*
 * The supervisor's loop: signals, the watch over the mount, and what the processes say, in one
 * epoll set, one thread.
 */
#ifndef FLYWHEEL_SUPERVISOR_SUPERVISOR_H
#define FLYWHEEL_SUPERVISOR_SUPERVISOR_H

#include "config.h"

/*
 * Runs until SIGTERM or SIGINT and returns the exit status: 0 after an orderly end, 1 when it could
 * not begin, with the reason on standard error. SIGHUP gives every program a fresh process (a
 * changed configuration); SIGUSR1 opens the log anew, and then does the same, so that every process
 * writes to the new one.
 */
int supervisor_run(const struct config *config);

#endif
